//! Where boxes and edges lie: a layered drawing, from top to bottom.
//!
//! A layer has boxes or, between two of those, labels. An edge has an item in each layer that it passes: a point, or in
//! the first one its label. Edges go straight down through a layer, where items don't overlap, and to the side only between
//! two: so none can cross a box or a label.
mod columns;
mod layers;
mod order;
mod route;

use layers::Layers;
pub(super) use route::{HEAD, Route};

/// In pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// In pixels, from the left and from the top.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An edge between two boxes, by their numbers; `from` is the smaller one.
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// A drawing, whose top left corner is (0, 0).
pub(super) struct Layout {
    pub(super) size: Size,
    /// The middle of each box's top.
    pub(super) boxes: Vec<Point>,
    pub(super) routes: Vec<Route>,
}

pub(super) fn lay_out(boxes: &[Size], links: &[Link]) -> Layout {
    let mut layers = Layers::new(boxes, links);
    order::reduce_crossings(&mut layers);
    let columns = columns::columns(&layers);
    route::drawing(&layers, &columns)
}
