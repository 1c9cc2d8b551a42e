//! What the threads wait for, and what happens when it comes.

use super::{Flow, Run};
use crate::effect::Effect;
use crate::ids::{TaskId, TimerId};
use crate::states::{Kind, State, task::Task};
use crate::thread::{Awaiting, Outstanding, Paused, Visit};
use serde_json::Value;

impl Run<'_> {
    pub(super) fn timer_fired(&mut self, timer: TimerId) -> Flow {
        if self.execution.deadline == Some(timer) {
            return self.time_out();
        }
        if !self.switch_to(|awaiting| awaiting.timers().any(|awaited| awaited == timer)) {
            return Flow::Stop;
        }
        let Some(Paused { visit, awaiting }) = self.thread.paused.take() else {
            return Flow::Stop;
        };
        match awaiting {
            Awaiting::Wait { .. } => self.resume(visit, |run, state, visit| state.wake(run, visit)),
            Awaiting::Retry { .. } => {
                self.resume(visit, |run, state, visit| state.enter(run, visit))
            }
            Awaiting::Task(task) => {
                let silent = task.timeout != Some(timer);
                self.lose_patience(visit, task, timer, silent)
            }
            awaiting => self.pause(visit, awaiting),
        }
    }

    /// A task's own timer fired: nobody waits for the task any more.
    fn lose_patience(
        &mut self,
        visit: Visit,
        task: Outstanding,
        fired: TimerId,
        silent: bool,
    ) -> Flow {
        let id = task.task;
        self.cancel_timers(&Awaiting::Task(task), Some(fired));
        self.ask(Effect::CancelTask { task: id });
        self.resume_task(visit, |run, state, visit| {
            state.timed_out(run, visit, silent)
        })
    }

    pub(super) fn heartbeat(&mut self, task: TaskId) -> Flow {
        if !self.switch_to(|awaiting| awaiting.task() == Some(task)) {
            return Flow::Stop;
        }
        let Some(Paused { visit, awaiting }) = self.thread.paused.take() else {
            return Flow::Stop;
        };
        let mut awaiting = awaiting;
        if let Awaiting::Task(outstanding) = &mut awaiting
            && let Some(heartbeat) = &mut outstanding.heartbeat
        {
            self.ask(Effect::CancelTimer {
                timer: heartbeat.timer,
            });
            heartbeat.timer = self.set_timer_after(heartbeat.millis);
        }
        self.pause(visit, awaiting)
    }

    pub(super) fn submitted(&mut self, task: TaskId, output: &Value) -> Flow {
        if self.switch_to(|awaiting| awaiting.task() == Some(task))
            && let Some(Paused {
                visit,
                awaiting: Awaiting::Task(_),
            }) = &self.thread.paused
            && let Some(State {
                kind: Kind::Task(state),
            }) = self.machine.states.get(&visit.state)
        {
            self.note_task_submitted(&state.resource, output);
        }
        Flow::Stop
    }

    /// A task ended, if it is awaited.
    pub(super) fn task_ended(
        &mut self,
        task: TaskId,
        outcome: Result<Value, (String, String)>,
    ) -> Flow {
        if !self.switch_to(|awaiting| awaiting.task() == Some(task)) {
            return Flow::Stop;
        }
        let Some(Paused { visit, awaiting }) = self.thread.paused.take() else {
            return Flow::Stop;
        };
        self.cancel_timers(&awaiting, None);
        match awaiting {
            Awaiting::Object(transfer) => {
                self.resume(visit, |run, state, visit| match &state.kind {
                    Kind::Map(map) => map.object_moved(run, visit, *transfer, outcome),
                    _ => run.mismatched(&visit.state),
                })
            }
            _ => self.resume_task(visit, |run, state, visit| match outcome {
                Ok(output) => state.succeeded(run, visit, output),
                Err((error, cause)) => state.reported(run, visit, error, cause),
            }),
        }
    }

    fn resume(
        &mut self,
        visit: Visit,
        then: impl FnOnce(&mut Self, &State, Visit) -> Flow,
    ) -> Flow {
        let machine = self.machine;
        match machine.states.get(&visit.state) {
            Some(state) => match self.history_full(&visit) {
                Some(flow) => flow,
                None => then(self, state, visit),
            },
            None => self.mismatched(&visit.state),
        }
    }

    fn resume_task(
        &mut self,
        visit: Visit,
        then: impl FnOnce(&mut Self, &Task, Visit) -> Flow,
    ) -> Flow {
        self.resume(visit, |run, state, visit| match &state.kind {
            Kind::Task(task) => then(run, task, visit),
            _ => run.mismatched(&visit.state),
        })
    }

    fn cancel_timers(&mut self, awaiting: &Awaiting, fired: Option<TimerId>) {
        for timer in awaiting.timers().filter(|timer| Some(*timer) != fired) {
            self.ask(Effect::CancelTimer { timer });
        }
    }
}
