//! The Merkle tree of RFC 6962, section 2.1, as it grows: only what the next root needs is kept.

use serde::{Deserialize, Serialize};

use crate::Hash;

/// A tree by its size and its peaks: the roots of the full subtrees that it falls into, the largest first. One for each bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

/// A stored tree that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} entries has {wanted} peaks, not {found}")]
pub struct TreeError {
    size: u64,
    wanted: u32,
    found: usize,
}

#[derive(Deserialize)]
struct Stored {
    size: u64,
    peaks: Vec<Hash>,
}

impl TryFrom<Stored> for Tree {
    type Error = TreeError;

    fn try_from(Stored { size, peaks }: Stored) -> Result<Self, TreeError> {
        let wanted = size.count_ones();
        if usize::try_from(wanted).ok() != Some(peaks.len()) {
            let found = peaks.len();
            return Err(TreeError {
                size,
                wanted,
                found,
            });
        }
        Ok(Self { size, peaks })
    }
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry by the hash of its leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each full subtree at the end that is as large as the new one is joined with it: as in adding one to a binary number.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = Hash::of_node(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The hash over all entries.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Hash::of_nothing();
        };
        peaks.fold(*last, |right, left| Hash::of_node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition in RFC 6962, word for word.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of_nothing(),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                Hash::of_node(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn it_grows_to_the_root_that_is_defined() {
        let mut tree = Tree::new();
        let mut leaves = Vec::new();
        assert_eq!(tree.root(), root_by_definition(&leaves));
        for n in 0_u32..300 {
            let leaf = Hash::of_leaf(&n.to_be_bytes());
            leaves.push(leaf);
            tree.push(leaf);
            assert_eq!(tree.root(), root_by_definition(&leaves), "{n}");
            let stored = serde_json::to_string(&tree).unwrap();
            assert_eq!(serde_json::from_str::<Tree>(&stored).unwrap(), tree);
        }
    }

    #[test]
    fn the_roots_that_certificate_transparency_publishes() {
        // The example entries that the reference implementation of RFC 6962 tests with.
        let entries = ["", "00", "10", "2021", "3031", "40414243"];
        let mut tree = Tree::new();
        let mut roots = vec![tree.root().to_string()];
        for entry in entries {
            tree.push(Hash::of_leaf(&hex::decode(entry).unwrap()));
            roots.push(tree.root().to_string());
        }
        assert_eq!(
            roots[0],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            roots[1],
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            roots[2],
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
        assert_eq!(
            roots[3],
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
    }

    #[test]
    fn a_stored_tree_has_a_peak_for_each_bit() {
        let text = format!(r#"{{"size":3,"peaks":["{}"]}}"#, Hash::of_nothing());
        let error = serde_json::from_str::<Tree>(&text).unwrap_err().to_string();
        assert!(error.contains("2 peaks, not 1"), "{error}");
    }
}
