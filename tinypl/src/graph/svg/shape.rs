//! What is drawn, and how much room it takes: the card of a stage, the badges of an edge.
use super::super::label::{Lines, cells, printable};
use super::super::{Edge, Kind, Node};
use super::layout::Size;

/// A size of text. A cell of a monospaced font is 0.6 em wide in nearly all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub(super) size: f64,
    /// From one line to the next.
    pub(super) leading: f64,
}

impl Font {
    pub(super) fn width(self, text: &str) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a line is short")]
        let cells = cells(text) as f64;
        0.6 * self.size * cells
    }
}

pub(super) const TITLE: Font = Font { size: 13.0, leading: 18.0 };
pub(super) const OPTIONS: Font = Font { size: 11.5, leading: 16.0 };
pub(super) const PLACE: Font = Font { size: 10.5, leading: 16.0 };
pub(super) const BADGE: Font = Font { size: 10.5, leading: 17.0 };

const PADDING: Size = Size { width: 14.0, height: 9.0 };
const LEAST_WIDTH: f64 = 148.0;
/// How far the second box of a stage that several run stands out.
const DEPTH: f64 = 4.0;

/// A stage's box and what is written in it.
pub(super) struct Card {
    pub(super) kind: Kind,
    pub(super) lines: Vec<Line>,
    /// Of the box in front.
    pub(super) front: Size,
    /// Of all.
    pub(super) size: Size,
}

/// A line of text, where it begins relative to its box.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) font: Font,
    pub(super) style: Style,
    pub(super) x: f64,
    /// Of the line the letters stand on.
    pub(super) y: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Title,
    Options,
    Place,
}

impl Card {
    pub(super) fn of(node: &Node) -> Card {
        let Lines { title, options, place } = Lines::of(node);
        let parts = [(title, TITLE, Style::Title), (options, OPTIONS, Style::Options), (place, PLACE, Style::Place)];
        let mut lines = Vec::new();
        let mut bottom = PADDING.height;
        for (texts, font, style) in parts {
            for text in texts {
                bottom += font.leading;
                lines.push(Line { text, font, style, x: PADDING.width, y: bottom - 0.3 * font.leading });
            }
        }
        let widest = lines.iter().map(|line| line.font.width(&line.text)).fold(0.0, f64::max);
        let width = (widest + 2.0 * PADDING.width).max(LEAST_WIDTH);
        // whole pixels, and an even number of them: the middle is one, too, and lines are sharp
        let front = Size { width: 2.0 * (width / 2.0).ceil(), height: bottom + PADDING.height };
        let depth = if several(node.kind()) { DEPTH } else { 0.0 };
        let size = Size { width: front.width + 2.0 * depth, height: front.height + depth };
        Card { kind: node.kind(), lines, front, size }
    }

    pub(super) fn depth(&self) -> f64 {
        self.size.height - self.front.height
    }

    /// How round the corners are.
    pub(super) fn radius(&self) -> f64 {
        if self.kind == Kind::Source { 18.0 } else { 6.0 }
    }
}

/// Whether several workers run it.
fn several(kind: Kind) -> bool {
    matches!(kind, Kind::WorkerThreads | Kind::WorkerProcesses)
}

const BADGE_PADDING: f64 = 7.0;
const BETWEEN_BADGES: f64 = 4.0;
const LONGEST_ROW: f64 = 260.0;

/// The orders, then the markers, that an edge carries: a badge each, in as many rows as it takes.
pub(super) struct Badges {
    pub(super) badges: Vec<Badge>,
    pub(super) size: Size,
}

/// Where it lies relative to the middle of the top of all.
pub(super) struct Badge {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: Size,
}

impl Badges {
    pub(super) fn of(edge: &Edge) -> Badges {
        let orders = edge.orders().iter().map(|name| Badge::of(name, Kind::Order));
        let markers = edge.markers().iter().map(|name| Badge::of(name, Kind::Marker));
        let mut rows = rows(orders.chain(markers));
        let mut size = Size::default();
        for row in &mut rows {
            let width = row_width(row);
            let mut x = -width / 2.0;
            for badge in row.iter_mut() {
                (badge.x, badge.y) = (x, size.height);
                x += badge.size.width + BETWEEN_BADGES;
            }
            size = Size { width: size.width.max(width), height: size.height + BADGE.leading + BETWEEN_BADGES };
        }
        size.height = (size.height - BETWEEN_BADGES).max(0.0);
        Badges { badges: rows.into_iter().flatten().collect(), size }
    }
}

impl Badge {
    fn of(name: &str, kind: Kind) -> Badge {
        let text = printable(name);
        let size = Size { width: (BADGE.width(&text) + 2.0 * BADGE_PADDING).ceil(), height: BADGE.leading };
        Badge { text, kind, x: 0.0, y: 0.0, size }
    }
}

fn rows(badges: impl Iterator<Item = Badge>) -> Vec<Vec<Badge>> {
    let mut rows: Vec<Vec<Badge>> = Vec::new();
    for badge in badges {
        match rows.last_mut() {
            Some(row) if row_width(row) + BETWEEN_BADGES + badge.size.width <= LONGEST_ROW => row.push(badge),
            _ => rows.push(vec![badge]),
        }
    }
    rows
}

fn row_width(row: &[Badge]) -> f64 {
    let gaps = row.len().saturating_sub(1);
    row.iter().map(|badge| badge.size.width).sum::<f64>() + BETWEEN_BADGES * f64::from(u32::try_from(gaps).unwrap_or(0))
}
