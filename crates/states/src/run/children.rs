//! Branches and iterations: beginning them and letting go of them.

use super::Run;
use crate::thread::{Awaiting, Journal, Paused, Place, Thread, ThreadId, Visit};
use serde_json::Value;
use std::collections::BTreeSet;

/// A branch or iteration that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) id: ThreadId,
    pub(crate) index: usize,
    /// The last history event of its thread.
    pub(crate) last_event: u64,
}

/// How it ended: with its output, or with an error and a cause.
pub(crate) type Outcome = Result<Value, (Option<String>, Option<String>)>;

/// A branch or iteration to begin.
#[derive(Debug)]
pub(crate) struct Birth<'a> {
    pub(crate) index: usize,
    pub(crate) start_at: &'a str,
    pub(crate) input: Value,
    /// `$states.context.Map.Item`.
    pub(crate) item: Option<Value>,
    /// The event that its first one follows.
    pub(crate) last_event: u64,
    /// Of an iteration that is an execution of its own.
    pub(crate) journal: Option<Journal>,
}

impl Run<'_> {
    /// Begins a thread that works for the thread at work; it has its turn later
    /// in this step.
    pub(crate) fn spawn(&mut self, birth: Birth<'_>) {
        self.execution.threads_begun += 1;
        let id = ThreadId(self.execution.threads_begun);
        let home = match birth.journal {
            Some(journal) => {
                self.execution.children.insert(id, journal);
                self.note_started(Some(id));
                Some(id)
            }
            None => self.thread.home,
        };
        let parent = Place {
            thread: self.id,
            index: birth.index,
        };
        let thread = Thread {
            parent: Some(parent),
            home,
            last_event: birth.last_event,
            paused: Some(Paused {
                visit: Visit::to_come(birth.start_at, birth.input),
                awaiting: Awaiting::Turn,
            }),
            item: birth.item,
            ..Thread::default()
        };
        self.execution.threads.insert(id, thread);
        self.ready.push_back(id);
    }

    /// Threads under way, the one at work among them.
    pub(crate) fn live(&self) -> usize {
        self.execution.threads.len() + 1
    }

    /// The item of the iteration that the thread at work is in.
    pub(crate) fn item(&self) -> Option<&Value> {
        self.thread.item.as_ref()
    }

    /// Follows another event from here on.
    pub(crate) fn follow(&mut self, event: u64) {
        self.thread.last_event = event;
    }

    /// What a distributed iteration was.
    pub(crate) fn journal_of(&self, child: ThreadId) -> Option<&Journal> {
        self.execution.children.get(&child)
    }

    /// Forgets a distributed iteration that ended well.
    pub(crate) fn forget_journal(&mut self, child: ThreadId) {
        self.execution.children.remove(&child);
    }

    /// Forgets every thread that works for the thread at work.
    pub(crate) fn disown(&mut self) {
        for id in self.descendants() {
            self.execution.threads.remove(&id);
            self.execution.children.remove(&id);
        }
    }

    /// The threads that work for the thread at work, directly or not, parents
    /// before their children.
    pub(super) fn descendants(&self) -> BTreeSet<ThreadId> {
        let mut family = BTreeSet::new();
        // A child's id is larger than its parent's, so one pass finds all.
        for (id, thread) in &self.execution.threads {
            let parent = thread.parent.map(|place| place.thread);
            if parent.is_some_and(|parent| parent == self.id || family.contains(&parent)) {
                family.insert(*id);
            }
        }
        family
    }
}
