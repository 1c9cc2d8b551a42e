//! What becomes of members and keys that come more than once. That is rare: only then is anything moved.

use super::builder::{Dialect, Held, Node};

/// The values that follow each other in `nodes`, each with all that it holds.
fn parts(nodes: &[Node]) -> impl Iterator<Item = &[Node]> {
    let mut rest = nodes;
    std::iter::from_fn(move || {
        let (part, others) = rest.split_at_checked(rest.first()?.size())?;
        rest = others;
        Some(part)
    })
}

fn is_null(part: &[Node]) -> bool {
    matches!(part.first().map(|node| node.held), Some(Held::Null))
}

fn text<'t>(part: &[Node], texts: &'t str) -> &'t str {
    match part.first().map(|node| node.held) {
        Some(Held::Text { start, length }) => {
            let start = start as usize;
            texts.get(start..start + length as usize)
        }
        _ => None,
    }
    .unwrap_or_default()
}

/// The members of a structure, each label once.
pub(super) fn members(nodes: &[Node], texts: &str, dialect: Dialect) -> Vec<Node> {
    let label = |part: &&[Node]| part.first().map(|node| node.label);
    let mut parts: Vec<&[Node]> = parts(nodes).collect();
    // Stable: those of one label stay in their order.
    parts.sort_by_key(label);
    let mut settled = Vec::with_capacity(nodes.len());
    for alike in parts.chunk_by(|one, other| label(one) == label(other)) {
        match (dialect, alike) {
            (Dialect::Json, [.., last]) if !is_null(last) => settled.extend_from_slice(last),
            (Dialect::Xml, [first, others @ ..]) => join(first, others, texts, &mut settled),
            _ => {}
        }
    }
    settled
}

/// The parts of a list or map as one; of anything else the first.
fn join(first: &[Node], others: &[&[Node]], texts: &str, settled: &mut Vec<Node>) {
    let Some((root, held)) = first.split_first() else {
        return;
    };
    if !matches!(root.held, Held::List { .. } | Held::Map { .. }) {
        return settled.extend_from_slice(first);
    }
    let mut joined = held.to_vec();
    for other in others {
        joined.extend_from_slice(other.get(1..).unwrap_or_default());
    }
    if matches!(root.held, Held::Map { .. }) {
        joined = entries(&joined, texts, true);
    }
    let mut root = *root;
    root.set_size(1 + joined.len());
    settled.push(root);
    settled.append(&mut joined);
}

/// The keys and values of a map, each key once: the last holds.
pub(super) fn entries(nodes: &[Node], texts: &str, keeps_null: bool) -> Vec<Node> {
    let mut parts = parts(nodes);
    let entry = || Some((parts.next()?, parts.next()?));
    let entries: Vec<(&[Node], &[Node])> = std::iter::from_fn(entry).collect();
    let key = |at: usize| entries.get(at).map(|(key, _)| text(key, texts));
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // Stable: those of one key stay in their order.
    order.sort_by_key(|at| key(*at));
    let mut holds = vec![false; entries.len()];
    for alike in order.chunk_by(|one, other| key(*one) == key(*other)) {
        if let Some(held) = alike.last().and_then(|last| holds.get_mut(*last)) {
            *held = true;
        }
    }
    let mut settled = Vec::with_capacity(nodes.len());
    for ((key, value), holds) in entries.iter().zip(holds) {
        if holds && (keeps_null || !is_null(value)) {
            settled.extend_from_slice(key);
            settled.extend_from_slice(value);
        }
    }
    settled
}
