//! A set as it was at one moment.

use std::sync::Arc;

use super::part::Part;
use crate::error::EventError;
use crate::event::{Event, text};
use crate::index::Memo;
use crate::scan::{Extent, Paths, Scanner, Seen};

/// A [`crate::Set`] as it was when [`crate::Set::snapshot`] was called.
///
/// It never changes, so any number of threads read it at once, without locks; a clone is the same snapshot, at the cost
/// of a counter. Whoever changes the set hands out a new snapshot.
#[derive(Debug)]
pub struct Snapshot<N> {
    shared: Arc<Shared<N>>,
}

#[derive(Debug)]
struct Shared<N> {
    paths: Arc<Paths>,
    parts: Vec<Part<N>>,
}

/// Memory for matching, which a thread uses again from event to event and from snapshot to snapshot: once it has grown,
/// matching allocates nothing but its answer (except where values of one pattern lie in several arrays, or have
/// escapes).
///
/// It grows with the longest event and with the largest set: see the README.
#[derive(Debug, Default)]
pub struct Scratch {
    scanner: Scanner,
    memos: Vec<Memo>,
}

impl Scratch {
    /// Empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much was done for all events so far by the indices, and for the last event by the reader.
    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        let memos = self.memos.iter().map(|memo| memo.marks.steps);
        self.scanner.leaves.steps + memos.sum::<usize>()
    }
}

impl<N> Clone for Snapshot<N> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<N> Snapshot<N> {
    pub(super) fn new(paths: Arc<Paths>, parts: Vec<Part<N>>) -> Self {
        Self {
            shared: Arc::new(Shared { paths, parts }),
        }
    }
}

impl<N: Ord> Snapshot<N> {
    /// The names that the event with these bytes matches, in their order: those of which [`crate::Pattern::matches`] is
    /// true for any pattern.
    ///
    /// # Errors
    ///
    /// When [`Event::parse`] fails, with the same error, whatever the patterns ask for; and when the event has 4 GiB or
    /// more.
    pub fn matching(&self, event: &[u8], scratch: &mut Scratch) -> Result<Vec<&N>, EventError> {
        self.names(text(event)?, Extent::Whole, scratch)
            .ok_or_else(|| refusal(event))
    }

    /// As [`Snapshot::matching`], of an event that was read before and is known to be in order. It is read only as far
    /// as the last field that any pattern asks for, and what is skipped is not looked at: for patterns that ask for few
    /// fields it is several times as fast.
    ///
    /// The caller answers for two things: that [`Event::parse`] accepts the event, and that in no object of it two names
    /// are the same up to their first dot. If they are, what comes later may not count.
    ///
    /// ```
    /// use quell_pattern::{Pattern, Scratch, Set};
    ///
    /// let mut rules = Set::new();
    /// rules.add("any-s3", Pattern::parse(r#"{"source": ["aws.s3"]}"#)?);
    ///
    /// let event = serde_json::json!({"source": "aws.s3", "detail": {"eventName": "DeleteBucket"}}).to_string();
    /// let found = rules.snapshot().matching_known(&event, &mut Scratch::new())?.len();
    /// assert_eq!(found, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When [`Event::parse`] fails, with the same error, if the fault is in what was read; and when the event has 4 GiB
    /// or more.
    pub fn matching_known(
        &self,
        event: &str,
        scratch: &mut Scratch,
    ) -> Result<Vec<&N>, EventError> {
        let text = event.strip_prefix('\u{feff}').unwrap_or(event);
        self.names(text, Extent::Needed, scratch)
            .ok_or_else(|| refusal(event.as_bytes()))
    }

    fn names(&self, text: &str, extent: Extent, scratch: &mut Scratch) -> Option<Vec<&N>> {
        let Shared { paths, parts } = &*self.shared;
        scratch.scanner.read(text, paths, extent)?;
        let seen = Seen {
            text,
            leaves: &scratch.scanner.leaves,
        };
        scratch
            .memos
            .resize_with(parts.len().max(scratch.memos.len()), Memo::default);
        let mut names = Vec::new();
        for (part, memo) in parts.iter().zip(&mut scratch.memos) {
            part.index().find(seen, memo, |pattern| {
                if names.is_empty() {
                    names.reserve(16);
                }
                names.extend(part.name(pattern));
            });
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }
}

/// Why an event is refused. The plain parser refuses the same events and knows the reason.
#[cold]
fn refusal(event: &[u8]) -> EventError {
    Event::parse(event).err().unwrap_or(EventError::TooLarge)
}
