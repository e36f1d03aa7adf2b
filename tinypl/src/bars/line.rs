//! What a bar's line says, so that it fits the terminal.
use super::Bar;
use console::{Term, measure_text_width, truncate_str};
use indicatif::{FormattedDuration, HumanCount, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::time::Duration;

/// A bar whose length is known: `label █████░░░░░ 57/100  18.4/s  ETA 2 s`; else `label ⠋ 57  18.4/s  3 s`.
pub(super) fn style(is_known: bool) -> ProgressStyle {
    let template = if is_known { "{label}{wide_bar} {figures}" } else { "{label}{spinner} {figures}" };
    let style = ProgressStyle::with_template(template).expect("the template is right");
    style.with_key("figures", |state: &ProgressState, to: &mut dyn Write| {
        let _ = to.write_str(&figures(state, width()));
    })
}

/// The same, with the label as far as there is room for it.
pub(super) fn labelled(style: ProgressStyle, bar: &Bar) -> ProgressStyle {
    let label = bar.label().to_owned();
    style.with_key("label", move |state: &ProgressState, to: &mut dyn Write| {
        let width = width();
        // a blank behind the label, another one before the figures, and a place for the spinner
        let room = width.saturating_sub(measure_text_width(&figures(state, width)) + 3).min(width / 3);
        let label = truncate_str(&label, room, "…");
        if room > 1 && !label.is_empty() {
            let _ = write!(to, "{label} ");
        }
    })
}

/// What stays when a bar is over.
pub(super) fn last(bar: &Bar) -> String {
    let (n, elapsed) = (bar.position(), bar.elapsed());
    let rate = rate(n as f64 / elapsed.as_secs_f64());
    let label = bar.label();
    let label = if label.is_empty() { String::new() } else { format!("{label}: ") };
    let count = match bar.len() {
        Some(len) if n < len => format!("{} of {}", HumanCount(n), HumanCount(len)),
        _ => HumanCount(n).to_string(),
    };
    let figures = format!("{count} in {}, {rate}", time(elapsed));
    let width = width();
    let room = width.saturating_sub(figures.len());
    let label = if room > 5 { truncate_str(&label, room, "… ") } else { "".into() };
    truncate_str(&format!("{label}{figures}"), width, "").into_owned()
}

/// The figures that fit into two thirds of the terminal: first the rate is left out, then the time.
fn figures(state: &ProgressState, width: usize) -> String {
    let counts = match state.len() {
        // as wide as it gets, so that the bar's end keeps its place
        Some(len) => format!("{:>1$}/{2}", HumanCount(state.pos()).to_string(), digits(len), HumanCount(len)),
        None => HumanCount(state.pos()).to_string(),
    };
    let time = match state.len() {
        Some(_) if state.per_sec() > 0.0 => format!("ETA {}", time(state.eta())),
        _ => time(state.elapsed()),
    };
    let all = format!("{counts} {:>9}  {time:<9}", rate(state.per_sec()));
    let fits = |line: &String| line.len() <= width * 2 / 3;
    [all, format!("{counts}  {time:<9}")].into_iter().find(fits).unwrap_or(counts)
}

fn digits(n: u64) -> usize {
    HumanCount(n).to_string().len()
}

fn rate(per_second: f64) -> String {
    match per_second {
        n if !n.is_finite() => "–/s".to_owned(),
        n if n >= 100.0 => format!("{}/s", HumanCount(n.round() as u64)),
        n if n >= 1.0 || n == 0.0 => format!("{n:.1}/s"),
        n => format!("{n:.2}/s"),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        n @ 10..60 => format!("{n} s"),
        _ => FormattedDuration(time).to_string(),
    }
}

fn width() -> usize {
    Term::stderr().size().1.into()
}
