//! Many patterns as one: from the values of an event to the patterns that match it.
//!
//! Every branch of every pattern is a list of conditions; equal conditions are one. The values of an event lead, through
//! the index of their field, to the conditions that accept them. A branch is looked at only when the condition that it is
//! reached by holds: the one that events are least likely to hold without the branch. Then all of its conditions must hold;
//! most of them were marked on the way, the others (`anything-but`) are tried now, once for the event. Only when the
//! values of two of them lie in arrays is the evaluator asked, which compares the elements.

mod affixes;
mod draft;
mod field;
mod filter;
mod grams;
mod memo;
mod postings;
mod ranges;

use std::sync::Arc;

use crate::evaluate::{Source, holds};
use crate::event::{Choice, Scalar};
use crate::matcher::Matcher;
use crate::scan::Seen;
pub(crate) use draft::Fields;
use field::{FieldIndex, Hits};
pub(crate) use memo::Memo;
use memo::{Marks, Visit};
use postings::{Posting, Postings};

/// The index of some patterns, which it calls by their places in the list it was made of.
#[derive(Debug)]
pub(crate) struct Index {
    conditions: Vec<Condition>,
    branches: Vec<Branch>,
    /// The conditions of the branches, one branch after the other.
    members: Vec<u32>,
    fields: Vec<Field>,
    /// By the number of a field: which of `fields` it is, plus one.
    places: Vec<u32>,
    postings: Postings,
    checks: Vec<Check>,
    /// The branches that are looked at for every event: those that ask for absence only.
    always: Vec<u32>,
}

#[derive(Debug)]
struct Condition {
    field: u32,
    kind: Kind,
    may_be_absent: bool,
    matchers: Arc<[Matcher]>,
    /// The branches that are reached by it.
    reached: Vec<u32>,
}

/// How a condition is known to accept a value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// The index says it.
    Indexed,
    /// Any value is accepted.
    Present,
    /// It is tried on the values.
    Tried,
}

#[derive(Debug)]
struct Branch {
    pattern: u32,
    /// Where its conditions end; they begin where those of the branch before end.
    end: u32,
}

#[derive(Debug)]
struct Field {
    index: FieldIndex,
    /// The conditions that accept any value, or are tried, by which branches are reached.
    loose: Vec<u32>,
}

/// A matcher that a key speaks for, but not with certainty.
#[derive(Debug)]
struct Check {
    condition: u32,
    matcher: u32,
}

/// Whether a condition holds by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    No,
    Yes,
    /// Its field should be absent, and is there, in array elements only: absent where none of these is chosen.
    Unsure,
}

impl Index {
    /// Gives `each` pattern that matches; one with several branches it may give several times.
    pub(crate) fn find(&self, seen: Seen<'_>, memo: &mut Memo, mut each: impl FnMut(u32)) {
        memo.begin(
            self.conditions.len(),
            self.postings.len(),
            seen.leaves.all().len(),
        );
        self.mark(seen, memo);
        let Memo { marks, held, .. } = memo;
        let mut look = Look {
            index: self,
            seen,
            marks,
        };
        for condition in held.iter().filter_map(|at| self.condition(*at)) {
            look.reached(&condition.reached, &mut each);
        }
        for field in seen.leaves.present() {
            let loose = self.field(*field).map(|field| &field.loose);
            for at in loose.into_iter().flatten() {
                if look.state(*at) == State::Yes
                    && let Some(condition) = self.condition(*at)
                {
                    look.reached(&condition.reached, &mut each);
                }
            }
        }
        look.matching(&self.always, &mut each);
    }

    /// Marks the conditions that the index finds.
    fn mark(&self, seen: Seen<'_>, memo: &mut Memo) {
        for leaf in seen.leaves.all() {
            if let Some(field) = self.field(leaf.field) {
                let text = seen.text(leaf);
                memo.next_value();
                let mut marking = Marking {
                    index: self,
                    text,
                    memo,
                };
                field.index.find(leaf.kind, text, &mut marking);
            }
        }
    }

    fn field(&self, number: u32) -> Option<&Field> {
        let place = self.places.get(usize::try_from(number).ok()?)?;
        self.fields
            .get(usize::try_from(place.checked_sub(1)?).ok()?)
    }

    fn condition(&self, at: u32) -> Option<&Condition> {
        self.conditions.get(usize::try_from(at).ok()?)
    }

    fn branch(&self, at: u32) -> Option<&Branch> {
        self.branches.get(usize::try_from(at).ok()?)
    }

    /// The conditions of a branch, in the order in which they are compared.
    fn members(&self, branch: u32) -> &[u32] {
        let start = branch
            .checked_sub(1)
            .and_then(|before| self.branch(before))
            .map_or(0, |before| before.end);
        let end = self.branch(branch).map_or(0, |branch| branch.end);
        let (start, end) = (usize::try_from(start), usize::try_from(end));
        self.members
            .get(start.unwrap_or(0)..end.unwrap_or(0))
            .unwrap_or_default()
    }
}

/// Marks what the index of a field finds for one value.
struct Marking<'i, 's> {
    index: &'i Index,
    text: &'s str,
    memo: &'i mut Memo,
}

