//! What is known of the conditions while one event is matched. Kept from event to event; nothing is cleared between them,
//! for every mark bears the number of its event.

/// Marks and lists for one index.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    pub(crate) marks: Marks,
    /// The conditions that the index found to hold, each once.
    pub(crate) held: Vec<u32>,
    /// By posting: the number of the value that visited it last.
    visited: Vec<u32>,
    /// The number of the value looked up now, counted through all events, and of the first of this event.
    value: u32,
    first_value: u32,
    /// Room to fold text in.
    pub(crate) folded: String,
}

/// A mark for each condition.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    event: u32,
    /// Twice the number of the event, plus one when the condition accepts a value.
    conditions: Vec<u32>,
    /// How much was done, in what takes about the same time each. Tests hold it to its bounds.
    pub(crate) steps: usize,
}

/// How a posting was visited before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Visit {
    FirstOfEvent,
    FirstOfValue,
    Again,
}

const EVENTS: u32 = u32::MAX / 2;

impl Memo {
    /// Forgets the last event. There are `values` to come.
    pub(crate) fn begin(&mut self, conditions: usize, postings: usize, values: usize) {
        self.held.clear();
        grow(&mut self.marks.conditions, conditions);
        grow(&mut self.visited, postings);
        self.marks.event += 1;
        if self.marks.event == EVENTS {
            self.marks.conditions.fill(0);
            self.marks.event = 1;
        }
        let last = u32::try_from(values)
            .ok()
            .and_then(|values| self.value.checked_add(values));
        if last.is_none() {
            self.visited.fill(0);
            self.value = 0;
        }
        self.first_value = self.value.saturating_add(1);
    }

    /// Says that the next value is looked up.
    pub(crate) fn next_value(&mut self) {
        self.value = self.value.saturating_add(1);
    }

    /// Notes that the value now looked up visits `posting`.
    pub(crate) fn visit(&mut self, posting: usize) -> Visit {
        self.marks.steps += 1;
        let Some(last) = self.visited.get_mut(posting) else {
            return Visit::Again;
        };
        match std::mem::replace(last, self.value) {
            last if last == self.value => Visit::Again,
            last if last >= self.first_value => Visit::FirstOfValue,
            _ => Visit::FirstOfEvent,
        }
    }

    /// Whether a value of the event visited `posting`.
    pub(crate) fn was_visited(&self, posting: usize) -> bool {
        self.visited
            .get(posting)
            .is_some_and(|last| *last >= self.first_value)
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
        let slot = usize::try_from(condition).ok();
        if let Some(slot) = slot.and_then(|at| self.conditions.get_mut(at)) {
            *slot = mark;
        }
    }
}

fn grow(marks: &mut Vec<u32>, len: usize) {
    if marks.len() < len {
        marks.resize(len, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_end_with_their_event_even_when_the_numbers_begin_again() {
        let mut memo = Memo::default();
        memo.marks.event = EVENTS - 2;
        memo.value = u32::MAX - 3;
        for _ in 0..4 {
            memo.begin(1, 1, 2);
            assert!(memo.held.is_empty() && !memo.marks.holds(0));
            memo.next_value();
            assert!(!memo.was_visited(0));
            assert_eq!(memo.visit(0), Visit::FirstOfEvent);
            assert_eq!(memo.visit(0), Visit::Again);
            memo.next_value();
            assert!(memo.was_visited(0));
            assert_eq!(memo.visit(0), Visit::FirstOfValue);
            memo.hold(0);
            memo.hold(0);
            assert!(memo.held == [0] && memo.marks.holds(0));
        }
        assert!(memo.marks.event < 4 && memo.value < 8, "both began again");
    }
}
