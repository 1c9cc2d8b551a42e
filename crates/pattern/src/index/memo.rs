//! What is known of the conditions while one event is matched. Kept from event to event; nothing is ever cleared, for
//! every mark bears the number of its event.

/// Marks and lists for one index.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    pub(crate) marks: Marks,
    /// The conditions that the index found to hold, each once.
    pub(crate) held: Vec<u32>,
    /// By posting: the event in which it was last visited.
    visited: Vec<u32>,
    /// Room to fold text in.
    pub(crate) folded: String,
}

/// A mark for each condition.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    event: u32,
    /// Twice the number of the event, plus one when the condition accepts a value.
    conditions: Vec<u32>,
    /// How many conditions were checked or tried: what tests bound.
    pub(crate) steps: usize,
}

const EVENTS: u32 = u32::MAX / 2;

impl Memo {
    /// Forgets the last event.
    pub(crate) fn begin(&mut self, conditions: usize, postings: usize) {
        self.held.clear();
        grow(&mut self.marks.conditions, conditions);
        grow(&mut self.visited, postings);
        self.marks.event += 1;
        if self.marks.event == EVENTS {
            self.marks.conditions.fill(0);
            self.visited.fill(0);
            self.marks.event = 1;
        }
    }

    /// Whether the list `posting` is visited for the first time in this event.
    pub(crate) fn first_visit(&mut self, posting: usize) -> bool {
        let event = self.marks.event;
        let last = self.visited.get_mut(posting);
        last.is_some_and(|last| std::mem::replace(last, event) != event)
    }

    /// Marks that a condition accepts a value.
    pub(crate) fn hold(&mut self, condition: u32) {
        self.marks.steps += 1;
        if !self.marks.holds(condition) {
            self.marks.know(condition, true);
            self.held.push(condition);
        }
    }
}

impl Marks {
    /// Whether a condition is marked.
    pub(crate) fn holds(&self, condition: u32) -> bool {
        self.known(condition) == Some(true)
    }

    /// What is known of a condition.
    pub(crate) fn known(&self, condition: u32) -> Option<bool> {
        let mark = *self.conditions.get(usize::try_from(condition).ok()?)?;
        (mark / 2 == self.event).then_some(mark % 2 == 1)
    }

    /// Notes whether a condition accepts a value.
    pub(crate) fn know(&mut self, condition: u32, accepts: bool) {
        let mark = 2 * self.event + u32::from(accepts);
        let slot = usize::try_from(condition)
            .ok()
            .and_then(|at| self.conditions.get_mut(at));
        if let Some(slot) = slot {
            *slot = mark;
        }
    }
}

fn grow(marks: &mut Vec<u32>, len: usize) {
    if marks.len() < len {
        marks.resize(len, 0);
    }
}
