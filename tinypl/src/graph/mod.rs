//! The static picture of a pipeline: what stands where, with which options, and what passes between.
mod dot;
mod label;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;
mod theme;

use std::collections::HashMap;
use std::panic::Location;

/// The picture of a pipeline: its stages, their options, tracks, orders and markers, each with its line in the source.
///
/// [`Pipeline::graph`](crate::Pipeline::graph) makes it, without pulling anything. It prints as Mermaid (`Display`,
/// [`to_mermaid`](Self::to_mermaid)) and as DOT ([`to_dot`](Self::to_dot)), and draws itself ([`to_svg`](Self::to_svg)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Upstream before downstream.
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

/// A stage, or a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The same stage, seen from several tracks, has the same number; no other one of this process has it.
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) function: Option<String>,
    pub(crate) handle: Option<String>,
    pub(crate) options: Vec<(&'static str, String)>,
    pub(crate) location: &'static Location<'static>,
}

/// What sort of stage a [`Node`] is: who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A source.
    Source,
    /// Whoever pulls.
    Stage,
    /// Threads.
    WorkerThreads,
    /// Processes.
    WorkerProcesses,
    /// A place where an order begins or ends.
    Order,
    /// A place where markers are inserted, seen, or taken out.
    Marker,
    /// A place from which several tracks pull.
    Shared,
}

/// The way from one stage to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Indices of nodes.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) orders: Vec<String>,
    pub(crate) markers: Vec<String>,
}

impl Graph {
    /// The stages, upstream before downstream.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ways between them.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// One picture of two: a stage that stands in both, because it is shared, is drawn once.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// pipeline! {
    ///     let numbers = range(100) |> map(|x| x + 1);
    ///     let odd     = numbers |> filter(|x| x % 2 == 1);
    ///     let even    = numbers |> filter(|x| x % 2 == 0);
    /// }
    /// let both = odd.graph().merge(even.graph());
    /// assert_eq!(both.nodes().iter().filter(|node| node.name() == "filter").count(), 2);
    /// assert_eq!(both.nodes().iter().filter(|node| node.name() == "map").count(), 1);
    /// ```
    #[must_use]
    pub fn merge(mut self, other: Graph) -> Graph {
        let known = self.nodes.len();
        let mut index_of: HashMap<u64, usize> = self.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
        let places: Vec<usize> = (other.nodes.into_iter())
            .map(|node| {
                *index_of.entry(node.id).or_insert_with(|| {
                    self.nodes.push(node);
                    self.nodes.len() - 1
                })
            })
            .collect();
        let edges = other.edges.into_iter().map(|edge| Edge { from: places[edge.from], to: places[edge.to], ..edge });
        // What leads to a known stage is known, too; and two ways between the same stages (`x |> zip(x)`) stay two.
        self.edges.extend(edges.filter(|edge| edge.to >= known));
        self
    }
}

impl Node {
    /// Who runs it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name in the language, as `thread::map`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name of the function that it calls, if it has one: a closure has none.
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// What stands before its `@`, or the name of the track that it is.
    pub fn handle(&self) -> Option<&str> {
        self.handle.as_deref()
    }

    /// Its options and their values, as `workers` and `4`.
    pub fn options(&self) -> &[(&'static str, String)] {
        &self.options
    }

    /// Where it stands in the source.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl Edge {
    /// The index, among [`nodes`](Graph::nodes), of the stage above.
    pub fn from(&self) -> usize {
        self.from
    }

    /// The index, among [`nodes`](Graph::nodes), of the stage below.
    pub fn to(&self) -> usize {
        self.to
    }

    /// The names of the orders that are open here, the outermost first. One without a name is called `order`.
    pub fn orders(&self) -> &[String] {
        &self.orders
    }

    /// The names of the markers that pass here. One without a name is called `marker`.
    pub fn markers(&self) -> &[String] {
        &self.markers
    }
}
