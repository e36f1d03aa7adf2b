//! The picture as a [Mermaid](https://mermaid.js.org/syntax/flowchart.html) flowchart.
use super::label::{Lines, carried};
use super::theme::INK;
use super::{Graph, Kind, Node};
use std::fmt;

/// Lines are broken already: Mermaid itself would do so after 200 pixels, in the midst of an option.
const HEADER: &str = r#"%%{init: {"flowchart": {"wrappingWidth": 500}}}%%
flowchart TB
"#;

impl Graph {
    /// The picture as a Mermaid flowchart, which GitHub, GitLab and many editors draw in a block of Markdown.
    ///
    /// A node shows what was written: handle, name, function, options, and the place in the source; an edge the orders
    /// and markers that pass. The same graph gives the same text.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let pipe = pipeline! { range(9) |> map(|x| x + 1) };
    /// let text = pipe.graph().to_mermaid();
    /// assert!(text.contains("flowchart TB\n"));
    /// assert!(text.contains("n0 --> n1"));
    /// ```
    pub fn to_mermaid(&self) -> String {
        self.to_string()
    }
}

/// As [`Graph::to_mermaid`].
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (at, node) in self.nodes.iter().enumerate() {
            let (open, close) = shape(node.kind);
            writeln!(f, "    n{at}{open}\"{}\"{close}:::{}", text(node), class(node.kind))?;
        }
        for edge in &self.edges {
            let carried = carried(edge);
            let label = if carried.is_empty() { String::new() } else { format!("|\"{}\"|", broken_lines(&carried)) };
            writeln!(f, "    n{} -->{label} n{}", edge.from, edge.to)?;
        }
        let used = Kind::ALL.into_iter().filter(|kind| self.nodes.iter().any(|node| node.kind == *kind));
        for kind in used {
            let tint = kind.tint();
            let class = class(kind);
            writeln!(f, "    classDef {class} fill:{},stroke:{},color:{INK}", tint.fill, tint.stroke)?;
        }
        Ok(())
    }
}

fn shape(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Source => ("(", ")"),
        Kind::Stage => ("[", "]"),
        Kind::WorkerThreads | Kind::WorkerProcesses => ("[[", "]]"),
        Kind::Order => ("[/", "/]"),
        Kind::Marker => (">", "]"),
        Kind::Shared => ("{{", "}}"),
    }
}

/// Mermaid has classes of its own: its arrows' heads are of `marker`.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Source => "tinypl_source",
        Kind::Stage => "tinypl_stage",
        Kind::WorkerThreads => "tinypl_threads",
        Kind::WorkerProcesses => "tinypl_processes",
        Kind::Order => "tinypl_order",
        Kind::Marker => "tinypl_marker",
        Kind::Shared => "tinypl_share",
    }
}

fn text(node: &Node) -> String {
    broken_lines(&Lines::of(node).iter().map(str::to_owned).collect::<Vec<_>>())
}

fn broken_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

/// Mermaid reads a label as a quoted string, then as Markdown, then as HTML: whatever one of them could take for its own
/// becomes an entity, which it writes with `#`.
fn escaped(line: &str) -> String {
    let line = split(line);
    let mut label = String::with_capacity(line.len());
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let after = line[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        match c {
            '"' | '#' | '&' | '<' | '>' | '\\' | '`' | '*' | '~' | '%' | '|' => entity(&mut label, c),
            // emphasis, but for that within a name
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => entity(&mut label, c),
            // a link
            ':' if after == '/' => entity(&mut label, c),
            _ => label.push(c),
        }
        before = c;
    }
    label
}

/// What is looked for before entities are read, or after: a space without width keeps it apart.
fn split(line: &str) -> String {
    // a line break, a formula, an icon, and two statements, whose line loses its last semicolon
    let words = [("\\n", 1), ("$", 1), (":fa-", 1), ("style", 3), ("classDef", 5)];
    words.into_iter().fold(line.to_owned(), |line, (word, at)| {
        let (start, end) = word.split_at(at);
        line.replace(word, &format!("{start}\u{200b}{end}"))
    })
}

fn entity(label: &mut String, c: char) {
    label.push_str(&format!("#{};", u32::from(c)));
}
