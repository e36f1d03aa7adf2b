//! How far to the right items stand: after Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001).
//!
//! Items that follow one another straight down are a block. Blocks are formed and packed four times, from the top and from
//! the bottom, to the left and to the right; each item stands in the middle of the four places.
use super::layers::Layers;
use std::collections::HashSet;

const BETWEEN_BOXES: f64 = 32.0;
const BETWEEN_EDGES: f64 = 24.0;

/// The middle of each item; the leftmost one begins at 0.
pub(super) fn columns(layers: &Layers) -> Vec<f64> {
    let crossed = crossed(layers);
    let mut drafts = Vec::new();
    for upwards in [false, true] {
        for leftwards in [false, true] {
            drafts.push(Draft::new(layers, &crossed, upwards, leftwards));
        }
    }
    balanced(&drafts, layers)
}

/// One of the four.
struct Draft {
    columns: Vec<f64>,
    left: f64,
    right: f64,
    /// Packed to the right.
    rightmost: bool,
}

impl Draft {
    fn new(layers: &Layers, crossed: &HashSet<(usize, usize)>, upwards: bool, rightmost: bool) -> Draft {
        let mut order = layers.layers.clone();
        if upwards {
            order.reverse();
        }
        if rightmost {
            order.iter_mut().for_each(|layer| layer.reverse());
        }
        let before = if upwards { &layers.below } else { &layers.above };
        let blocks = blocks(&order, before, crossed);
        let mut columns = packed(&order, &blocks, layers);
        if rightmost {
            columns.iter_mut().for_each(|x| *x = -*x);
        }
        let ends = |side: f64| move |(x, size): (&f64, &super::Size)| x + side * size.width / 2.0;
        let left = columns.iter().zip(&layers.sizes).map(ends(-1.0)).fold(f64::INFINITY, f64::min);
        let right = columns.iter().zip(&layers.sizes).map(ends(1.0)).fold(f64::NEG_INFINITY, f64::max);
        Draft { columns, left, right, rightmost }
    }

    fn width(&self) -> f64 {
        self.right - self.left
    }
}

/// Ways of short edges that cross those of long ones: long edges are to be straight.
fn crossed(layers: &Layers) -> HashSet<(usize, usize)> {
    let positions = layers.positions();
    let mut crossed = HashSet::new();
    for layer in &layers.layers {
        let ways = || layer.iter().flat_map(|up| layers.below[*up].iter().map(move |down| (*up, *down)));
        let is_long = |way: &(usize, usize)| !layers.is_box(way.0) && !layers.is_box(way.1);
        for (up, down) in ways().filter(is_long) {
            crossed.extend(ways().filter(|way| !is_long(way)).filter(|way| {
                (positions[way.0] < positions[up] && positions[way.1] > positions[down])
                    || (positions[way.0] > positions[up] && positions[way.1] < positions[down])
            }));
        }
    }
    crossed
}

/// The first item of each item's block. An item joins the block of the middle one of those before it, unless that would
/// cross another block.
fn blocks(order: &[Vec<usize>], before: &[Vec<usize>], crossed: &HashSet<(usize, usize)>) -> Vec<usize> {
    let mut blocks: Vec<usize> = (0..before.len()).collect();
    for pair in order.windows(2) {
        let mut free = 0;
        for item in &pair[1] {
            let mut candidates: Vec<usize> =
                pair[0].iter().enumerate().filter(|(_, up)| before[*item].contains(up)).map(|(at, _)| at).collect();
            candidates.dedup();
            let Some(last) = candidates.len().checked_sub(1) else { continue };
            for middle in [last / 2, last.div_ceil(2)] {
                let at = candidates[middle];
                let up = pair[0][at];
                if at >= free && !crossed.contains(&(up, *item)) && !crossed.contains(&(*item, up)) {
                    blocks[*item] = blocks[up];
                    free = at + 1;
                    break;
                }
            }
        }
    }
    blocks
}

/// The middle of each item when every block stands as far to the left as it can, and then as near as it can to those at
/// its right.
fn packed(order: &[Vec<usize>], blocks: &[usize], layers: &Layers) -> Vec<f64> {
    let neighbours: Vec<(usize, usize, f64)> = (order.iter())
        .flat_map(|layer| layer.windows(2))
        .map(|pair| (blocks[pair[0]], blocks[pair[1]], distance(layers, pair[0], pair[1])))
        .collect();
    let mut x = vec![0.0_f64; blocks.len()];
    settle(|| {
        let mut moved = false;
        for (left, right, distance) in &neighbours {
            let least = x[*left] + distance;
            moved |= x[*right] < least;
            x[*right] = x[*right].max(least);
        }
        moved
    });
    settle(|| {
        let mut most = vec![f64::INFINITY; blocks.len()];
        for (left, right, distance) in &neighbours {
            most[*left] = most[*left].min(x[*right] - distance);
        }
        let mut moved = false;
        for (x, most) in x.iter_mut().zip(most).filter(|(x, most)| most.is_finite() && **x < *most) {
            *x = most;
            moved = true;
        }
        moved
    });
    blocks.iter().map(|block| x[*block]).collect()
}

/// Until nothing moves. Who stands left of whom has no circles: so it ends.
fn settle(mut step: impl FnMut() -> bool) {
    while step() {}
}

fn distance(layers: &Layers, left: usize, right: usize) -> f64 {
    let between = if layers.is_box(left) || layers.is_box(right) { BETWEEN_BOXES } else { BETWEEN_EDGES };
    (layers.sizes[left].width + layers.sizes[right].width) / 2.0 + between
}

/// The drafts, moved to where the narrowest one lies, and of the four places of each item the mean of the middle two.
fn balanced(drafts: &[Draft], layers: &Layers) -> Vec<f64> {
    let Some(narrowest) = drafts.iter().min_by(|a, b| a.width().total_cmp(&b.width())) else { return Vec::new() };
    let shifts: Vec<f64> = (drafts.iter())
        .map(|draft| if draft.rightmost { narrowest.right - draft.right } else { narrowest.left - draft.left })
        .collect();
    let mut columns: Vec<f64> = (0..layers.sizes.len())
        .map(|item| {
            let mut places: Vec<f64> = drafts.iter().zip(&shifts).map(|(draft, shift)| draft.columns[item] + shift).collect();
            places.sort_by(f64::total_cmp);
            f64::midpoint(places[1], places[2])
        })
        .collect();
    let left = columns.iter().zip(&layers.sizes).map(|(x, size)| x - size.width / 2.0).fold(f64::INFINITY, f64::min);
    columns.iter_mut().for_each(|x| *x -= left);
    columns
}
