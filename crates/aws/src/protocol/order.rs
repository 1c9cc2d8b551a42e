//! In which order members came in the structures before this one: a guess at what comes next, which saves to look for it.

use crate::model::View;
use crate::output::Label;

/// So many members are remembered. Those after them are looked for.
const STEPS_MAX: usize = 64;

/// The members of the items of a list, in the order in which they come.
pub(super) struct Order<'m> {
    steps: Vec<Step<'m>>,
    steps_max: usize,
}

/// A member, and how it comes.
pub(super) struct Step<'m> {
    pub(super) key: Key,
    pub(super) label: Label,
    pub(super) member: View<'m>,
}

impl<'m> Order<'m> {
    /// Of which nothing is known yet.
    pub(super) fn new() -> Self {
        Self {
            steps: Vec::new(),
            steps_max: STEPS_MAX,
        }
    }

    /// Of a structure that comes once, so that there is nothing to learn.
    pub(super) fn none() -> Self {
        Self {
            steps: Vec::new(),
            steps_max: 0,
        }
    }

    /// What came at that place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Step<'m>> {
        self.steps.get(place)
    }

    /// Something else came at `place`. The place of what comes after it.
    pub(super) fn learn(
        &mut self,
        place: usize,
        label: Label,
        name: &str,
        member: View<'m>,
    ) -> usize {
        if let Some(known) = self.steps.iter().position(|step| step.label == label) {
            return known + 1;
        }
        if self.steps.len() >= self.steps_max {
            return place;
        }
        let step = Step {
            key: Key::new(name),
            label,
            member,
        };
        self.steps.insert(place.min(self.steps.len()), step);
        place + 1
    }
}

/// A member's name with what is around it in JSON that has no white space, so that it takes one comparison to find it.
pub(super) struct Key(Box<[u8]>);

impl Key {
    fn new(name: &str) -> Self {
        let key = [b",\"", name.as_bytes(), b"\":"].concat();
        Self(key.into())
    }

    /// As the first member of its structure.
    #[inline]
    pub(super) fn first(&self) -> &[u8] {
        self.0.get(1..).unwrap_or_default()
    }

    /// As another.
    #[inline]
    pub(super) fn next(&self) -> &[u8] {
        &self.0
    }
}
