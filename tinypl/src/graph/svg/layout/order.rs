//! In which order items stand in their layers: such that few edges cross.
use super::layers::{Layers, positions};

/// More sweeps than this hardly ever find a better order.
const SWEEPS: usize = 12;

/// Sorts each layer by the barycentres of its neighbours, downwards and upwards in turn, and keeps the best order seen.
pub(super) fn reduce_crossings(layers: &mut Layers) {
    let mut best = (crossings(layers), layers.layers.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let downwards = sweep % 2 == 0;
        let depth = layers.layers.len();
        for step in 1..depth {
            sort(layers, if downwards { step } else { depth - 1 - step }, downwards);
        }
        let now = crossings(layers);
        if now < best.0 {
            best = (now, layers.layers.clone());
        }
    }
    layers.layers = best.1;
}

/// By the middle of its neighbours above, or below; what has none keeps its place.
fn sort(layers: &mut Layers, layer: usize, downwards: bool) {
    let positions = positions(&layers.layers, layers.sizes.len());
    let neighbours = if downwards { &layers.above } else { &layers.below };
    let middle = |item: usize| mean(&neighbours[item], &positions).unwrap_or(as_float(positions[item]));
    layers.layers[layer].sort_by(|a, b| middle(*a).total_cmp(&middle(*b)));
}

fn mean(items: &[usize], positions: &[usize]) -> Option<f64> {
    let sum: usize = items.iter().map(|item| positions[*item]).sum();
    (!items.is_empty()).then(|| as_float(sum) / as_float(items.len()))
}

#[expect(clippy::cast_precision_loss, reason = "no drawing has 2^52 items")]
fn as_float(n: usize) -> f64 {
    n as f64
}

fn crossings(layers: &Layers) -> usize {
    let positions = positions(&layers.layers, layers.sizes.len());
    layers.layers.iter().map(|layer| crossings_below(layers, layer, &positions)).sum()
}

fn crossings_below(layers: &Layers, layer: &[usize], positions: &[usize]) -> usize {
    let mut crossings = 0;
    let mut ends: Vec<usize> = Vec::new();
    for item in layer {
        let known = ends.len();
        for below in &layers.below[*item] {
            let end = positions[*below];
            crossings += ends[..known].iter().filter(|other| **other > end).count();
            ends.push(end);
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::super::{Link, Size};
    use super::*;

    fn layers(boxes: usize, links: &[(usize, usize)]) -> Layers {
        let links: Vec<_> =
            links.iter().map(|(from, to)| Link { from: *from, to: *to, label: Size::default() }).collect();
        Layers::new(&vec![Size::default(); boxes], &links)
    }

    #[test]
    fn crossed_pairs_are_uncrossed() {
        let mut layers = layers(4, &[(0, 3), (1, 2)]);
        assert_eq!(crossings(&layers), 1);
        reduce_crossings(&mut layers);
        assert_eq!(crossings(&layers), 0);
    }

    #[test]
    fn what_must_cross_crosses_once() {
        let mut layers = layers(4, &[(0, 2), (0, 3), (1, 2), (1, 3)]);
        reduce_crossings(&mut layers);
        assert_eq!(crossings(&layers), 1);
    }

    #[test]
    fn an_order_without_crossings_stays() {
        let mut layers = layers(7, &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6)]);
        reduce_crossings(&mut layers);
        assert_eq!(layers.layers[1], [1, 2, 3]);
        assert_eq!(layers.layers[2], [4, 5, 6]);
    }
}
