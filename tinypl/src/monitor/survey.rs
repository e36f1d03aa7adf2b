//! Looks at a pipeline's stages, from the source down: for its picture, and for its figures.
use super::Probe;
use super::lane::Watchers;
#[cfg(all(feature = "process", target_os = "linux"))]
use crate::crew::Shared;
/// There are no processes.
#[cfg(not(all(feature = "process", target_os = "linux")))]
type Shared = std::convert::Infallible;
use crate::error::Site;
use crate::graph::{Edge, Graph, Kind, Node};
use crate::marker::Place;
use crate::pipe::{Named, Pipe};
use crate::pool::Flow;
use crate::post::Post;
use crate::sync::Arc;
use std::any::type_name;
use std::cell::RefCell;
use std::time::Duration;

/// What is known of a pipeline: its stages so far, upstream before downstream, and how they hang together.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub(crate) stages: Vec<Surveyed>,
    pub(crate) edges: Vec<Edge>,
    /// The stage that the next one pulls.
    pub(crate) tip: Option<usize>,
    orders: Vec<String>,
    markers: Vec<String>,
}

/// One stage.
#[derive(Clone, Debug)]
pub(crate) struct Surveyed {
    pub(crate) node: Node,
    pub(crate) site: Site,
    /// Its figures; of a queue with a function two: that one's, and its own.
    pub(crate) probes: Vec<Arc<Probe>>,
    /// The stage above.
    pub(crate) up: Option<usize>,
    /// Whether it counts what it gives; else it gives as many as it gets.
    pub(crate) counts: bool,
    /// Whether one thread at a time pulls it.
    pub(crate) alone: bool,
    /// Whether it stands in another stream, which flows into this one: that one's pulls are not watched.
    pub(crate) beside: bool,
    pub(crate) crew: Option<Crew>,
    /// Of a stage that may wait; a crew's are its flow's.
    waits: Option<Arc<Watchers>>,
}

/// Who runs the stages above a queue.
#[derive(Clone, Debug)]
pub(crate) struct Crew {
    pub(crate) flow: Arc<Flow>,
    pub(crate) processes: Option<Arc<Shared>>,
}

impl Survey {
    pub(crate) fn of<P: Pipe>(pipe: &P) -> Self {
        let mut survey = Self::default();
        pipe.survey(&mut survey);
        survey
    }

    /// A stage below those so far.
    pub(crate) fn stage(&mut self, post: &Post) -> &mut Self {
        let site = post.site();
        let node = Node {
            id: post.watched().id(),
            kind: if self.tip.is_none() { Kind::Source } else { Kind::Stage },
            name: site.title(),
            function: None,
            handle: post.handle().map(str::to_owned),
            options: Vec::new(),
            location: site.location(),
        };
        let probes = vec![post.watched().clone()];
        let surveyed = Surveyed {
            node,
            site,
            probes,
            up: self.tip,
            counts: false,
            alone: false,
            beside: false,
            crew: None,
            waits: None,
        };
        self.stages.push(surveyed);
        let to = self.stages.len() - 1;
        if let Some(from) = self.tip {
            self.edges.push(Edge { from, to, orders: self.orders.clone(), markers: self.markers.clone() });
        }
        self.tip = Some(to);
        self
    }

    /// A queue below those so far. If it and the stage above were written as one, they are one.
    pub(crate) fn queue(&mut self, post: &Post, crew: Crew) -> &mut Self {
        match self.tip() {
            Some(tip) if tip.site == post.site() && tip.crew.is_none() => tip.probes.push(post.watched().clone()),
            _ => {
                self.stage(post);
            }
        }
        if let Some(tip) = self.tip() {
            (tip.node.kind, tip.counts, tip.crew) = (Kind::WorkerThreads, true, Some(crew));
            tip.node.handle = post.handle().map(str::to_owned);
        }
        self
    }

