//! What can be told from the block alone: names, arguments, who pulls whom, the flow of orders and markers.
//! `expand` then has nothing left to refuse.

use crate::ast::{Block, Chain, Source, Stage, bare};
use crate::bind::{self, Given};
use crate::flow::{self, Flow, Handles};
use crate::names::{did_you_mean, nearest};
use crate::vocabulary::{self, Guard, Handle, Pulls, Row};
use proc_macro2::Ident;
use syn::{Error, Expr, Result};

/// A block's chains, judged: the tracks' in their order, then the closing one.
pub(crate) struct Checked<'a> {
    pub(crate) tracks: Vec<Verdict<'a>>,
    pub(crate) closing: Option<Verdict<'a>>,
}

pub(crate) enum Verdict<'a> {
    Sound(Sound<'a>),
    /// Pulls from a track that failed: nothing more is to be said.
    Follows(&'a Ident),
    Failed(Error),
}

/// A chain without a mistake.
pub(crate) struct Sound<'a> {
    pub(crate) source: Origin<'a>,
    pub(crate) stages: Vec<Call<'a>>,
    pub(crate) sink: Option<Call<'a>>,
    /// A track that later chains pull from.
    pub(crate) shared: bool,
}

pub(crate) enum Origin<'a> {
    BuiltIn(Call<'a>),
    Track(&'a Ident),
    Value(&'a Expr, Puller),
}

/// A stage and what its arguments are for.
pub(crate) struct Call<'a> {
    pub(crate) stage: &'a Stage,
    /// `None`: an own stage.
    pub(crate) row: Option<&'static Row>,
    /// Of an own stage, none.
    pub(crate) given: Vec<Given<'a>>,
    pub(crate) puller: Puller,
    /// The runtime's checks that are needed.
    pub(crate) guards: Vec<Guard>,
}

/// Who pulls a stage.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Puller {
    /// One thread at a time.
    One,
    /// A queue's workers.
    Many,
    /// Whoever gets the pipeline: another block may put a queue below it.
    Open,
}

/// What is known of an earlier track.
struct Known<'a> {
    name: &'a Ident,
    state: State,
}

enum State {
    Stream(Flow),
    /// Ended by a sink: an ordinary value.
    Value,
    Failed,
}

struct Scope<'a> {
    tracks: Vec<Known<'a>>,
    handles: Handles,
}

pub(crate) fn block(block: &Block) -> Checked<'_> {
    let mut scope = Scope { tracks: Vec::new(), handles: Handles::new() };
    let mut tracks = Vec::new();
    for (place, track) in block.tracks.iter().enumerate() {
        let shared = is_pulled(block, place);
        let (verdict, state) = scope.chain(&track.chain, End::Track { shared });
        scope.tracks.push(Known { name: &track.name, state });
        tracks.push(verdict);
    }
    let closing = block.closing.as_ref().map(|chain| scope.chain(chain, End::Expression).0);
    let mut checked = Checked { tracks, closing };
    if checked.closing.is_some() && block.errors.is_empty() {
        checked.find_unloaded();
    }
    checked
}

/// Whether a later chain of the block names the track as what it pulls from.
fn is_pulled(block: &Block, place: usize) -> bool {
    let Some(name) = block.tracks.get(place).map(|track| &track.name) else {
        return false;
    };
    for track in block.tracks.iter().skip(place + 1) {
        if upstreams(&track.chain).contains(&name) {
            return true;
        }
        if track.name == *name {
            return false;
        }
    }
    block.closing.as_ref().is_some_and(|chain| upstreams(chain).contains(&name))
}

/// The names that a chain may pull from.
fn upstreams(chain: &Chain) -> Vec<&Ident> {
    let mut names: Vec<&Ident> = chain.source.iter().filter_map(Source::name).collect();
    for stage in &chain.stages {
        if vocabulary::stage(&stage.name()).is_some_and(|row| row.takes(vocabulary::Takes::Upstream)) {
            names.extend(stage.args.iter().filter_map(|arg| crate::ast::name_of(&arg.value)));
        }
    }
    names
}

enum End {
    Track { shared: bool },
    Expression,
}

impl<'a> Scope<'a> {
    /// Judges a chain, and says what a later one may know of it.
    fn chain(&mut self, chain: &'a Chain, end: End) -> (Verdict<'a>, State) {
        let mut errors = chain.errors.clone();
        let sound = self.sound(chain, &end, &mut errors);
        if let Some(error) = combine(errors) {
            return (Verdict::Failed(error), State::Failed);
        }
        match sound {
            Some((sound, flow)) => {
                let state = if sound.sink.is_some() { State::Value } else { State::Stream(flow) };
                (Verdict::Sound(sound), state)
            }
            None => match upstreams(chain).into_iter().find(|name| self.has_failed(name)) {
                Some(name) => (Verdict::Follows(name), State::Failed),
                // not reached: without a source there is an error
                None => (Verdict::Failed(Error::new(proc_macro2::Span::call_site(), "no source")), State::Failed),
            },
        }
    }

