//! Which layer everything belongs to.
use super::{Link, Size};

/// The items of a drawing, layer by layer. The boxes have the numbers that they came with; what edges have in the layers
/// that they pass comes after.
pub(super) struct Layers {
    pub(super) sizes: Vec<Size>,
    /// From left to right.
    pub(super) layers: Vec<Vec<usize>>,
    pub(super) layer_of: Vec<usize>,
    /// The items in the layer above that lead to each.
    pub(super) above: Vec<Vec<usize>>,
    /// The items in the layer below that each leads to.
    pub(super) below: Vec<Vec<usize>>,
    /// What each link leads along, its ends included.
    pub(super) paths: Vec<Vec<usize>>,
    pub(super) boxes: usize,
}

impl Layers {
    pub(super) fn new(boxes: &[Size], links: &[Link]) -> Layers {
        let ranks = ranks(boxes.len(), links);
        let (layer_of_rank, depth) = layers_of_ranks(&ranks, links);
        let mut this = Layers {
            sizes: boxes.to_vec(),
            layers: vec![Vec::new(); depth],
            layer_of: ranks.iter().map(|rank| layer_of_rank[*rank]).collect(),
            above: vec![Vec::new(); boxes.len()],
            below: vec![Vec::new(); boxes.len()],
            paths: Vec::new(),
            boxes: boxes.len(),
        };
        for (item, layer) in this.layer_of.iter().enumerate() {
            this.layers[*layer].push(item);
        }
        links.iter().for_each(|link| this.add(link));
        this
    }

    fn add(&mut self, link: &Link) {
        let passed = self.layer_of[link.from] + 1..self.layer_of[link.to];
        let mut path = vec![link.from];
        for layer in passed.clone() {
            let item = self.sizes.len();
            self.sizes.push(if layer == passed.start { link.label } else { Size::default() });
            self.above.push(Vec::new());
            self.below.push(Vec::new());
            self.layers[layer].push(item);
            self.layer_of.push(layer);
            path.push(item);
        }
        path.push(link.to);
        for pair in path.windows(2) {
            self.below[pair[0]].push(pair[1]);
            self.above[pair[1]].push(pair[0]);
        }
        self.paths.push(path);
    }

    /// Whether it is a box, not what an edge has in a layer.
    pub(super) fn is_box(&self, item: usize) -> bool {
        item < self.boxes
    }
}

/// Where each item stands in its layer.
pub(super) fn positions(layers: &[Vec<usize>], items: usize) -> Vec<usize> {
    let mut positions = vec![0; items];
    for layer in layers {
        layer.iter().enumerate().for_each(|(at, item)| positions[*item] = at);
    }
    positions
}

/// The layer of each rank's boxes, and how many layers there are: after a rank where labels begin, one more for those.
fn layers_of_ranks(ranks: &[usize], links: &[Link]) -> (Vec<usize>, usize) {
    let mut has_labels = vec![false; ranks.iter().max().map_or(0, |deepest| deepest + 1)];
    for link in links {
        has_labels[ranks[link.from]] |= link.label != Size::default();
    }
    let mut depth = 0;
    let mut next = |has_labels: &bool| {
        let layer = depth;
        depth += 1 + usize::from(*has_labels);
        layer
    };
    let layers = has_labels.iter().map(&mut next).collect();
    (layers, depth)
}

/// How many boxes stand above each on the longest way to it; but what nothing is drawn to from above, as the second
/// source of a `zip`, stands as near as it can to what it leads to.
fn ranks(boxes: usize, links: &[Link]) -> Vec<usize> {
    let mut into = vec![Vec::new(); boxes];
    let mut out_of = vec![Vec::new(); boxes];
    for link in links {
        debug_assert!(link.from < link.to, "upstream comes before downstream");
        into[link.to].push(link.from);
        out_of[link.from].push(link.to);
    }
    let mut ranks = vec![0; boxes];
    for item in 0..boxes {
        ranks[item] = into[item].iter().map(|up| ranks[*up] + 1).max().unwrap_or(0);
    }
    for item in (0..boxes).rev() {
        // the edges above grow no more than those below shrink
        if into[item].len() <= out_of[item].len() {
            ranks[item] = out_of[item].iter().map(|down| ranks[*down] - 1).min().unwrap_or(ranks[item]);
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, label: Size::default() }
    }

    #[test]
    fn a_chain_has_a_rank_each() {
        assert_eq!(ranks(3, &[link(0, 1), link(1, 2)]), [0, 1, 2]);
        assert_eq!(ranks(0, &[]), [0; 0]);
    }

    #[test]
    fn a_second_source_stands_just_above_what_it_leads_to() {
        let links = [link(0, 1), link(1, 2), link(3, 4), link(2, 5), link(4, 5)];
        assert_eq!(ranks(6, &links), [0, 1, 2, 1, 2, 3]);
    }

    #[test]
    fn a_long_edge_has_an_item_in_each_layer() {
        let label = Size { width: 9.0, height: 7.0 };
        let links = [link(0, 1), link(1, 2), Link { from: 0, to: 2, label }];
        let layers = Layers::new(&[Size::default(); 3], &links);
        assert_eq!(layers.layers.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 2, 1]);
        let labels: Vec<_> = layers.paths[2].iter().map(|item| layers.sizes[*item] == label).collect();
        assert_eq!(labels, [false, true, false, false]);
    }
}