    /// The queue that was seen last is one of processes.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn processes(&mut self, shared: &Arc<Shared>) -> &mut Self {
        if let Some(crew) = self.tip().and_then(|tip| tip.crew.as_mut()) {
            crew.processes = Some(shared.clone());
        }
        self.kind(Kind::WorkerProcesses)
    }

    fn tip(&mut self) -> Option<&mut Surveyed> {
        self.tip.map(|tip| &mut self.stages[tip])
    }

    fn node(&mut self, change: impl FnOnce(&mut Node)) -> &mut Self {
        if let Some(tip) = self.tip() {
            change(&mut tip.node);
        }
        self
    }

    pub(crate) fn kind(&mut self, kind: Kind) -> &mut Self {
        self.node(|node| node.kind = kind)
    }

    pub(crate) fn option(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        self.node(|node| node.options.push((name, value.to_string())))
    }

    /// An option that is a time, if it was set.
    pub(crate) fn limit(&mut self, name: &'static str, limit: Option<Duration>) -> &mut Self {
        match limit {
            Some(limit) => self.option(name, format!("{limit:?}")),
            None => self,
        }
    }

    /// The function `F` is called there. (What a part of a stage does its name says.)
    pub(crate) fn function<F>(&mut self) -> &mut Self {
        if self.tip().is_some_and(|tip| tip.site.is_part()) {
            return self;
        }
        self.node(|node| node.function = function_name(type_name::<F>()))
    }

    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn function_called(&mut self, name: Option<&'static str>) -> &mut Self {
        self.node(|node| node.function = name.map(str::to_owned))
    }

    /// A stage of the user's, by its type.
    pub(crate) fn own<S: ?Sized>(&mut self) -> &mut Self {
        self.node(|node| {
            if node.name == OWN {
                node.name = last_segment(type_name::<S>());
            }
        })
    }

    /// Its name, if it has one.
    pub(crate) fn handle(&mut self, name: Option<&'static str>) -> &mut Self {
        self.node(|node| node.handle = name.map(str::to_owned))
    }

    /// It has given so many items, and says so from now on.
    pub(crate) fn counts(&mut self, items: u64) -> &mut Self {
        if let Some(tip) = self.tip() {
            (tip.counts, tip.alone) = (true, true);
            if let Some(probe) = tip.probes.last() {
                probe.has_given(items);
            }
        }
        self
    }

    /// Likewise, where several pullers may have counted some themselves.
    pub(crate) fn sifts(&mut self, items: u64) -> &mut Self {
        if let Some(tip) = self.tip() {
            tip.counts = true;
            if items > 0
                && let Some(probe) = tip.probes.last()
            {
                probe.has_given(items);
            }
        }
        self
    }

    /// It may wait.
    pub(crate) fn waits(&mut self, watchers: &Arc<Watchers>) -> &mut Self {
        if let Some(tip) = self.tip() {
            tip.waits = Some(watchers.clone());
        }
        self
    }

    /// Of all stages that may wait.
    pub(super) fn watchers(&self) -> impl Iterator<Item = &Watchers> {
        let crews = self.stages.iter().filter_map(|stage| stage.crew.as_ref()).map(|crew| crew.flow.watchers());
        crews.chain(self.stages.iter().filter_map(|stage| stage.waits.as_ref())).map(|watchers| &**watchers)
    }

    /// It is about the marker at place `I` among `L`.
    pub(crate) fn marker<L: Named, I: Place<L>>(&mut self) -> &mut Self {
        let (mut all, mut rest) = (Vec::new(), Vec::new());
        L::names(&mut all);
        I::Rest::names(&mut rest);
        // what is left is in the same order
        let mut rest = rest.into_iter().peekable();
        all.retain(|name| rest.next_if_eq(name).is_none());
        match &*all {
            [one] => self.option("m", one),
            _ => self,
        }
    }

    /// What passes below `P`.
    pub(crate) fn carries<P: Pipe>(&mut self) {
        (self.orders, self.markers) = (Vec::new(), Vec::new());
        P::Tags::names(&mut self.orders);
        P::Marker::names(&mut self.markers);
        // the innermost is the first in the types
        self.orders.reverse();
        self.markers.reverse();
    }

    /// What was seen elsewhere, above what is to come.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.tip = self.take_in(other);
        (self.orders, self.markers) = (other.orders.clone(), other.markers.clone());
    }

    /// Another stream that flows into the stage seen last.
    pub(crate) fn join(&mut self, other: &impl Iterator) {
        let Some(to) = self.tip else { return };
        for mut side in beside(other) {
            side.stages.iter_mut().for_each(|stage| stage.beside = true);
            if let Some(from) = self.take_in(&side) {
                let (orders, markers) = (side.orders.clone(), side.markers.clone());
                self.edges.push(Edge { from, to, orders, markers });
            }
        }
    }

    /// Stages and edges of another survey, those that are known already once; where its tip is here.
    fn take_in(&mut self, other: &Self) -> Option<usize> {
        let mut places = Vec::with_capacity(other.stages.len());
        let known = self.stages.len();
        for stage in &other.stages {
            let same = self.stages.iter().position(|seen| seen.node.id == stage.node.id);
            places.push(same.unwrap_or_else(|| {
                let up = stage.up.map(|up: usize| places[up]);
                self.stages.push(Surveyed { up, ..stage.clone() });
                self.stages.len() - 1
            }));
        }
        for edge in &other.edges {
            let (from, to) = (places[edge.from], places[edge.to]);
            // what flows into a stage was seen with it
            if to >= known {
                self.edges.push(Edge { from, to, ..edge.clone() });
            }
        }
        other.tip.map(|tip| places[tip])
    }

    /// Without what flows in from beside, which is pulled by others.
    pub(super) fn main_stream(mut self) -> Self {
        let mut left = 0;
        let places: Vec<usize> = self
            .stages
            .iter()
            .map(|stage| {
                left += usize::from(!stage.beside);
                left.saturating_sub(1)
            })
            .collect();
        self.stages.retain(|stage| !stage.beside);
        for stage in &mut self.stages {
            stage.up = stage.up.map(|up| places[up]);
        }
        self.tip = self.tip.map(|tip| places[tip]);
        self.edges.clear();
        self
    }

    pub(crate) fn graph(&self) -> Graph {
        // what flows in from beside was seen after the stage that it flows into
        let mut order = Vec::with_capacity(self.stages.len());
        (0..self.stages.len()).for_each(|i| self.put_below_upstream(i, &mut order));
        let place = |i| order.iter().position(|seen| *seen == i).unwrap_or(i);
        let edge = |edge: &Edge| Edge { from: place(edge.from), to: place(edge.to), ..edge.clone() };
        Graph {
            nodes: order.iter().map(|i| self.stages[*i].node.clone()).collect(),
            edges: self.edges.iter().map(edge).collect(),
        }
    }

    fn put_below_upstream(&self, i: usize, order: &mut Vec<usize>) {
        if order.contains(&i) {
            return;
        }
        self.edges.iter().filter(|edge| edge.to == i).for_each(|edge| self.put_below_upstream(edge.from, order));
        order.push(i);
    }
}