    /// `None` where nothing more can be told, because of an error or a failed track.
    fn sound(&mut self, chain: &'a Chain, end: &End, errors: &mut Vec<Error>) -> Option<(Sound<'a>, Flow)> {
        let ends_in_sink = Row::of(chain.stages.last()).is_some_and(Row::is_sink);
        let shared = matches!(end, End::Track { shared: true }) && !ends_in_sink;
        let last = if ends_in_sink || shared { Puller::One } else { Puller::Open };
        let mut pullers = pullers(&chain.stages, last).into_iter();
        let first = pullers.next().unwrap_or(last);

        let failed = upstreams(chain).into_iter().any(|name| self.has_failed(name));
        let source = chain.source.as_ref().and_then(|source| note(self.source(source, first), errors));
        if let Some((Origin::BuiltIn(Call { stage: Stage { bind: Some(name), .. }, row: Some(row), .. }), _)) = &source
        {
            self.handles.insert(name.to_string(), row);
        }
        let (source, flow) = source.map_or((None, None), |(source, flow)| (Some(source), Some(flow)));
        // below a piece that did not parse anything may pass
        let mut flow = flow.filter(|_| chain.errors.is_empty()).unwrap_or_else(Flow::unknown);

        let mut calls = Vec::new();
        for (place, (stage, puller)) in chain.stages.iter().zip(pullers).enumerate() {
            let is_last = place + 1 == chain.stages.len();
            match note(self.call(stage, puller, is_last), errors) {
                Some(call) => calls.push(self.pass(call, &mut flow, errors)),
                None => flow.pass_own(stage),
            }
        }
        let sink = calls.pop_if(|_| ends_in_sink);
        let sound = Sound { source: source.filter(|_| !failed)?, stages: calls, sink, shared };
        Some((sound, flow))
    }

    /// Lets the stream through the stage.
    fn pass(&mut self, mut call: Call<'a>, flow: &mut Flow, errors: &mut Vec<Error>) -> Call<'a> {
        let Some(row) = call.row else {
            flow.pass_own(call.stage);
            return call;
        };
        let guards = flow.pass(call.stage, row, &call.given, &self.handles);
        call.guards = note(guards, errors).unwrap_or_default();
        if let Some(name) = &call.stage.bind {
            self.handles.insert(name.to_string(), row);
        }
        call
    }

    fn source(&self, source: &'a Source, puller: Puller) -> Result<(Origin<'a>, Flow)> {
        match source {
            Source::BuiltIn(stage) => {
                if !vocabulary::is_source(&stage.name()) {
                    let known = vocabulary::SOURCES.iter().map(|row| row.name);
                    let hint = did_you_mean(&stage.name(), known, String::new);
                    return Err(Error::new(stage.at(), format!("unknown source `{}`{hint}", stage.name())));
                }
                let row = bind::overload(stage, vocabulary::sources(&stage.name()))?;
                let (call, mut flow) = (self.built_in(stage, row, puller)?, Flow::default());
                flow.pass(stage, row, &call.given, &self.handles)?;
                Ok((Origin::BuiltIn(call), flow))
            }
            Source::Value(value) => Ok(match source.name().and_then(|name| Some((name, self.track(name)?))) {
                Some((name, Known { state: State::Stream(flow), .. })) => (Origin::Track(name), flow.clone()),
                _ => {
                    let plain = matches!(bare(value), Expr::Range(_) | Expr::Array(_));
                    (Origin::Value(value, puller), if plain { Flow::default() } else { Flow::unknown() })
                }
            }),
        }
    }

    fn call(&self, stage: &'a Stage, puller: Puller, is_last: bool) -> Result<Call<'a>> {
        let name = stage.name();
        if let Some(row) = vocabulary::sink(&name) {
            if !is_last {
                return Err(Error::new_spanned(&stage.path, format!("`{name}` ends a chain: nothing can follow it")));
            }
            return self.built_in(stage, row, puller);
        }
        if let Some(row) = vocabulary::stage(&name) {
            return self.built_in(stage, row, puller);
        }
        if vocabulary::is_source(&name) {
            return Err(Error::new_spanned(&stage.path, format!("`{name}` is a source: it stands first in its chain")));
        }
        unknown(stage, &name)?;
        bind::own(stage)?;
        Ok(Call { stage, row: None, given: Vec::new(), puller, guards: Vec::new() })
    }

    fn built_in(&self, stage: &'a Stage, row: &'static Row, puller: Puller) -> Result<Call<'a>> {
        if let Some(bind) = stage.bind.as_ref().filter(|_| row.handle == Handle::No) {
            return Err(Error::new(bind.span(), format!("`{}` has no handle to bind", row.name)));
        }
        let is_track = |name: &Ident| self.track(name).is_some_and(|known| matches!(known.state, State::Stream(_)));
        Ok(Call { stage, row: Some(row), given: bind::built_in(stage, row, is_track)?, puller, guards: Vec::new() })
    }

    /// The latest track of that name.
    fn track(&self, name: &Ident) -> Option<&Known<'a>> {
        self.tracks.iter().rev().find(|known| known.name == name)
    }

