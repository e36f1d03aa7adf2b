//! The samples' pictures, word for word, in `snapshots/`: they were looked at.
use super::super::Graph;
use super::samples;
use std::{env, fs, path::Path};

/// `UPDATE=1 cargo test -p tinypl --lib graph` writes them anew.
fn as_they_were(extension: &str, picture: fn(&Graph) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graph/tests/snapshots");
    let mut differ = Vec::new();
    for (name, graph) in samples::all() {
        let path = folder.join(format!("{name}.{extension}"));
        let now = picture(&graph);
        assert_eq!(now, picture(&graph.clone()), "the same graph gives the same text");
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, now).expect("written");
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&now) {
            differ.push(format!("{}:\n{now}", path.display()));
        }
    }
    assert!(differ.is_empty(), "these differ now (UPDATE=1 writes them anew):\n{}", differ.join("\n"));
}

#[test]
fn mermaid_is_as_it_was() {
    as_they_were("mmd", Graph::to_mermaid);
}

#[test]
fn dot_is_as_it_was() {
    as_they_were("dot", Graph::to_dot);
}

#[test]
fn svg_is_as_it_was() {
    as_they_were("svg", Graph::to_svg);
}

#[test]
fn it_displays_as_mermaid() {
    let graph = samples::chain();
    assert_eq!(format!("{graph}"), graph.to_mermaid());
}

#[test]
fn what_is_shared_is_drawn_once() {
    let whole = samples::tracks();
    let merged = whole.clone().merge(whole.clone());
    assert_eq!(merged, whole);
    assert_eq!(Graph::default().merge(whole.clone()), whole);
    assert_eq!(whole.clone().merge(Graph::default()), whole);
}

#[test]
fn what_is_not_shared_stands_beside() {
    let mut other = samples::chain();
    for node in &mut other.nodes {
        node.id += 100;
    }
    let both = samples::chain().merge(other);
    assert_eq!(both.nodes().len(), 6);
    let ways: Vec<_> = both.edges().iter().map(|edge| (edge.from(), edge.to())).collect();
    assert_eq!(ways, [(0, 1), (1, 2), (3, 4), (4, 5)]);
}

/// `x |> zip(x)`
#[test]
fn two_ways_between_two_stages_stay_two() {
    let (_, merged) = samples::all().into_iter().find(|(name, _)| *name == "merged").expect("a sample");
    let into_zip = merged.edges().iter().filter(|edge| merged.nodes()[edge.to()].name() == "zip");
    assert_eq!(into_zip.count(), 2);
    assert_eq!(merged.nodes().len(), 5);
}
