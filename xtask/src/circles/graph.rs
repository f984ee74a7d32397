//! Circles in a graph: its strongly connected components of more than one node (Tarjan, "Depth-first search and linear
//! graph algorithms", 1972), found here by what is reachable in both directions, as the graphs are small.

use std::collections::{BTreeMap, BTreeSet};

type Edges = BTreeSet<(String, String)>;

/// Returns the nodes of each circle.
pub(super) fn components(edges: &Edges) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|from| (*from, reachable_from(from, &next))).collect();
    let reaches = |from: &str, to: &str| reachable.get(from).is_some_and(|nodes| nodes.contains(to));
    let mut components: Vec<BTreeSet<String>> = Vec::new();
    for node in next.keys().filter(|node| reaches(node, node)) {
        let is_known = components.iter().any(|component| component.contains(*node));
        if !is_known {
            let others = next.keys().filter(|other| reaches(node, other) && reaches(other, node));
            components.push(others.map(|other| (*other).to_owned()).collect());
        }
    }
    components
}

fn reachable_from<'a>(start: &str, next: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = next.get(start).cloned().unwrap_or_default();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(next.get(node).into_iter().flatten());
        }
    }
    seen
}
