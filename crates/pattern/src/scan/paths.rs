//! The names that patterns ask for, as a tree of their parts between dots.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::names::{Key, Names};

/// No node: nothing under it is asked for.
pub(crate) const OFF: u32 = u32::MAX;
const ROOT: u32 = 0;

/// The tree. A part never has a dot in it, so a key of an event that has dots goes as many steps as it has parts.
#[derive(Debug)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
    fields: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// The field that is named by the way here.
    field: Option<u32>,
    children: Names,
    /// A bit for each child that has children, at a place made of the first byte of a name that begins with it and a dot.
    deep: u64,
}

/// A node that is being made.
#[derive(Default)]
struct Draft {
    field: Option<u32>,
    children: HashMap<Box<[u8]>, u32, RandomState>,
}

impl Paths {
    /// The tree of `fields`, which are numbered from 0.
    pub(crate) fn new<'f>(fields: impl Iterator<Item = (&'f str, u32)>) -> Self {
        let (mut drafts, mut count) = (vec![Draft::default()], 0);
        for (name, field) in fields {
            insert(&mut drafts, name, field);
            count += 1;
        }
        let inner: Vec<bool> = drafts.iter().map(|d| !d.children.is_empty()).collect();
        let is_inner =
            |child: u32| usize::try_from(child).is_ok_and(|at| inner.get(at) == Some(&true));
        let node = |draft: Draft| {
            let deep = draft.children.iter().filter(|(_, child)| is_inner(**child));
            Node {
                field: draft.field,
                deep: deep.fold(0, |deep, (name, _)| deep | first_bit(name)),
                children: Names::new(draft.children),
            }
        };
        Self {
            nodes: drafts.into_iter().map(node).collect(),
            fields: count,
        }
    }

    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(at).ok()?)
    }

    /// How many fields there are.
    pub(crate) fn fields(&self) -> usize {
        self.fields
    }

    /// The node of the event itself.
    pub(crate) fn root(&self) -> u32 {
        ROOT
    }

    /// The field at `node`.
    pub(crate) fn field(&self, node: u32) -> Option<u32> {
        self.node(node)?.field
    }

    /// Whether names go on under `node`.
    pub(crate) fn is_inner(&self, node: u32) -> bool {
        self.node(node).is_some_and(|node| node.children.len() > 0)
    }

    /// How many names go on under `node`.
    pub(crate) fn names(&self, node: u32) -> u32 {
        let names = self.node(node).map_or(0, |node| node.children.len());
        u32::try_from(names).unwrap_or(u32::MAX)
    }

    /// The node that `key` leads to from the one at `at`.
    #[inline]
    pub(super) fn child(&self, at: u32, key: Key<'_>) -> u32 {
        let Some(node) = self.node(at) else {
            return OFF;
        };
        if let Some(child) = node.children.find(key) {
            return child;
        }
        if node.deep & first_bit(key.name) != 0 && key.name.contains(&b'.') {
            return self.dotted(at, key.name);
        }
        OFF
    }

    #[cold]
    fn dotted(&self, at: u32, key: &[u8]) -> u32 {
        let step = |at, part: &[u8]| self.node(at)?.children.find(Key::of(part));
        key.split(|byte| *byte == b'.')
            .try_fold(at, step)
            .unwrap_or(OFF)
    }
}

fn insert(drafts: &mut Vec<Draft>, name: &str, field: u32) {
    let mut at = ROOT;
    for part in name.split('.').map(str::as_bytes) {
        let next = u32::try_from(drafts.len()).unwrap_or(OFF);
        let Some(draft) = place(drafts, at) else {
            return;
        };
        at = *draft.children.entry(part.into()).or_insert(next);
        if at == next {
            drafts.push(Draft::default());
        }
    }
    if let Some(draft) = place(drafts, at) {
        draft.field = Some(field);
    }
}

fn place(drafts: &mut [Draft], at: u32) -> Option<&mut Draft> {
    drafts.get_mut(usize::try_from(at).ok()?)
}

/// A bit for the first byte of a name, or for the dot after an empty one.
fn first_bit(name: &[u8]) -> u64 {
    1 << (name.first().unwrap_or(&b'.') % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_to_fields_however_the_dots_lie() {
        let names = ["a.b.c", "a", "", "x.", "."];
        let paths = Paths::new(names.iter().copied().zip(0..));
        let field = |keys: &[&str]| {
            let step = |at, key: &&str| paths.child(at, Key::of(key.as_bytes()));
            paths.field(keys.iter().fold(paths.root(), step))
        };
        for way in [
            &["a", "b", "c"][..],
            &["a.b", "c"],
            &["a", "b.c"],
            &["a.b.c"],
        ] {
            assert_eq!(field(way), Some(0), "{way:?}");
        }
        assert_eq!(field(&["a"]), Some(1));
        assert_eq!((field(&[""]), field(&[])), (Some(2), None));
        assert_eq!((field(&["x", ""]), field(&["x."])), (Some(3), Some(3)));
        assert_eq!((field(&["", ""]), field(&["."])), (Some(4), Some(4)));
        assert_eq!(
            (field(&["a", "b"]), field(&["a.c"]), field(&["q", "a"])),
            (None, None, None)
        );
        assert_eq!(paths.fields(), 5);
    }
}