thread_local! {
    /// Pipelines that were asked for their length while somebody looks for them.
    static BESIDE: RefCell<Option<Vec<Survey>>> = const { RefCell::new(None) };
}

/// The pipelines in an iterator whose type says nothing of them: it is asked how many items it has, and so it asks them.
fn beside(iter: &impl Iterator) -> Vec<Survey> {
    let outer = BESIDE.replace(Some(Vec::new()));
    let _ = iter.size_hint();
    BESIDE.replace(outer).unwrap_or_default()
}

/// A pipeline is asked for its length.
pub(crate) fn passing<P: Pipe>(pipe: &P) {
    if BESIDE.with_borrow(|beside| beside.is_none()) {
        return;
    }
    // its own length it may ask others for
    let found = BESIDE.replace(None);
    let survey = Survey::of(pipe);
    BESIDE.set(found.map(|mut found| {
        found.push(survey);
        found
    }));
}

/// The name of a stage of the user's, until its type is known.
pub(crate) const OWN: &str = "stage";

/// What an order's or a marker's type is called, unless it was made by hand.
pub(crate) fn brand<B>() -> Option<&'static str> {
    Some(type_name::<B>()).filter(|name| *name != "()").map(last_segment)
}

/// `c` of `a::b::c<d::e>`.
fn last_segment(path: &'static str) -> &'static str {
    let path = without_arguments(path);
    path.rsplit("::").next().unwrap_or(path)
}

/// A type's name without its generic arguments.
fn without_arguments(path: &'static str) -> &'static str {
    if !path.ends_with('>') {
        return path;
    }
    let mut depth = 0;
    let start = path.rmatches(['<', '>']).zip(path.rmatch_indices(['<', '>'])).find_map(|(bracket, (at, _))| {
        depth += if bracket == ">" { 1 } else { -1 };
        (depth == 0).then_some(at)
    });
    start.map_or(path, |start| &path[..start])
}

/// The name of a function by that of its type; a closure and a pointer have none. A type that is a function of this crate's is
/// called as a function is.
fn function_name(name: &'static str) -> Option<String> {
    let exclusive = name.strip_prefix("tinypl::func::Exclusive<").and_then(|name| name.strip_suffix('>'));
    let name = exclusive.unwrap_or(name);
    let unnamed = last_segment(name).contains("{{") || name.starts_with(['&', '[', '(']);
    let pointer = ["fn(", "unsafe ", "extern ", "dyn ", "for<"].iter().any(|start| name.starts_with(start));
    let last = last_segment(name);
    let own = name.starts_with("tinypl::");
    (!unnamed && !pointer).then(|| if own { snake_case(last) } else { last.to_owned() })
}

/// `load_batch` for `LoadBatch`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_called_by_their_names() {
        let names = [
            ("train::decode", Some("decode")),
            ("train::scale<f32>", Some("scale")),
            ("train::scale<std::vec::Vec<f32>>", Some("scale")),
            ("core::str::<impl str>::len", Some("len")),
            ("<alloc::string::String as core::convert::From<&str>>::from", Some("from")),
            ("tinypl::func::Exclusive<train::decode>", Some("decode")),
            ("tinypl::func::Exclusive<train::main::{{closure}}>", None),
            ("train::main::{{closure}}", None),
            ("tinypl::dataloader::work::LoadSample<a::FromFn<a::main::{{closure}}>, b::R>", Some("load_sample")),
            ("fn(i32) -> i32", None),
            ("tinypl::dataloader::work::LoadBatch<a::B, c::D>", Some("load_batch")),
            ("&dyn core::ops::Fn(i32)", None),
        ];
        for (of_type, function) in names {
            assert_eq!(function_name(of_type).as_deref(), function, "{of_type}");
        }
    }
}