    fn has_failed(&self, name: &Ident) -> bool {
        self.track(name).is_some_and(|known| matches!(known.state, State::Failed))
    }
}

impl Row {
    fn of(stage: Option<&Stage>) -> Option<&'static Row> {
        let name = stage?.name();
        vocabulary::sink(&name).or_else(|| vocabulary::stage(&name))
    }

    fn is_sink(&self) -> bool {
        vocabulary::sink(self.name).is_some()
    }
}

impl Call<'_> {
    /// The name for its handle. Of an own stage any may have one.
    pub(crate) fn bound(&self) -> Option<&Ident> {
        self.stage.bind.as_ref()
    }
}

/// Who pulls the source and each stage, from the end upwards: a queue's workers, until a stage that pulls alone. An
/// own stage is taken for one that lets through, since most do.
fn pullers(stages: &[Stage], last: Puller) -> Vec<Puller> {
    let mut pullers = vec![last];
    let mut puller = last;
    for stage in stages.iter().rev() {
        match Row::of(Some(stage)).map(|row| row.pulls) {
            Some(Pulls::Alone) => puller = Puller::One,
            Some(Pulls::Many) => puller = Puller::Many,
            Some(Pulls::Through) | None => {}
        }
        pullers.push(puller);
    }
    pullers.reverse();
    pullers
}

/// A path in one of the language's own spaces that the vocabulary doesn't know.
fn unknown(stage: &Stage, name: &str) -> Result<()> {
    let Some((space, last)) = name.split_once("::") else {
        return Ok(());
    };
    if !vocabulary::SPACES.contains(&space) {
        return Ok(());
    }
    let inside = |row: &Row| row.name.split_once("::").filter(|parts| parts.0 == space).map(|parts| parts.1);
    let known: Vec<&str> = vocabulary::STAGES.iter().filter_map(inside).collect();
    let others = vocabulary::STAGES.iter().filter_map(|row| row.name.split_once("::"));
    let other = || others.clone().find(|other| nearest(last, [other.1]).is_some());
    let hint = match (nearest(last, known.iter().copied()), other(), known.is_empty()) {
        (Some(near), ..) => format!(": did you mean `{space}::{near}`?"),
        (None, Some((space, near)), _) => format!(": did you mean `{space}::{near}`?"),
        (None, None, true) => String::new(),
        (None, None, false) => format!(": `{space}` has `{}`", known.join("`, `")),
    };
    Err(Error::new(stage.at(), format!("unknown stage `{name}`{hint}")))
}

impl Checked<'_> {
    /// An order that an expression block saves and doesn't load: nobody else can.
    fn find_unloaded(&mut self) {
        let all = || self.tracks.iter().chain(&self.closing);
        if !all().all(|verdict| matches!(verdict, Verdict::Sound(_))) {
            return;
        }
        let mut unloaded = Vec::<(usize, &Ident)>::new();
        for (place, verdict) in all().enumerate() {
            for call in verdict.calls() {
                // a load above a save of the same name is another order's
                let loaded = flow::loads(call.stage, call.row);
                unloaded.retain(|(_, name)| !loaded.contains(&name.to_string()));
                let saves = call.row.is_some_and(|row| row.handle == Handle::Order);
                unloaded.extend(call.stage.bind.iter().filter(|_| saves).map(|name| (place, name)));
            }
        }
        // the first of each chain
        unloaded.dedup_by_key(|(place, _)| *place);
        let error = |name: &Ident| {
            Error::new(name.span(), format!("the order `{name}` is never loaded: add `|> order::load({name})`"))
        };
        let errors: Vec<_> = unloaded.into_iter().map(|(place, name)| (place, error(name))).collect();
        for (place, error) in errors {
            if let Some(verdict) = self.tracks.iter_mut().chain(&mut self.closing).nth(place) {
                *verdict = Verdict::Failed(error);
            }
        }
    }
}

impl<'a> Verdict<'a> {
    fn calls(&self) -> impl Iterator<Item = &Call<'a>> {
        let stages = match self {
            Verdict::Sound(sound) => sound.stages.as_slice(),
            Verdict::Follows(_) | Verdict::Failed(_) => &[],
        };
        stages.iter()
    }
}

fn note<T>(result: Result<T>, errors: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// All errors as one; `None` if there are none.
pub(crate) fn combine(errors: impl IntoIterator<Item = Error>) -> Option<Error> {
    errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    })
}
