//! How far to the right items stand: after Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001).
//!
//! Items that follow one another straight down are a block. Blocks are formed and packed four times, from the top and from
//! the bottom, to the left and to the right; each item stands in the middle of the four places.
use super::layers::{Layers, positions};
use std::cmp::Ordering;
use std::collections::HashSet;

const BETWEEN_BOXES: f64 = 32.0;
const BETWEEN_EDGES: f64 = 24.0;

/// The middle of each item; the leftmost one begins at 0.
pub(super) fn columns(layers: &Layers) -> Vec<f64> {
    let crossed = crossed(layers);
    let mut drafts = Vec::new();
    for upwards in [false, true] {
        for rightmost in [false, true] {
            drafts.push(Draft::new(layers, &crossed, upwards, rightmost));
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
        let sides = if upwards { [&layers.below[..], &layers.above] } else { [&layers.above[..], &layers.below] };
        let blocks = blocks(&order, sides, crossed);
        let mut columns = packed(&order, &blocks, layers);
        if rightmost {
            columns.iter_mut().for_each(|x| *x = -*x);
        }
        let (left, right) = (left_end(&columns, layers), right_end(&columns, layers));
        Draft { columns, left, right, rightmost }
    }

    fn width(&self) -> f64 {
        self.right - self.left
    }
}

fn left_end(columns: &[f64], layers: &Layers) -> f64 {
    columns.iter().zip(&layers.sizes).map(|(x, size)| x - size.width / 2.0).fold(f64::INFINITY, f64::min)
}

pub(super) fn right_end(columns: &[f64], layers: &Layers) -> f64 {
    columns.iter().zip(&layers.sizes).map(|(x, size)| x + size.width / 2.0).fold(f64::NEG_INFINITY, f64::max)
}

/// Ways of short edges that cross those of long ones, in both directions: long edges are to be straight.
fn crossed(layers: &Layers) -> HashSet<(usize, usize)> {
    let positions = positions(&layers.layers, layers.sizes.len());
    let mut crossed = HashSet::new();
    for layer in &layers.layers {
        let ways = || layer.iter().flat_map(|up| layers.below[*up].iter().map(move |down| (*up, *down)));
        let is_long = |way: &(usize, usize)| !layers.is_box(way.0) && !layers.is_box(way.1);
        for (up, down) in ways().filter(is_long) {
            let crosses = |way: &(usize, usize)| {
                let above = positions[way.0].cmp(&positions[up]);
                above != Ordering::Equal && above == positions[down].cmp(&positions[way.1])
            };
            let short = ways().filter(|way| !is_long(way));
            crossed.extend(short.filter(crosses).flat_map(|(up, down)| [(up, down), (down, up)]));
        }
    }
    crossed
}

/// The first item of each item's block. An item joins the block of the one before it if each is the middle one of the
/// other's neighbours, and if that crosses no other block.
fn blocks(order: &[Vec<usize>], sides: [&[Vec<usize>]; 2], crossed: &HashSet<(usize, usize)>) -> Vec<usize> {
    let [before, after] = sides;
    let at = positions(order, before.len());
    let mut blocks: Vec<usize> = (0..before.len()).collect();
    for layer in order {
        let mut free = 0;
        for item in layer {
            let joins = |up: &usize| {
                at[*up] >= free && middles(&after[*up], &at).contains(item) && !crossed.contains(&(*up, *item))
            };
            if let Some(up) = middles(&before[*item], &at).into_iter().find(joins) {
                blocks[*item] = blocks[up];
                free = at[up] + 1;
            }
        }
    }
    blocks
}

/// The middle one, or the middle two.
fn middles(items: &[usize], at: &[usize]) -> Vec<usize> {
    let mut sorted = items.to_vec();
    sorted.sort_by_key(|item| at[*item]);
    let n = sorted.len();
    if n == 0 { sorted } else { sorted[(n - 1) / 2..=n / 2].to_vec() }
}

/// The middle of each item when every block stands as far to the left as it can, and then as near as it can to those at
/// its right.
fn packed(order: &[Vec<usize>], blocks: &[usize], layers: &Layers) -> Vec<f64> {
    let neighbours: Vec<(usize, usize, f64)> = (order.iter())
        .flat_map(|layer| layer.windows(2))
        .map(|pair| (blocks[pair[0]], blocks[pair[1]], distance(layers, pair[0], pair[1])))
        .collect();
    let mut x = vec![0.0_f64; blocks.len()];
    settle(blocks.len(), || {
        let mut moved = false;
        for (left, right, distance) in &neighbours {
            let least = x[*left] + distance;
            moved |= x[*right] < least;
            x[*right] = x[*right].max(least);
        }
        moved
    });
    settle(blocks.len(), || {
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

/// Until nothing moves. That who stands left of whom has no circles bounds how often something can.
fn settle(items: usize, mut step: impl FnMut() -> bool) {
    for _ in 0..=items {
        if !step() {
            return;
        }
    }
    debug_assert!(false, "blocks stand left of one another in a circle");
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
            let mut places: Vec<f64> =
                drafts.iter().zip(&shifts).map(|(draft, shift)| draft.columns[item] + shift).collect();
            places.sort_by(f64::total_cmp);
            f64::midpoint(places[1], places[2])
        })
        .collect();
    let left = left_end(&columns, layers);
    columns.iter_mut().for_each(|x| *x -= left);
    columns
}

#[cfg(test)]
mod tests {
    use super::super::{Link, Size};
    use super::*;

    fn layers(widths: &[f64], links: &[(usize, usize)]) -> Layers {
        let sizes: Vec<_> = widths.iter().map(|width| Size { width: *width, height: 10.0 }).collect();
        let links: Vec<_> =
            links.iter().map(|(from, to)| Link { from: *from, to: *to, label: Size::default() }).collect();
        Layers::new(&sizes, &links)
    }

    #[track_caller]
    fn assert_columns(layers: &Layers, items: &[usize], expected: &[f64]) {
        let columns = columns(layers);
        let found: Vec<f64> = items.iter().map(|item| columns[*item]).collect();
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn a_chain_has_one_column() {
        assert_columns(&layers(&[10.0, 90.0, 40.0], &[(0, 1), (1, 2)]), &[0, 1, 2], &[45.0; 3]);
    }

    #[test]
    fn a_place_stands_above_the_middle_of_those_that_it_leads_to() {
        let three = layers(&[10.0; 4], &[(0, 1), (0, 2), (0, 3)]);
        assert_columns(&three, &[0, 1, 2, 3], &[47.0, 5.0, 47.0, 89.0]);
        let two = layers(&[10.0; 3], &[(0, 1), (0, 2)]);
        assert_columns(&two, &[0, 1, 2], &[26.0, 5.0, 47.0]);
    }

    /// The edge from 0 to 6 passes two layers, between which another one crosses it.
    #[test]
    fn a_long_edge_is_straight_where_short_ones_cross_it() {
        let mut layers = layers(&[10.0; 7], &[(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5), (5, 6), (0, 6)]);
        let long = &layers.paths[7];
        let (upper, lower) = (long[1], long[2]);
        layers.layers[1] = vec![1, upper, 2];
        layers.layers[2] = vec![lower, 3, 4];
        assert!(crossed(&layers).contains(&(1, 3)));
        let columns = columns(&layers);
        assert!((columns[upper] - columns[lower]).abs() < 1e-9, "{columns:?}");
        assert!((columns[1] - columns[3]).abs() > 1.0, "{columns:?}");
    }
}
