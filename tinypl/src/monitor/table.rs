//! A report as a table.
use super::report::{Fill, Report, Times};
use std::fmt;
use std::time::Duration;

/// The columns; all but the first two are numbers.
const HEAD: [&str; 11] = ["stage", "at", "in", "out", "out/s", "busy", "input", "room", "fill", "workers", "restarts"];

pub(super) fn write(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let rows = rows(report);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    // a column in which nothing stands is left out
    let shown = |column: &usize| rows[1..].iter().any(|row| !row[*column].is_empty());
    let columns: Vec<(usize, usize)> = (0..HEAD.len()).filter(shown).map(|column| (column, width(column))).collect();
    for (i, row) in rows.iter().enumerate() {
        let cells = columns.iter().map(|(column, width)| match column {
            0 | 1 => format!("{:<width$}", row[*column]),
            _ => format!("{:>width$}", row[*column]),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        write!(f, "{}{}", if i == 0 { "" } else { "\n" }, line.trim_end())?;
    }
    Ok(())
}

/// The head, the stages, and whoever pulls.
fn rows(report: &Report) -> Vec<[String; 11]> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for stage in &report.stages {
        let threads = stage.workers.map_or(1, |workers| workers.of);
        let name = match &stage.function {
            Some(function) => format!("{} {function}", stage.name),
            None => stage.name.clone(),
        };
        let [busy, input, room] = parts(&stage.times, report.elapsed, threads, stage.workers.is_some());
        rows.push([
            match &stage.handle {
                Some(handle) => format!("{handle} @ {name}"),
                None => name,
            },
            stage.place(),
            stage.items_in.to_string(),
            stage.items_out.to_string(),
            rate(stage.per_second),
            busy,
            input,
            room,
            stage.fill.map_or(String::new(), of),
            stage.workers.map_or(String::new(), of),
            if stage.restarts > 0 { stage.restarts.to_string() } else { String::new() },
        ]);
        if stage.errors > 0
            && let Some(row) = rows.last_mut()
        {
            row[0].push_str(" FAILED");
        }
    }
    let [busy, input, room] = parts(&report.consumer, report.elapsed, 1, true);
    let mut last = [const { String::new() }; 11];
    (last[0], last[5], last[6], last[7]) = ("who pulls".to_owned(), busy, input, room);
    rows.push(last);
    rows
}

/// Parts of the threads' time. Who has none of its own waits as others do.
fn parts(times: &Times, elapsed: Duration, threads: usize, waits: bool) -> [String; 3] {
    let all = elapsed.as_secs_f64() * threads as f64;
    let part = |time: Duration| format!("{:.0} %", if all > 0.0 { 100.0 * time.as_secs_f64() / all } else { 0.0 });
    let wait = |time| if waits { part(time) } else { String::new() };
    [part(times.busy), wait(times.waiting_for_input), wait(times.waiting_for_room)]
}

fn of(fill: Fill) -> String {
    format!("{}/{}", fill.now, fill.of)
}

/// Three digits, and what they count.
fn rate(per_second: f64) -> String {
    match per_second {
        0.0..10.0 => format!("{per_second:.2}"),
        10.0..100.0 => format!("{per_second:.1}"),
        100.0..10e3 => format!("{per_second:.0}"),
        10e3..10e6 => format!("{:.0} k", per_second / 1e3),
        _ => format!("{:.0} M", per_second / 1e6),
    }
}
