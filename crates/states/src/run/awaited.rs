//! What an execution waits for, and what happens when it comes.

use super::{Flow, Run};
use crate::effect::Effect;
use crate::execution::{Awaiting, Outstanding, Paused, Status, Visit};
use crate::failure::TIMEOUT;
use crate::history::{HistoryEventType, error_fields};
use crate::ids::{TaskId, TimerId};
use crate::states::{Kind, State, task::Task};
use serde_json::Value;

impl Run<'_> {
    pub(super) fn timer_fired(&mut self, timer: TimerId) -> Flow {
        if self.execution.deadline == Some(timer) {
            self.execution.deadline = None;
            self.release();
            self.note_ended(
                HistoryEventType::ExecutionTimedOut,
                "executionTimedOutEventDetails",
                error_fields(Some(TIMEOUT), None),
            );
            return self.finish(Status::TimedOut);
        }
        let Some(paused) = self.execution.paused.take() else {
            return Flow::Stop;
        };
        let Paused { visit, awaiting } = paused;
        match awaiting {
            Awaiting::Wait { timer: due } if due == timer => {
                self.resume(visit, |run, state, visit| state.wake(run, visit))
            }
            Awaiting::Retry { timer: due } if due == timer => {
                self.resume(visit, |run, state, visit| state.enter(run, visit))
            }
            Awaiting::Task(task) if task.timeout == Some(timer) => {
                self.give_up(visit, task, timer, false)
            }
            Awaiting::Task(task) if task.heartbeat.as_ref().is_some_and(|h| h.timer == timer) => {
                self.give_up(visit, task, timer, true)
            }
            awaiting => self.pause(visit, awaiting),
        }
    }

    /// A task's own timer fired: nobody waits for the task any more.
    fn give_up(&mut self, visit: Visit, task: Outstanding, fired: TimerId, silent: bool) -> Flow {
        self.cancel_timers(&task, Some(fired));
        self.ask(Effect::CancelTask { task: task.task });
        self.resume_task(visit, |run, state, visit| {
            state.timed_out(run, visit, silent)
        })
    }

    pub(super) fn heartbeat(&mut self, task: TaskId) -> Flow {
        let now = self.now.millis;
        let Some(Paused { visit, awaiting }) = self.execution.paused.take() else {
            return Flow::Stop;
        };
        let mut awaiting = awaiting;
        if let Awaiting::Task(outstanding) = &mut awaiting
            && outstanding.task == task
            && let Some(heartbeat) = &mut outstanding.heartbeat
        {
            self.ask(Effect::CancelTimer {
                timer: heartbeat.timer,
            });
            heartbeat.timer = self.set_timer(now.saturating_add_unsigned(heartbeat.millis));
        }
        self.pause(visit, awaiting)
    }

    pub(super) fn submitted(&mut self, task: TaskId, output: &Value) -> Flow {
        let awaited = match &self.execution.paused {
            Some(Paused {
                visit,
                awaiting: Awaiting::Task(outstanding),
            }) if outstanding.task == task => self.machine.states.get(&visit.state),
            _ => None,
        };
        if let Some(State {
            kind: Kind::Task(state),
        }) = awaited
        {
            self.note_task_submitted(&state.resource, output);
        }
        Flow::Stop
    }

    /// A task ended, if it is the one awaited.
    pub(super) fn task_ended(
        &mut self,
        task: TaskId,
        then: impl FnOnce(&mut Self, &Task, Visit) -> Flow,
    ) -> Flow {
        match self.execution.paused.take() {
            Some(Paused {
                visit,
                awaiting: Awaiting::Task(outstanding),
            }) if outstanding.task == task => {
                self.cancel_timers(&outstanding, None);
                self.resume_task(visit, then)
            }
            other => {
                self.execution.paused = other;
                Flow::Stop
            }
        }
    }

    fn resume(
        &mut self,
        visit: Visit,
        then: impl FnOnce(&mut Self, &State, Visit) -> Flow,
    ) -> Flow {
        let machine = self.machine;
        match machine.states.get(&visit.state) {
            Some(state) => match self.history_full() {
                Some(flow) => flow,
                None => then(self, state, visit),
            },
            None => self.end_mismatch(&visit.state),
        }
    }

    fn resume_task(
        &mut self,
        visit: Visit,
        then: impl FnOnce(&mut Self, &Task, Visit) -> Flow,
    ) -> Flow {
        self.resume(visit, |run, state, visit| match &state.kind {
            Kind::Task(task) => then(run, task, visit),
            _ => run.end_mismatch(&visit.state),
        })
    }

    /// Lets go of whatever the execution waits for.
    pub(super) fn release(&mut self) {
        let Some(paused) = self.execution.paused.take() else {
            return;
        };
        match paused.awaiting {
            Awaiting::Task(task) => {
                self.cancel_timers(&task, None);
                self.ask(Effect::CancelTask { task: task.task });
            }
            Awaiting::Wait { timer } | Awaiting::Retry { timer } => {
                self.ask(Effect::CancelTimer { timer });
            }
        }
    }

    fn cancel_timers(&mut self, task: &Outstanding, fired: Option<TimerId>) {
        let timers = [
            task.timeout,
            task.heartbeat.as_ref().map(|heartbeat| heartbeat.timer),
        ];
        for timer in timers.into_iter().flatten() {
            if Some(timer) != fired {
                self.ask(Effect::CancelTimer { timer });
            }
        }
    }
}
