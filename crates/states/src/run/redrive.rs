//! Taking up an execution that ended badly.

use super::{Flow, Run};
use crate::execution::Status;
use crate::history::{HistoryEventType as Type, details};
use crate::thread::{Awaiting, Paused, Thread, ThreadId};
use serde_json::json;

impl Run<'_> {
    /// Enters again what failed or was aborted, with its old input and fresh
    /// retries; what ended well is kept. Nothing happens where no state was left
    /// waiting for it.
    pub(super) fn redrive(&mut self) -> Flow {
        let succeeded = matches!(self.execution.status, Status::Succeeded { .. });
        let ids: Vec<ThreadId> = self
            .threads()
            .filter(|(_, t)| is_left(t))
            .map(|(id, _)| id)
            .collect();
        if succeeded || ids.is_empty() {
            return Flow::Stop;
        }
        self.execution.status = Status::Running;
        self.note_redriven(None);
        self.set_deadline();
        self.reopen_families();
        for id in ids {
            self.ready_again(id);
        }
        Flow::Stop
    }

    fn threads(&self) -> impl Iterator<Item = (ThreadId, &Thread)> {
        let rest = self
            .execution
            .threads
            .iter()
            .map(|(id, thread)| (*id, thread));
        std::iter::once((self.id, &self.thread)).chain(rest)
    }

    /// Every state that waits for children counts those that are left.
    fn reopen_families(&mut self) {
        let left: Vec<_> = self
            .threads()
            .filter_map(|(id, thread)| Some((id, thread.parent?)))
            .collect();
        for (id, place) in left {
            if self.execution.children.contains_key(&id) {
                self.note_redriven(Some(id));
            }
            let parent = match place.thread == self.id {
                true => Some(&mut self.thread),
                false => self.execution.threads.get_mut(&place.thread),
            };
            if let Some(Paused {
                awaiting: Awaiting::Children(family),
                ..
            }) = parent.and_then(|parent| parent.paused.as_mut())
            {
                family.reopen(place.index);
            }
        }
        let runs: Vec<_> = self
            .threads()
            .filter_map(|(id, thread)| match &thread.paused.as_ref()?.awaiting {
                Awaiting::Children(family) => Some((id, family.map_run.as_ref()?.arn.clone())),
                _ => None,
            })
            .collect();
        for (id, arn) in runs {
            self.switch(id);
            let fields =
                json!({ "mapRunArn": arn, "redriveCount": self.execution.journal.redrives });
            self.note(
                Type::MapRunRedriven,
                details("mapRunRedrivenEventDetails", fields),
            );
        }
    }

    fn ready_again(&mut self, id: ThreadId) {
        self.switch(id);
        if let Some(paused) = &mut self.thread.paused {
            paused.awaiting = Awaiting::Turn;
            paused.visit.attempt = 0;
            paused.visit.retries.clear();
            self.ready.push_back(id);
        }
    }

    fn note_redriven(&mut self, home: Option<ThreadId>) {
        let journal = match home {
            None => &mut self.execution.journal,
            Some(id) => self.execution.children.entry(id).or_default(),
        };
        journal.redrives = journal.redrives.saturating_add(1);
        let fields = json!({ "redriveCount": journal.redrives });
        let previous = journal.events_written;
        let details = details("executionRedrivenEventDetails", fields);
        let redriven = self.write(home, previous, Type::ExecutionRedriven, details);
        // What the thread writes next follows from this.
        if home.is_none() {
            self.thread.last_event = redriven;
        }
    }
}

/// Whether a thread was left for a redrive.
fn is_left(thread: &Thread) -> bool {
    let paused = thread.paused.as_ref();
    paused.is_some_and(|paused| paused.awaiting == Awaiting::Redrive)
}
