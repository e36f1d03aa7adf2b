//! How far down everything stands, and the way of each edge.
use super::columns::right_end;
use super::layers::Layers;
use super::{Layout, Point, Size};

/// From one layer to the next, at least.
const GAP: f64 = 18.0;
/// What an edge that goes to the side needs is more: so much of the way that it goes, but not more than …
const SLOPE: f64 = 0.3;
const LARGEST_GAP: f64 = 72.0;
/// The last bit of the way to a box is straight: there the arrow's head is.
pub(in super::super) const HEAD: f64 = 9.0;
/// From the head of one arrow to the next, where several lead to a box.
const BETWEEN_HEADS: f64 = 24.0;

/// The way of an edge: down to the end of a layer, over to the top of the next one, and so on.
pub(in super::super) struct Route {
    pub(in super::super) start: Point,
    pub(in super::super) turns: Vec<Turn>,
    pub(in super::super) end: Point,
    /// The middle of the label's top.
    pub(in super::super) label: Point,
}

/// From one column to another, between two layers.
pub(in super::super) struct Turn {
    pub(in super::super) from: Point,
    pub(in super::super) to: Point,
}

pub(super) fn drawing(layers: &Layers, columns: &[f64]) -> Layout {
    let legs = legs(layers, columns);
    let bands = bands(layers, &legs);
    let height = bands.last().map_or(0.0, |last| last.bottom);
    let size = Size { width: right_end(columns, layers).max(0.0), height };
    let drawing = Drawing { layers, columns, bands };
    Layout {
        size,
        boxes: (0..layers.boxes).map(|item| drawing.top(item)).collect(),
        routes: layers.paths.iter().zip(&legs).map(|(path, legs)| drawing.route(path, legs)).collect(),
    }
}

/// What an edge goes to the side between two layers: the columns where that begins and ends.
struct Leg {
    from: f64,
    to: f64,
}

/// How far down a layer reaches.
struct Band {
    top: f64,
    bottom: f64,
}

struct Drawing<'a> {
    layers: &'a Layers,
    columns: &'a [f64],
    bands: Vec<Band>,
}

impl Drawing<'_> {
    fn band(&self, item: usize) -> &Band {
        &self.bands[self.layers.layer_of[item]]
    }

    /// The middle of an item's top. Boxes begin where the layer does, labels stand in its middle.
    fn top(&self, item: usize) -> Point {
        let Band { top, bottom } = self.band(item);
        let spare = bottom - top - self.layers.sizes[item].height;
        Point { x: self.columns[item], y: top + if self.layers.is_box(item) { 0.0 } else { spare / 2.0 } }
    }

    fn route(&self, path: &[usize], legs: &[Leg]) -> Route {
        let (first, last) = (path[0], path[path.len() - 1]);
        let turn = |(pair, leg): (&[usize], &Leg)| Turn {
            from: Point { x: leg.from, y: self.band(pair[0]).bottom },
            to: Point { x: leg.to, y: self.band(pair[1]).top - head(self.layers, pair[1]) },
        };
        Route {
            start: Point { x: legs[0].from, y: self.top(first).y + self.layers.sizes[first].height },
            turns: path.windows(2).zip(legs).map(turn).collect(),
            end: Point { x: legs[legs.len() - 1].to, y: self.top(last).y },
            label: self.top(path[1]),
        }
    }
}

/// How far down each layer reaches, and how much room is between.
fn bands(layers: &Layers, legs: &[Vec<Leg>]) -> Vec<Band> {
    let mut gaps = vec![GAP; layers.layers.len()];
    for (path, legs) in layers.paths.iter().zip(legs) {
        for (item, leg) in path.iter().zip(legs) {
            let gap = &mut gaps[layers.layer_of[*item]];
            *gap = gap.max(((leg.to - leg.from).abs() * SLOPE).min(LARGEST_GAP));
        }
    }
    let mut bands: Vec<Band> = Vec::new();
    for (at, layer) in layers.layers.iter().enumerate() {
        let most = |of: &dyn Fn(usize) -> f64| layer.iter().map(|item| of(*item)).fold(0.0, f64::max);
        let above = bands.last().map_or(0.0, |above| above.bottom + gaps[at - 1] + most(&|item| head(layers, item)));
        bands.push(Band { top: above, bottom: above + most(&|item| layers.sizes[item].height) });
    }
    bands
}

fn head(layers: &Layers, item: usize) -> f64 {
    if layers.is_box(item) { HEAD } else { 0.0 }
}

/// Each link's legs: from the middle of an item to the middle of the next; but what leads to a box arrives beside what
/// else leads there, from left to right.
fn legs(layers: &Layers, columns: &[f64]) -> Vec<Vec<Leg>> {
    let leg = |pair: &[usize]| Leg { from: columns[pair[0]], to: columns[pair[1]] };
    let mut legs: Vec<Vec<Leg>> = layers.paths.iter().map(|path| path.windows(2).map(leg).collect()).collect();
    let mut arriving: Vec<Vec<&mut Leg>> = (0..layers.boxes).map(|_| Vec::new()).collect();
    for (path, legs) in layers.paths.iter().zip(&mut legs) {
        if let (Some(item), Some(leg)) = (path.last(), legs.last_mut()) {
            arriving[*item].push(leg);
        }
    }
    for (mut legs, size) in arriving.into_iter().zip(&layers.sizes) {
        legs.sort_by(|a, b| a.from.total_cmp(&b.from));
        let offsets = offsets(legs.len(), size.width);
        for (leg, offset) in legs.into_iter().zip(offsets) {
            leg.to += offset;
        }
    }
    legs
}

/// Places around 0, as wide apart as heads should be, if they fit beside one another.
fn offsets(n: usize, width: f64) -> impl Iterator<Item = f64> {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let apart = BETWEEN_HEADS.min(width / (f64::from(n) + 1.0));
    (0..n).map(move |at| (f64::from(at) - f64::from(n - 1) / 2.0) * apart)
}
