//! The picture in [DOT](https://graphviz.org/doc/info/lang.html), the language of Graphviz.
use super::label::{Lines, carried};
use super::theme::INK;
use super::{Edge, Graph, Kind, Node};
use std::fmt::Write;

impl Graph {
    /// The picture in DOT, for Graphviz and whatever else reads it. The same graph gives the same text.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let pipe = pipeline! { range(9) |> map(|x| x + 1) };
    /// let text = pipe.graph().to_dot();
    /// assert!(text.starts_with("digraph pipeline {\n"));
    /// assert!(text.contains("n0 -> n1;"));
    /// ```
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph pipeline {\n");
        // A `String` takes whatever is written. Of Courier every Graphviz knows the widths, with or without the font.
        let text = format!("fontname=\"Courier\", fontcolor=\"{INK}\"");
        let _ = writeln!(dot, "    node [shape=box, style=\"rounded,filled\", margin=\"0.2,0.1\", {text}];");
        let _ = writeln!(dot, "    edge [color=\"#6e7781\", fontsize=11, {text}];");
        for (at, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(dot, "    n{at} [{}];", attributes(node));
        }
        for edge in &self.edges {
            let _ = writeln!(dot, "    n{} -> n{}{};", edge.from, edge.to, label(edge));
        }
        dot.push_str("}\n");
        dot
    }
}

fn attributes(node: &Node) -> String {
    let text: String = Lines::of(node).iter().map(|line| escaped(line) + r"\l").collect();
    let tint = node.kind.tint();
    let several = match node.kind {
        Kind::WorkerThreads | Kind::WorkerProcesses => ", peripheries=2",
        Kind::Source | Kind::Stage | Kind::Order | Kind::Marker | Kind::Shared => "",
    };
    format!("label=\"{text}\", fillcolor=\"{}\", color=\"{}\"{several}", tint.fill, tint.stroke)
}

fn label(edge: &Edge) -> String {
    let carried = carried(edge);
    if carried.is_empty() {
        return String::new();
    }
    // it stands beside the edge, close to it
    let text: String = carried.iter().map(|line| format!(" {}\\l", escaped(line))).collect();
    format!(" [label=\"{text}\"]")
}

/// Within quotes a backslash begins an escape, and `&` an entity of HTML.
fn escaped(line: &str) -> String {
    line.replace('\\', r"\\").replace('"', r#"\""#).replace('&', "&amp;")
}
