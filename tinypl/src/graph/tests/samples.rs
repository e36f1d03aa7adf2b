//! Graphs, as pipelines would give them. Their places in the source are lines of this file.
use super::super::{Edge, Graph, Kind, Node};
use std::panic::Location;

/// A stage without a name of its own.
#[track_caller]
pub(super) fn stage(kind: Kind, name: &'static str) -> Node {
    Node { id: 0, kind, name, function: None, handle: None, options: Vec::new(), location: Location::caller() }
}

impl Node {
    fn calls(self, function: &str) -> Node {
        Node { function: Some(function.to_owned()), ..self }
    }

    fn named(self, handle: &str) -> Node {
        Node { handle: Some(handle.to_owned()), ..self }
    }

    fn with(mut self, option: &'static str, value: impl ToString) -> Node {
        self.options.push((option, value.to_string()));
        self
    }
}

impl Graph {
    /// The number of the new stage, which is its id, too.
    pub(super) fn add(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { id: u64::try_from(at).expect("a small graph"), ..node });
        at
    }

    pub(super) fn join(&mut self, from: usize, to: usize) -> &mut Edge {
        self.edges.push(Edge { from, to, orders: Vec::new(), markers: Vec::new() });
        self.edges.last_mut().expect("it was pushed")
    }

    /// A new stage below another; it carries what came to that one.
    pub(super) fn below(&mut self, up: usize, node: Node) -> usize {
        let carried = self.edges.iter().rfind(|edge| edge.to == up).cloned();
        let at = self.add(node);
        let edge = self.join(up, at);
        if let Some(carried) = carried {
            *edge = Edge { from: up, to: at, ..carried };
        }
        at
    }

    fn last_edge(&mut self) -> &mut Edge {
        self.edges.last_mut().expect("there is one")
    }

    fn save(&mut self, up: usize, name: &str, maxsize: usize) -> usize {
        let node = stage(Kind::Order, "order::save").named(name).with("maxsize", maxsize);
        self.below(up, node)
    }

    /// A stage below a place where an order begins.
    fn within(&mut self, save: usize, order: &str, node: Node) -> usize {
        let at = self.below(save, node);
        self.last_edge().orders.push(order.to_owned());
        at
    }

    fn load(&mut self, up: usize) -> usize {
        self.below(up, stage(Kind::Order, "order::load"))
    }
}

/// All of them, with the names of their files.
pub(super) fn all() -> Vec<(&'static str, Graph)> {
    vec![
        ("empty", Graph::default()),
        ("chain", chain()),
        ("threads_and_orders", threads_and_orders()),
        ("markers", markers()),
        ("tracks", tracks()),
        ("diamond", diamond()),
        ("merged", merged()),
        ("hostile", hostile()),
    ]
}

pub(super) fn chain() -> Graph {
    let mut graph = Graph::default();
    let range = graph.add(stage(Kind::Source, "range").with("end", 100));
    let map = graph.below(range, stage(Kind::Stage, "map").calls("triple"));
    graph.below(map, stage(Kind::Stage, "partition").with("n", 2));
    graph
}

pub(super) fn threads_and_orders() -> Graph {
    let mut graph = Graph::default();
    let source = graph.add(stage(Kind::Source, "source"));
    let filter = graph.below(source, stage(Kind::Stage, "filter").calls("is_image"));
    let outer = graph.save(filter, "outer", 64);
    let read = stage(Kind::WorkerThreads, "thread::map").calls("std::fs::read").with("workers", 4).with("maxsize", 32);
    let read = graph.within(outer, "outer", read);
    let inner = graph.save(read, "inner", 8);
    let decode = (stage(Kind::WorkerProcesses, "process::map").calls("decode"))
        .named("decoders")
        .with("workers", 2)
        .with("maxsize", 16)
        .with("input_maxsize", 8)
        .with("item_timeout", "2s")
        .with("on_worker_error", "forward")
        .with("on_death", "retry(3)");
    let decode = graph.within(inner, "inner", decode);
    let keep = graph.below(decode, stage(Kind::Stage, "filter_map"));
    let inner = graph.load(keep);
    let resize = graph.below(inner, stage(Kind::WorkerThreads, "thread::map").calls("resize").with("workers", 4));
    graph.last_edge().orders.pop();
    let outer = graph.load(resize);
    let enumerate = graph.below(outer, stage(Kind::Stage, "enumerate"));
    graph.last_edge().orders.pop();
    graph.below(enumerate, stage(Kind::WorkerThreads, "thread::queue").named("q").with("workers", 1));
    graph
}

