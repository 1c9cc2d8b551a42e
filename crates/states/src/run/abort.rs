//! Stopping threads, and with them executions: what they wait for is called
//! off, and a redrive could enter their states again.

use super::{Child, Flow, Run};
use crate::document::machine::Machine;
use crate::effect::Effect;
use crate::execution::Status;
use crate::failure::TIMEOUT;
use crate::history::{HistoryEventType as Type, details, error_fields};
use crate::states::Kind;
use crate::thread::{Awaiting, Paused, Thread, ThreadId};
use serde_json::{Map, Value};

impl Run<'_> {
    /// Stops every thread that works for `state` of the thread at work, because
    /// one of them failed.
    pub(crate) fn abort_children(&mut self, state: &str, failed: &Child, iterations: bool) {
        let thread = self.execution.threads.get(&failed.id);
        if thread.and_then(|thread| self.aborted(state, thread)) == Some(Type::TaskStateAborted) {
            self.note_aside(Type::TaskStateAborted, Map::new());
        }
        self.stop_children(state, iterations);
    }

    /// Stops every thread that works for `state` of the thread at work; whether
    /// they are `iterations` that the history names.
    pub(crate) fn stop_children(&mut self, state: &str, iterations: bool) {
        for id in self.descendants() {
            self.abort(id, state, iterations);
        }
    }

    /// Stops one thread and writes what the history says of it.
    fn abort(&mut self, id: ThreadId, state: &str, iterations: bool) {
        let Some(thread) = self.execution.threads.get(&id) else {
            return;
        };
        let stopped = thread.paused.as_ref().map(|paused| &paused.awaiting);
        if stopped == Some(&Awaiting::Redrive) {
            return;
        }
        let (place, home) = (thread.parent, thread.home);
        let kind = self.aborted(state, thread);
        self.call_off(id);
        if home == self.thread.home {
            if let Some(place) = place.filter(|place| iterations && place.thread == self.id) {
                self.note_iteration(Type::MapIterationAborted, state, place.index);
            }
            if let Some(kind) = kind {
                self.note_aside(kind, Map::new());
            }
        } else if home == Some(id) {
            let nothing = details("executionAbortedEventDetails", Value::Object(Map::new()));
            self.write(home, 0, Type::ExecutionAborted, nothing);
        }
    }

    /// What the history says when the state that a thread is in is aborted; the
    /// thread works for `state` of the thread at work, directly or not.
    fn aborted(&self, state: &str, thread: &Thread) -> Option<Type> {
        let Paused { visit, awaiting } = thread.paused.as_ref()?;
        if *awaiting == Awaiting::Turn {
            return None;
        }
        match &self
            .machine_below(state, thread)?
            .states
            .get(&visit.state)?
            .kind
        {
            Kind::Task(_) => Some(Type::TaskStateAborted),
            Kind::Wait(_) => Some(Type::WaitStateAborted),
            Kind::Parallel(_) => Some(Type::ParallelStateAborted),
            Kind::Map(_) => Some(Type::MapStateAborted),
            _ => None,
        }
    }

    /// The part of the document that such a thread is in.
    fn machine_below(&self, state: &str, thread: &Thread) -> Option<&Machine> {
        let place = thread.parent?;
        if place.thread == self.id {
            return self.machine.states.get(state)?.inner(place.index);
        }
        let parent = self.execution.threads.get(&place.thread)?;
        let machine = self.machine_below(state, parent)?;
        let state = &parent.paused.as_ref()?.visit.state;
        machine.states.get(state)?.inner(place.index)
    }

    /// Calls off what a thread waits for.
    fn call_off(&mut self, id: ThreadId) {
        let Some(thread) = self.execution.threads.get_mut(&id) else {
            return;
        };
        if let Some(paused) = thread.paused.take() {
            let paused = self.release(paused);
            if let Some(thread) = self.execution.threads.get_mut(&id) {
                thread.paused = Some(paused);
            }
        }
    }

    /// Cancels the task and the timers of a pause, and leaves it for a redrive.
    fn release(&mut self, paused: Paused) -> Paused {
        for timer in paused.awaiting.timers() {
            self.ask(Effect::CancelTimer { timer });
        }
        if let Some(task) = paused.awaiting.task() {
            self.ask(Effect::CancelTask { task });
        }
        let Paused { visit, awaiting } = paused;
        let awaiting = match awaiting {
            Awaiting::Children(mut family) => {
                family.stop();
                Awaiting::Children(family)
            }
            _ => Awaiting::Redrive,
        };
        Paused { visit, awaiting }
    }

    /// Lets go of whatever the execution waits for.
    fn release_all(&mut self) {
        if let Some(paused) = self.thread.paused.take() {
            self.thread.paused = Some(self.release(paused));
        }
        let ids: Vec<ThreadId> = self.execution.threads.keys().copied().collect();
        for id in ids {
            self.call_off(id);
        }
        self.ready.clear();
    }

    /// Someone stopped the execution.
    pub(super) fn stop(&mut self, error: String, cause: String) -> Flow {
        self.switch(ThreadId::ROOT);
        self.release_all();
        self.note_ended(
            Type::ExecutionAborted,
            "executionAbortedEventDetails",
            Value::Object(error_fields(Some(&error), Some(&cause))),
        );
        self.finish(Status::Aborted { error, cause })
    }

    /// The document's own time is over.
    pub(super) fn time_out(&mut self) -> Flow {
        self.execution.deadline = None;
        self.switch(ThreadId::ROOT);
        self.release_all();
        self.note_ended(
            Type::ExecutionTimedOut,
            "executionTimedOutEventDetails",
            Value::Object(error_fields(Some(TIMEOUT), None)),
        );
        self.finish(Status::TimedOut)
    }

    pub(super) fn end_succeeded(&mut self, output: Value) -> Flow {
        self.note_succeeded(&output);
        self.thread.paused = None;
        self.finish(Status::Succeeded { output })
    }

    /// Ends the execution badly.
    pub(super) fn end_failed(&mut self, error: Option<String>, cause: Option<String>) -> Flow {
        self.switch(ThreadId::ROOT);
        self.release_all();
        self.note_ended(
            Type::ExecutionFailed,
            "executionFailedEventDetails",
            Value::Object(error_fields(error.as_deref(), cause.as_deref())),
        );
        self.finish(Status::Failed { error, cause })
    }

    fn finish(&mut self, status: Status) -> Flow {
        if let Some(timer) = self.execution.deadline.take() {
            self.ask(Effect::CancelTimer { timer });
        }
        self.execution.status = status;
        self.ask(Effect::Finished);
        Flow::Stop
    }
}
