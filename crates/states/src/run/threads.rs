//! Going from thread to thread, and what the end of one means.

use super::{Child, Flow, Outcome, Run};
use crate::document::machine::Machine;
use crate::failure::RUNTIME;
use crate::history::{HistoryEventType, error_fields, payload};
use crate::limits;
use crate::states::Kind;
use crate::thread::{Awaiting, Paused, Place, Thread, ThreadId, Visit};
use serde_json::{Map, Value};

impl<'d> Run<'d> {
    /// Works on another thread from here on. `false`: there is none of that name.
    pub(super) fn switch(&mut self, id: ThreadId) -> bool {
        if id == self.id {
            return true;
        }
        let Some(next) = self.execution.threads.remove(&id) else {
            return false;
        };
        let left = std::mem::replace(&mut self.thread, next);
        self.execution.threads.insert(self.id, left);
        self.settle(id);
        true
    }

    /// Leaves the thread at work for its parent's, for good when it is done.
    fn ascend(&mut self, parent: ThreadId, done: bool) -> bool {
        let child = self.id;
        let reached = self.switch(parent);
        if reached && done {
            self.execution.threads.remove(&child);
        }
        reached
    }

    fn settle(&mut self, id: ThreadId) {
        self.id = id;
        self.machine = self.machine_of(&self.thread).unwrap_or(self.document);
        self.outer = self.outer_variables();
    }

    /// The part of the document that a thread is in: its parents say where.
    fn machine_of(&self, thread: &Thread) -> Option<&'d Machine> {
        let Some(place) = thread.parent else {
            return Some(self.document);
        };
        let parent = self.execution.threads.get(&place.thread)?;
        let state = &parent.paused.as_ref()?.visit.state;
        let machine = self.machine_of(parent)?;
        machine.states.get(state)?.inner(place.index)
    }

    /// What the thread at work can read of its parents' variables. A distributed
    /// iteration sees none: it is an execution of its own.
    fn outer_variables(&self) -> Map<String, Value> {
        let mut seen = Map::new();
        let (mut id, mut thread) = (self.id, &self.thread);
        while let Some(place) = thread.parent
            && thread.home != Some(id)
            && let Some(parent) = self.execution.threads.get(&place.thread)
        {
            for (name, value) in &parent.variables {
                seen.entry(name.clone()).or_insert_with(|| value.clone());
            }
            (id, thread) = (place.thread, parent);
        }
        seen
    }

    /// The thread whose pause fits, made the one at work.
    pub(super) fn switch_to(&mut self, fits: impl Fn(&Awaiting) -> bool) -> bool {
        let fits = |thread: &Thread| {
            let paused = thread.paused.as_ref();
            paused.is_some_and(|paused| fits(&paused.awaiting))
        };
        if fits(&self.thread) {
            return true;
        }
        let mut threads = self.execution.threads.iter();
        let found = threads.find(|(_, thread)| fits(thread)).map(|(id, _)| *id);
        found.is_some_and(|id| self.switch(id))
    }

    /// The next thread that has not had its turn in this step.
    pub(super) fn next_ready(&mut self) -> Option<Flow> {
        while let Some(id) = self.ready.pop_front() {
            let waits = self.switch(id)
                && matches!(&self.thread.paused, Some(paused) if paused.awaiting == Awaiting::Turn);
            if waits && let Some(Paused { visit, .. }) = self.thread.paused.take() {
                return Some(self.take_turn(visit));
            }
        }
        None
    }

    fn take_turn(&mut self, visit: Visit) -> Flow {
        if visit.entered_event == 0 {
            return Flow::Next {
                state: visit.state,
                input: visit.input,
            };
        }
        let machine = self.machine;
        match machine.states.get(&visit.state) {
            Some(state) => state.enter(self, visit),
            None => self.mismatched(&visit.state),
        }
    }

    /// The thread at work ended well.
    pub(super) fn thread_done(&mut self, output: Value) -> Flow {
        let Some(place) = self.thread.parent else {
            return self.end_succeeded(output);
        };
        if self.is_own_execution() {
            let fields = Value::Object(payload("output", &output));
            self.note_ended(
                HistoryEventType::ExecutionSucceeded,
                "executionSucceededEventDetails",
                fields,
            );
        }
        self.child_ended(place, Ok(output))
    }

    /// The thread at work failed.
    pub(super) fn thread_failed(&mut self, error: Option<String>, cause: Option<String>) -> Flow {
        let Some(place) = self.thread.parent else {
            return self.end_failed(error, cause);
        };
        if self.is_own_execution() {
            let fields = error_fields(error.as_deref(), cause.as_deref());
            self.note_ended(
                HistoryEventType::ExecutionFailed,
                "executionFailedEventDetails",
                Value::Object(fields),
            );
        }
        self.child_ended(place, Err((error, cause)))
    }

    fn is_own_execution(&self) -> bool {
        self.thread.home == Some(self.id)
    }

    /// Tells the parent's state how the thread at work ended.
    fn child_ended(&mut self, place: Place, outcome: Outcome) -> Flow {
        let child = Child {
            id: self.id,
            index: place.index,
            last_event: self.thread.last_event,
        };
        if !self.ascend(place.thread, outcome.is_ok()) {
            return Flow::Stop;
        }
        let machine = self.machine;
        let Some(Paused {
            visit,
            awaiting: Awaiting::Children(family),
        }) = self.thread.paused.take()
        else {
            return Flow::Stop;
        };
        match machine.states.get(&visit.state).map(|state| &state.kind) {
            Some(Kind::Parallel(parallel)) => {
                parallel.child_ended(self, visit, family, &child, outcome)
            }
            Some(Kind::Map(map)) => map.child_ended(self, visit, family, &child, outcome),
            _ => self.mismatched(&visit.state),
        }
    }

    /// Ends an execution that never comes to rest, before this visit.
    pub(super) fn end_endless(&mut self, visit: Visit) -> Flow {
        self.pause(visit, Awaiting::Redrive);
        let cause = format!(
            "The execution entered {} states without a Task or a Wait.",
            limits::STATES_PER_STEP_MAX
        );
        self.end_failed(Some(RUNTIME.to_owned()), Some(cause))
    }
}
