//! How far down everything stands, and the way of each edge.
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
    let ways: Vec<Vec<(f64, f64)>> = ways(layers, columns);
    let (bands, height) = bands(layers, &ways);
    let layer_of = layer_of(layers);
    let top = |item: usize| bands[layer_of[item]].top_of(item, layers);
    let boxes = (0..layers.boxes).map(|item| Point { x: columns[item], y: top(item) }).collect();
    let route = |(path, ways): (&Vec<usize>, &Vec<(f64, f64)>)| {
        let (first, last) = (path[0], path[path.len() - 1]);
        let turn = |(pair, (from, to)): (&[usize], &(f64, f64))| Turn {
            from: Point { x: *from, y: bands[layer_of[pair[0]]].bottom },
            to: Point { x: *to, y: bands[layer_of[pair[1]]].top - head(layers, pair[1]) },
        };
        Route {
            start: Point { x: ways[0].0, y: top(first) + layers.sizes[first].height },
            turns: path.windows(2).zip(ways).map(turn).collect(),
            end: Point { x: ways[ways.len() - 1].1, y: top(last) },
            label: Point { x: columns[path[1]], y: top(path[1]) },
        }
    };
    let routes = layers.paths.iter().zip(&ways).map(route).collect();
    let right = columns.iter().zip(&layers.sizes).map(|(x, size)| x + size.width / 2.0).fold(0.0, f64::max);
    Layout { size: Size { width: right, height }, boxes, routes }
}

/// How far down a layer reaches.
#[derive(Clone, Copy)]
struct Band {
    top: f64,
    bottom: f64,
}

impl Band {
    /// Boxes begin where the layer does, labels stand in its middle.
    fn top_of(self, item: usize, layers: &Layers) -> f64 {
        let spare = self.bottom - self.top - layers.sizes[item].height;
        self.top + if layers.is_box(item) { 0.0 } else { spare / 2.0 }
    }
}

/// The layers, and where the last one ends.
fn bands(layers: &Layers, ways: &[Vec<(f64, f64)>]) -> (Vec<Band>, f64) {
    let layer_of = layer_of(layers);
    let mut gaps = vec![GAP; layers.layers.len()];
    for (path, ways) in layers.paths.iter().zip(ways) {
        for (item, (from, to)) in path.iter().zip(ways) {
            let gap = &mut gaps[layer_of[*item]];
            *gap = gap.max(((to - from).abs() * SLOPE).min(LARGEST_GAP));
        }
    }
    let mut bands = Vec::new();
    let mut bottom = 0.0;
    for (at, layer) in layers.layers.iter().enumerate() {
        let height = layer.iter().map(|item| layers.sizes[*item].height).fold(0.0, f64::max);
        let gap = if at == 0 { 0.0 } else { gaps[at - 1] };
        let head = layer.iter().map(|item| head(layers, *item)).fold(0.0, f64::max);
        let top = bottom + gap + if at == 0 { 0.0 } else { head };
        bottom = top + height;
        bands.push(Band { top, bottom });
    }
    (bands, bottom)
}

fn head(layers: &Layers, item: usize) -> f64 {
    if layers.is_box(item) { HEAD } else { 0.0 }
}

fn layer_of(layers: &Layers) -> Vec<usize> {
    let mut layer_of = vec![0; layers.sizes.len()];
    for (at, layer) in layers.layers.iter().enumerate() {
        layer.iter().for_each(|item| layer_of[*item] = at);
    }
    layer_of
}

/// From where to where each link goes between each two layers: from the middle of an item to the middle of the next; but
/// what leads to a box arrives beside what else leads there, from left to right.
fn ways(layers: &Layers, columns: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut ways: Vec<Vec<(f64, f64)>> = (layers.paths.iter())
        .map(|path| path.windows(2).map(|pair| (columns[pair[0]], columns[pair[1]])).collect())
        .collect();
    for item in 0..layers.boxes {
        let mut arriving: Vec<usize> =
            (0..ways.len()).filter(|link| layers.paths[*link].last() == Some(&item)).collect();
        arriving.sort_by(|a, b| ways[*a][ways[*a].len() - 1].0.total_cmp(&ways[*b][ways[*b].len() - 1].0));
        let offsets = offsets(arriving.len(), layers.sizes[item].width);
        for (link, offset) in arriving.into_iter().zip(offsets) {
            if let Some(last) = ways[link].last_mut() {
                last.1 += offset;
            }
        }
    }
    ways
}

/// Places around 0, as wide apart as heads should be, if they fit beside one another.
fn offsets(n: usize, width: f64) -> impl Iterator<Item = f64> {
    let count = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let apart = BETWEEN_HEADS.min(width / (count + 1.0));
    (0..u32::try_from(n).unwrap_or(u32::MAX)).map(move |at| (f64::from(at) - (count - 1.0) / 2.0) * apart)
}
