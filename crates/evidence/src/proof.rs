//! Proofs that an entry is in a tree, and that a tree goes on from an earlier one (RFC 6962, sections 2.1.1 and 2.1.2; checked as
//! RFC 9162, sections 2.1.3.2 and 2.1.4.2, says).

use crate::Hash;

/// What shows that the leaf with this index is among `leaves`: the neighbours on its way to the root. `None` when there is no such leaf.
pub fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    (index < leaves.len()).then(|| {
        let mut proof = Vec::new();
        path(leaves, index, &mut proof);
        proof
    })
}

fn path(leaves: &[Hash], index: usize, out: &mut Vec<Hash>) {
    if leaves.len() < 2 {
        return;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    match index.checked_sub(left.len()) {
        None => {
            path(left, index, out);
            out.push(root(right));
        }
        Some(index) => {
            path(right, index, out);
            out.push(root(left));
        }
    }
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = crate::Tree::new();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

/// What shows that the tree of `leaves` begins with the tree of the first `earlier` of them. `None` when there are not so many.
pub fn consistency(leaves: &[Hash], earlier: usize) -> Option<Vec<Hash>> {
    let mut proof = Vec::new();
    if earlier > leaves.len() {
        return None;
    }
    if earlier > 0 {
        subproof(leaves, earlier, true, &mut proof);
    }
    Some(proof)
}

fn subproof(leaves: &[Hash], earlier: usize, is_known: bool, out: &mut Vec<Hash>) {
    if earlier == leaves.len() {
        if !is_known {
            out.push(root(leaves));
        }
        return;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    match earlier.checked_sub(left.len()) {
        None | Some(0) => {
            subproof(left, earlier, is_known, out);
            out.push(root(right));
        }
        Some(earlier) => {
            subproof(right, earlier, false, out);
            out.push(root(left));
        }
    }
}

/// Whether the proof shows that the leaf has this index in the tree of this size and root.
pub fn is_included(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut node = leaf;
    for neighbour in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = Hash::of_node(neighbour, &node);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            node = Hash::of_node(&node, neighbour);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && node == root
}

/// Whether the proof shows that the tree of `size` and `root` begins with the one of `earlier_size` and `earlier_root`.
pub fn is_consistent(
    (earlier_size, earlier_root): (u64, Hash),
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> bool {
    match earlier_size {
        0 => return proof.is_empty() && earlier_root == Hash::of_nothing(),
        s if s == size => return proof.is_empty() && earlier_root == root,
        s if s > size => return false,
        _ => {}
    }
    let (first, rest) = match (earlier_size.is_power_of_two(), proof) {
        (true, all) => (earlier_root, all),
        (false, [first, rest @ ..]) => (*first, rest),
        (false, []) => return false,
    };
    let (mut at, mut last) = (earlier_size - 1, size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut earlier, mut now) = (first, first);
    for node in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            earlier = Hash::of_node(node, &earlier);
            now = Hash::of_node(node, &now);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            now = Hash::of_node(&now, node);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && earlier == earlier_root && now == root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count)
            .map(|n| Hash::of_leaf(&n.to_be_bytes()))
            .collect()
    }

    fn size(leaves: &[Hash]) -> u64 {
        leaves.len() as u64
    }

    #[test]
    fn every_entry_of_every_small_tree_is_shown_to_be_in_it_and_nowhere_else() {
        for count in 1..40 {
            let leaves = leaves(count);
            let top = root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = inclusion(&leaves, index).unwrap();
                for claimed in 0..=size(&leaves) {
                    let shown = is_included(*leaf, claimed, size(&leaves), &proof, top);
                    assert_eq!(shown, claimed == index as u64, "{count} {index} {claimed}");
                }
                for broken in 0..proof.len() {
                    let mut proof = proof.clone();
                    proof[broken].0[7] ^= 1;
                    assert!(!is_included(
                        *leaf,
                        index as u64,
                        size(&leaves),
                        &proof,
                        top
                    ));
                    proof.remove(broken);
                    assert!(!is_included(
                        *leaf,
                        index as u64,
                        size(&leaves),
                        &proof,
                        top
                    ));
                }
            }
            assert_eq!(inclusion(&leaves, leaves.len()), None);
        }
    }

    #[test]
    fn every_small_tree_goes_on_from_each_earlier_one_and_from_no_other() {
        for count in 0..34 {
            let all = leaves(count);
            let now = (size(&all), root(&all));
            for earlier in 0..=all.len() {
                let proof = consistency(&all, earlier).unwrap();
                let before = (earlier as u64, root(&all[..earlier]));
                assert!(is_consistent(before, now, &proof), "{count} {earlier}");
                for other in 0..=all.len() {
                    let wrong = (other as u64, root(&all[..earlier]));
                    assert!(other == earlier || !is_consistent(wrong, now, &proof));
                }
                // A fork: the earlier tree had another last entry.
                if let Some((_, kept)) = all[..earlier].split_last() {
                    let mut forked = kept.to_vec();
                    forked.push(Hash::of_leaf(b"another"));
                    let forked = (before.0, root(&forked));
                    assert!(!is_consistent(forked, now, &proof), "{count} {earlier}");
                }
                for broken in 0..proof.len() {
                    let mut proof = proof.clone();
                    proof[broken].0[0] ^= 128;
                    assert!(!is_consistent(before, now, &proof));
                }
            }
            assert_eq!(consistency(&all, all.len() + 1), None);
        }
    }
}
