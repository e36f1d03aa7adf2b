//! A report as a table.
#[cfg(feature = "watch")]
mod fitted;

use super::report::{Fill, Report, StageReport, Times, part};

/// The columns' heads. All but the first two are numbers; the one without a head is a bar for the one before.
const HEAD: [&str; 13] =
    ["stage", "at", "in", "out", "out/s", "busy", "", "input", "room", "fill", "workers", "restarts", "errors"];

const GAP: &str = "  ";

/// What stands behind the name of a stage that did.
const FAILED: &str = " FAILED";

type Row = [String; HEAD.len()];

/// A column that is shown: which, and how wide.
type Column = (usize, usize);

/// The head, the stages, and whoever pulls.
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn of(report: &Report) -> Self {
        let stages = report.stages.iter().map(|stage| row(stage, report));
        Self { rows: [head()].into_iter().chain(stages).chain([puller(report)]).collect() }
    }

    /// All that it says.
    pub(super) fn lines(&self) -> Vec<String> {
        self.print(&self.columns())
    }

    /// Those in which anything stands, as wide as that.
    fn columns(&self) -> Vec<Column> {
        let says_something = |column: &usize| self.rows[1..].iter().any(|row| !row[*column].is_empty());
        (0..HEAD.len()).filter(says_something).map(|column| (column, self.width(column))).collect()
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().map(|row| width(&row[column])).max().unwrap_or(0)
    }

    fn print(&self, columns: &[Column]) -> Vec<String> {
        let line = |row: &Row| {
            let cells: Vec<_> = columns.iter().map(|(i, width)| aligned(*i, &row[*i], *width)).collect();
            cells.join(GAP).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

fn head() -> Row {
    HEAD.map(str::to_owned)
}

fn row(stage: &StageReport, report: &Report) -> Row {
    let [busy, input, room] = parts(&stage.times, report, stage.threads, stage.workers.is_some());
    [
        name(stage),
        stage.place(),
        stage.items_in.to_string(),
        stage.items_out.to_string(),
        rate(stage.per_second),
        busy,
        String::new(),
        input,
        room,
        stage.fill.map_or(String::new(), of),
        stage.workers.map_or(String::new(), of),
        some(stage.restarts),
        // of the one that it failed with its name tells
        some(if stage.failed && stage.errors == 1 { 0 } else { stage.errors }),
    ]
}

/// A number that most stages don't have.
fn some(n: u64) -> String {
    if n > 0 { n.to_string() } else { String::new() }
}

fn name(stage: &StageReport) -> String {
    let handle = stage.handle.as_ref().map_or(String::new(), |handle| format!("{handle} @ "));
    let function = stage.function.as_ref().map_or(String::new(), |function| format!(" {function}"));
    let failed = if stage.failed { FAILED } else { "" };
    format!("{handle}{}{function}{failed}", stage.name)
}

fn puller(report: &Report) -> Row {
    let mut row = Row::default();
    row[0] = "who pulls".to_owned();
    let parts = parts(&report.consumer, report, 1, true);
    for (head, part) in ["busy", "input", "room"].into_iter().zip(parts) {
        row[column(head)] = part;
    }
    row
}

fn column(head: &str) -> usize {
    HEAD.iter().position(|other| *other == head).expect("it is one of them")
}

/// Parts of the threads' time. Who has none of its own waits as others do.
fn parts(times: &Times, report: &Report, threads: usize, waits: bool) -> [String; 3] {
    let part = |time| percent(part(time, report.elapsed, threads));
    let wait = |time| if waits { part(time) } else { String::new() };
    [part(times.busy), wait(times.waiting_for_input), wait(times.waiting_for_room)]
}

fn percent(part: f64) -> String {
    format!("{:.0} %", 100.0 * part)
}

fn of(fill: Fill) -> String {
    format!("{}/{}", fill.now, fill.of)
}

/// Three digits, and what they count.
pub(super) fn rate(per_second: f64) -> String {
    let (number, unit) = match per_second {
        0.0..1e3 => (per_second, ""),
        1e3..1e6 => (per_second / 1e3, " k"),
        1e6..1e9 => (per_second / 1e6, " M"),
        _ => (per_second / 1e9, " G"),
    };
    let decimals = match number {
        0.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}{unit}")
}

fn aligned(column: usize, cell: &str, room: usize) -> String {
    let blank = " ".repeat(room.saturating_sub(width(cell)));
    if column < 2 { format!("{cell}{blank}") } else { format!("{blank}{cell}") }
}

/// How many characters of a terminal it takes. Only there it matters that some letters take two.
fn width(text: &str) -> usize {
    #[cfg(feature = "watch")]
    return console::measure_text_width(text);
    #[cfg(not(feature = "watch"))]
    text.chars().count()
}
