//! Nothing in an SVG overlaps or is cut, whatever the graph.
use super::super::{Edge, Graph, Kind};
use super::drawn::{Drawn, Rect};
use super::samples::{self, stage};

/// Numbers that look random and are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }

    fn text(&mut self, longest: usize) -> String {
        const PARTS: &[&str] = &["a", "longer_word", " ", "::", "<&>", "宽", "🦀", "\n", "\"", "=", ", ", "0"];
        (0..self.below(longest)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }

    fn edge(&mut self, from: usize, to: usize) -> Edge {
        let mut names = |most: usize| (0..self.below(most)).map(|_| self.text(4)).collect();
        Edge { from, to, orders: names(3), markers: names(4) }
    }

    /// Most stages go on from a late one, some from anywhere, and some join two or more.
    fn graph(&mut self) -> Graph {
        let mut graph = Graph::default();
        for at in 0..1 + self.below(16) {
            let mut node = stage(Kind::ALL[self.below(Kind::ALL.len())], "thread::map");
            node.function = (self.below(2) == 0).then(|| self.text(9));
            node.options = (0..self.below(5)).map(|_| ("option", self.text(5))).collect();
            graph.add(node);
            let most = if self.below(4) == 0 { 4 } else { 2 };
            for _ in 0..self.below(most) {
                let reach = if self.below(3) == 0 { at } else { at.min(3) };
                if let Some(from) = at.checked_sub(1 + self.below(reach)) {
                    let edge = self.edge(from, at);
                    graph.edges.push(edge);
                }
            }
        }
        graph
    }
}

fn disjoint(rects: &[Rect], what: &str) {
    for (at, one) in rects.iter().enumerate() {
        for other in &rects[at + 1..] {
            assert!(!one.overlaps(other), "{what}: {one:?} overlaps {other:?}");
        }
    }
}

fn check(graph: &Graph) {
    let drawn = Drawn::new(&graph.to_svg());
    let Drawn { ground, boxes, badges, texts, edges } = &drawn;
    let ground = ground.expect("a ground");
    assert_eq!((boxes.len(), edges.len()), (graph.nodes.len(), graph.edges.len()));
    assert_eq!(badges.len(), graph.edges.iter().map(|edge| edge.orders.len() + edge.markers.len()).sum::<usize>());

    let blocks: Vec<Rect> = boxes.iter().chain(badges).copied().collect();
    disjoint(&blocks, "boxes and badges");
    assert!(blocks.iter().all(|block| ground.holds(block)), "{blocks:?} in {ground:?}");
    for (text, place) in texts {
        assert!(blocks.iter().any(|block| block.holds(place)), "{text:?} at {place:?} is in no box");
    }
    disjoint(&texts.iter().map(|text| text.1).collect::<Vec<_>>(), "texts");
    for (edge, points) in graph.edges.iter().zip(edges) {
        check_edge(edge, points, &drawn);
    }
}

/// It begins and ends at its stages, and passes no other one; of badges it passes its own.
fn check_edge(edge: &Edge, points: &[(f64, f64)], drawn: &Drawn) {
    let ((start, end), (from, to)) =
        ((points[0], points[points.len() - 1]), (drawn.boxes[edge.from], drawn.boxes[edge.to]));
    assert!(
        from.left < start.0 && start.0 < from.right && (start.1 - from.bottom).abs() < 0.2,
        "{start:?} of {from:?}"
    );
    assert!(to.left < end.0 && end.0 < to.right && (0.0..10.0).contains(&(to.top - end.1)), "{end:?} of {to:?}");
    assert!(points.windows(2).all(|pair| pair[0].1 <= pair[1].1), "always down: {points:?}");
    let ground = drawn.ground.expect("a ground");
    for point in points {
        assert!(ground.strictly_holds(*point), "{point:?}");
        assert!(!drawn.boxes.iter().any(|foreign| foreign.strictly_holds(*point)), "{point:?} in a box");
    }
    let passed = |badge: &&Rect| points.iter().any(|point| badge.strictly_holds(*point));
    assert!(drawn.badges.iter().filter(passed).count() <= edge.orders.len() + edge.markers.len());
}

#[test]
fn samples_are_free_of_overlaps() {
    for (name, graph) in samples::all() {
        println!("{name}");
        check(&graph);
    }
}

#[test]
fn random_graphs_are_free_of_overlaps() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..400 {
        let graph = numbers.graph();
        println!("{round}: {graph}");
        check(&graph);
    }
}

/// A stage or an edge is a line of text, and nothing in a label ends it early.
#[test]
fn random_labels_stay_within_their_quotes() {
    let mut numbers = Numbers(7);
    for _ in 0..400 {
        let graph = numbers.graph();
        let (mermaid, dot) = (graph.to_mermaid(), graph.to_dot());
        let parts = graph.nodes.len() + graph.edges.len();
        let kinds = Kind::ALL.iter().filter(|kind| graph.nodes.iter().any(|node| node.kind == **kind)).count();
        assert_eq!(mermaid.lines().count(), 2 + parts + kinds, "{mermaid}");
        assert_eq!(dot.lines().count(), 4 + parts, "{dot}");
        let mut labels = mermaid.lines().skip(2).take(parts);
        assert!(labels.all(|line| [0, 2].contains(&line.matches('"').count())), "{mermaid}");
        for line in dot.lines() {
            let unescaped = line.replace(r"\\", "").replace(r#"\""#, "");
            assert_eq!(unescaped.matches('"').count() % 2, 0, "{line}");
        }
    }
}

#[test]
fn a_chain_is_straight() {
    for graph in [samples::chain(), samples::threads_and_orders()] {
        let drawn = Drawn::new(&graph.to_svg());
        let xs: Vec<f64> = drawn.edges.iter().flatten().map(|point| point.0).collect();
        assert!(xs.iter().all(|x| (x - xs[0]).abs() < 0.1), "{xs:?}");
    }
}

#[test]
fn what_branches_three_ways_stands_above_the_middle() {
    let drawn = Drawn::new(&samples::tracks().to_svg());
    let middle = |rect: &Rect| (rect.left + rect.right) / 2.0;
    let (share, tracks) = (&drawn.boxes[2], &drawn.boxes[3..6]);
    assert!((middle(share) - middle(&tracks[1])).abs() < 0.2, "{share:?} {tracks:?}");
    assert!(tracks.iter().all(|track| (track.top - tracks[0].top).abs() < 20.0));
    assert!(tracks[0].right < tracks[1].left && tracks[1].right < tracks[2].left);
}

#[test]
fn long_chains_and_wide_shares_are_drawn() {
    let mut chain = Graph::default();
    let mut last = chain.add(stage(Kind::Source, "range"));
    for _ in 0..2000 {
        last = chain.below(last, stage(Kind::Stage, "map"));
    }
    assert_eq!(Drawn::new(&chain.to_svg()).boxes.len(), 2001);
    let mut wide = Graph::default();
    let share = wide.add(stage(Kind::Shared, "share"));
    for _ in 0..200 {
        wide.below(share, stage(Kind::Stage, "map"));
    }
    check(&wide);
}
