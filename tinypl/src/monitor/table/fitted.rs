//! A table that fits into a terminal: columns and rows that matter least are left out, long names cut.
use super::{Column, FAILED, GAP, HEAD, Row, Table, column, head, percent, puller, row};
use crate::monitor::report::{Report, StageReport, part};
use console::truncate_str;
use std::cmp::Ordering;

/// Where there is no room for all columns, they are left out in this order; the first one stays.
const LEAST_FIRST: [&str; HEAD.len() - 1] =
    ["in", "at", "workers", "", "room", "input", "restarts", "errors", "fill", "out", "out/s", "busy"];

/// The first column is cut to this width before another one is left out.
const NAME: usize = 24;

/// How many characters a bar has.
const BAR: usize = 10;

impl Table {
    /// With bars, and in about so many lines: if there are more stages, those that matter least share one.
    pub(in crate::monitor) fn short(report: &Report, lines: usize) -> Self {
        let shown = busiest(report, lines.saturating_sub(2));
        let mut rows = vec![head()];
        for i in &shown {
            let stage = &report.stages[*i];
            rows.push(with_bar(row(stage, report), load(stage, report)));
        }
        if shown.len() < report.stages.len() {
            rows.push(others(report, &shown));
        }
        rows.push(with_bar(puller(report), part(report.consumer.busy, report.elapsed, 1)));
        Self { rows }
    }

    /// In lines of at most this width.
    pub(in crate::monitor) fn fitted(mut self, room: usize) -> Vec<String> {
        let mut columns = self.columns();
        for head in LEAST_FIRST {
            let surplus = total(&columns).saturating_sub(room);
            let name = &mut columns[0].1;
            if surplus == 0 || *name >= NAME + surplus {
                *name -= surplus;
                break;
            }
            columns.retain(|(column, _)| HEAD[*column] != head);
        }
        columns[0].1 = columns[0].1.min(room);
        for row in &mut self.rows {
            row[0] = cut(&row[0], columns[0].1);
        }
        self.print(&columns)
    }
}

/// A name that is too long is cut; that its stage failed is still told.
fn cut(name: &str, room: usize) -> String {
    match name.strip_suffix(FAILED) {
        Some(stage) if room > FAILED.len() => truncate_str(stage, room - FAILED.len(), "…").into_owned() + FAILED,
        _ => truncate_str(name, room, "…").into_owned(),
    }
}

fn total(columns: &[Column]) -> usize {
    columns.iter().map(|(_, width)| width + GAP.len()).sum::<usize>() - GAP.len()
}

/// Which stages are shown where there is room for so many: those with workers of their own, and the busiest.
fn busiest(report: &Report, room: usize) -> Vec<usize> {
    let mut stages: Vec<usize> = (0..report.stages.len()).collect();
    if stages.len() > room {
        stages.sort_by(|a, b| {
            let rank = |i: &usize| (report.stages[*i].workers.is_some(), load(&report.stages[*i], report));
            rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal)
        });
        // the last line is for the others
        stages.truncate(room.saturating_sub(1));
        stages.sort();
    }
    stages
}

fn load(stage: &StageReport, report: &Report) -> f64 {
    part(stage.times.busy, report.elapsed, stage.threads)
}

/// What stands for the stages that are not shown.
fn others(report: &Report, shown: &[usize]) -> Row {
    let mut row = Row::default();
    let hidden = report.stages.iter().enumerate().filter(|(i, _)| !shown.contains(i));
    let loads: Vec<f64> = hidden.map(|(_, stage)| load(stage, report)).collect();
    row[0] = format!("… {} more", loads.len());
    row[column("busy")] = format!("≤ {}", percent(loads.into_iter().fold(0.0, f64::max)));
    row
}

fn with_bar(mut row: Row, part: f64) -> Row {
    let full = ((part * BAR as f64).round() as usize).min(BAR);
    row[column("")] = "█".repeat(full) + &"░".repeat(BAR - full);
    row
}