fn markers() -> Graph {
    let mut graph = Graph::default();
    let range = graph.add(stage(Kind::Source, "range").with("start", 0).with("end", 1000));
    let insert = graph.below(range, stage(Kind::Marker, "marker::insert_periodic").named("hundred").with("n", 100));
    let filter = graph.below(insert, stage(Kind::Stage, "filter"));
    graph.last_edge().markers.push("hundred".to_owned());
    let unnamed = graph.below(filter, stage(Kind::Marker, "marker::insert_periodic").with("n", 7).with("after", false));
    let save = graph.save(unnamed, "o", 16);
    graph.last_edge().markers.push("marker".to_owned());
    let map = graph.within(save, "o", stage(Kind::WorkerThreads, "thread::map").with("workers", 2));
    let load = graph.load(map);
    let on = graph.below(load, stage(Kind::Marker, "marker::on").with("consume", true));
    graph.last_edge().orders.clear();
    graph.below(on, stage(Kind::Stage, "partition").with("n", 3));
    graph.last_edge().markers.clear();
    graph
}

/// Three ways from a place, one of which goes on.
pub(super) fn tracks() -> Graph {
    let mut graph = Graph::default();
    let range = graph.add(stage(Kind::Source, "range").with("end", 100));
    let map = graph.below(range, stage(Kind::WorkerThreads, "thread::map").calls("normalise").with("workers", 4));
    let share = graph.below(map, stage(Kind::Shared, "share").named("mapped"));
    graph.below(share, stage(Kind::Stage, "filter").named("odd"));
    graph.below(share, stage(Kind::Stage, "filter").named("even"));
    let third = graph.below(share, stage(Kind::Stage, "ratelimit").with("num", 10).with("period", "1s"));
    let taken = graph.below(third, stage(Kind::Stage, "take").with("n", 20));
    graph.below(taken, stage(Kind::Stage, "enumerate").named("some"));
    graph
}

/// Two ways that meet again, and a second source beside them.
pub(super) fn diamond() -> Graph {
    let mut graph = Graph::default();
    let lines = graph.add(stage(Kind::Source, "source"));
    let share = graph.below(lines, stage(Kind::Shared, "share").named("lines"));
    let words = graph.below(share, stage(Kind::Stage, "map").calls("words"));
    let flat = graph.below(words, stage(Kind::Stage, "flatten"));
    let lengths = graph.below(share, stage(Kind::WorkerThreads, "thread::map").calls("str::len").with("workers", 2));
    let zip = graph.below(flat, stage(Kind::Stage, "zip"));
    graph.join(lengths, zip);
    let more = graph.add(stage(Kind::Source, "range"));
    let chain = graph.below(zip, stage(Kind::Stage, "chain"));
    graph.join(more, chain);
    let selfzip = graph.below(chain, stage(Kind::Shared, "share").named("all"));
    let pairs = graph.below(selfzip, stage(Kind::Stage, "zip"));
    graph.join(selfzip, pairs);
    graph.join(share, pairs);
    graph
}

/// What two tracks say of themselves, put together.
fn merged() -> Graph {
    let mut one = Graph::default();
    let range = one.add(stage(Kind::Source, "range").with("end", 6));
    one.below(range, stage(Kind::Shared, "share").named("numbers"));
    let mut other = one.clone();
    let odd = one.below(1, stage(Kind::Stage, "filter").named("odd"));
    one.below(odd, stage(Kind::Stage, "map"));
    let pairs = other.below(1, stage(Kind::Stage, "zip").named("pairs"));
    other.join(1, pairs);
    other.nodes[pairs].id = 99;
    one.merge(other)
}

/// Names and values that every syntax could take for its own.
fn hostile() -> Graph {
    let mut graph = Graph::default();
    let source = graph.add(
        stage(Kind::Source, "source").calls("<impl Iterator<Item = &'static str> as \"quoted\" | piped>::next").with(
            "text",
            "line one\nline two\r\n\ttabbed; </text>]]><script>alert(1)</script> &amp; #quot; #35; %%{init: {}}%%",
        ),
    );
    let print = graph.below(
        source,
        stage(Kind::Stage, "debug::print_on_item")
            .with("msg", "**bold** _it_ `code` ~~no~~ $$x$$ \\n \\N \\l \\")
            .with("to", ""),
    );
    graph.last_edge().orders.extend([
        "order".to_owned(),
        "a|b\"c".to_owned(),
        "nested_with_a_rather_long_name".to_owned(),
    ]);
    graph.last_edge().markers.extend([
        "<m>".to_owned(),
        "größer".to_owned(),
        "宽字符".to_owned(),
        "🦀\u{202e}rtl".to_owned(),
    ]);
    let wide = stage(Kind::WorkerThreads, "thread::map")
        .calls("数据::处理::解码器")
        .named("r#end")
        .with("label", "🎉🎉 e\u{301}clair \u{0}\u{7}");
    let wide = graph.below(print, wide);
    let links = stage(Kind::WorkerProcesses, "process::map_with")
        .calls(&"a_module::".repeat(9))
        .with("url", "https://example.org/fa:fa-car?x=1&y=2")
        .with("style", "style::x:#fff; classDef a fill:#000;")
        .with("long", "x".repeat(300));
    graph.below(wide, links);
    graph.last_edge().orders.clear();
    graph
}