impl Marking<'_, '_> {
    fn check(&mut self, at: u32) {
        let check = usize::try_from(at)
            .ok()
            .and_then(|at| self.index.checks.get(at));
        let Some(check) = check.filter(|check| !self.memo.marks.holds(check.condition)) else {
            return;
        };
        self.memo.marks.steps += 1 + self.text.len();
        let matchers = self.index.condition(check.condition).map(|c| &c.matchers);
        let which = usize::try_from(check.matcher).unwrap_or(usize::MAX);
        let matcher = matchers.and_then(|matchers| matchers.get(which));
        if matcher.is_some_and(|matcher| matcher.accepts(Scalar::Text(self.text))) {
            self.memo.hold(check.condition);
        }
    }
}

impl Hits for Marking<'_, '_> {
    fn hit(&mut self, posting: Posting) {
        let index = self.index;
        let visit = self.memo.visit(posting.number());
        if visit == Visit::FirstOfEvent {
            for condition in index.postings.certain(posting) {
                self.memo.hold(*condition);
            }
        }
        if visit != Visit::Again {
            for check in index.postings.checks(posting) {
                self.check(*check);
            }
        }
    }

    fn was_hit(&self, posting: Posting) -> bool {
        self.memo.was_visited(posting.number())
    }

    fn buffer(&mut self) -> String {
        std::mem::take(&mut self.memo.folded)
    }

    fn give_back(&mut self, buffer: String) {
        self.memo.folded = buffer;
    }
}

/// Looks at branches once all values are known.
struct Look<'i> {
    index: &'i Index,
    seen: Seen<'i>,
    marks: &'i mut Marks,
}

impl Look<'_> {
    /// As [`Look::matching`], for branches that were reached by a condition that holds. Often it is their only one.
    fn reached(&mut self, branches: &[u32], each: &mut impl FnMut(u32)) {
        let is_small = self.seen.leaves.is_small();
        for at in branches {
            let is_alone = is_small && self.index.members(*at).len() == 1;
            self.marks.steps += 1;
            if let Some(branch) = self.index.branch(*at)
                && (is_alone || self.matches(*at))
            {
                each(branch.pattern);
            }
        }
    }

    /// Gives `each` pattern of which a branch among `branches` matches.
    fn matching(&mut self, branches: &[u32], each: &mut impl FnMut(u32)) {
        for at in branches {
            if let Some(branch) = self.index.branch(*at).filter(|_| self.matches(*at)) {
                each(branch.pattern);
            }
        }
    }

    fn matches(&mut self, branch: u32) -> bool {
        let members = self.index.members(branch);
        let (mut in_arrays, mut unsure) = (0, false);
        for member in members {
            self.marks.steps += 1;
            match self.state(*member) {
                State::No => return false,
                State::Yes => {}
                State::Unsure => unsure = true,
            }
            let field = self
                .index
                .condition(*member)
                .map(|condition| condition.field);
            in_arrays += u32::from(field.is_some_and(|field| self.seen.leaves.has_inside(field)));
        }
        // With values of one field at most in arrays there is nothing that could choose another element.
        if in_arrays < 2 && self.seen.leaves.is_small() {
            return !unsure;
        }
        holds(members, self)
    }

    fn state(&mut self, at: u32) -> State {
        let Some(condition) = self.index.condition(at) else {
            return State::No;
        };
        let leaves = self.seen.leaves;
        let accepted = match condition.kind {
            Kind::Indexed => self.marks.holds(at),
            Kind::Present => leaves.has(condition.field),
            Kind::Tried => self.tried(at, condition),
        };
        if accepted {
            State::Yes
        } else if !condition.may_be_absent || leaves.has_outside(condition.field) {
            State::No
        } else if leaves.has(condition.field) {
            State::Unsure
        } else {
            State::Yes
        }
    }

    fn tried(&mut self, at: u32, condition: &Condition) -> bool {
        if let Some(known) = self.marks.known(at) {
            return known;
        }
        let mut steps = 0;
        let accepted = self.seen.of(condition.field).any(|leaf| {
            let value = self.seen.value(leaf);
            steps += condition.matchers.len();
            condition
                .matchers
                .iter()
                .any(|matcher| matcher.accepts(value))
        });
        self.marks.steps += steps;
        self.marks.know(at, accepted);
        accepted
    }
}

impl Source for Look<'_> {
    type Condition = u32;

    fn matchers<'s>(&'s self, condition: &'s u32) -> &'s [Matcher] {
        self.index
            .condition(*condition)
            .map_or(&[], |condition| &condition.matchers)
    }

    fn leaves(&self, condition: &u32, each: &mut dyn FnMut(Option<u32>, Scalar<'_>)) {
        let Some(condition) = self.index.condition(*condition) else {
            return;
        };
        for leaf in self.seen.of(condition.field) {
            each(leaf.element(), self.seen.value(leaf));
        }
    }

    fn choices(&self, element: Option<u32>) -> Vec<Choice> {
        element
            .map(|element| self.seen.choices(element))
            .unwrap_or_default()
    }
}
