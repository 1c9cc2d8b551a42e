//! One step: an event goes in, the execution moves as far as it can.

mod awaited;
mod exit;
mod notes;
mod scope;

use crate::clock::Moment;
use crate::document::machine::Machine;
use crate::effect::Effect;
use crate::event::Event;
use crate::execution::{Awaiting, Execution, Paused, Status, Step, Visit};
use crate::failure::RUNTIME;
use crate::history::HistoryEvent;
use crate::ids::{TaskId, TimerId};
use crate::limits;
use crate::random::Random;
use serde_json::Value;

/// An execution on the move. Lives for one call of `step`.
pub(crate) struct Run<'d> {
    machine: &'d Machine,
    execution: Execution,
    now: Moment,
    random: Random,
    history: Vec<HistoryEvent>,
    effects: Vec<Effect>,
}

/// What follows a piece of work.
#[derive(Debug)]
pub(crate) enum Flow {
    /// Another state is entered.
    Next { state: String, input: Value },
    /// The execution waits, or has ended.
    Stop,
}

impl<'d> Run<'d> {
    pub(crate) fn new(execution: Execution, machine: &'d Machine, now: Moment) -> Run<'d> {
        Run {
            machine,
            execution,
            now,
            random: Random::new(now.seed),
            history: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Applies an event and closes the step.
    pub(crate) fn apply(mut self, event: Event) -> Step {
        if self.execution.status == Status::Running {
            let flow = match event {
                Event::Started => self.begin(),
                Event::Stopped { error, cause } => self.abort(error, cause),
                Event::TimerFired { timer } => self.timer_fired(timer),
                Event::TaskHeartbeat { task } => self.heartbeat(task),
                Event::TaskSubmitted { task, output } => self.submitted(task, &output),
                Event::TaskSucceeded { task, output } => self
                    .task_ended(task, |run, state, visit| {
                        state.succeeded(run, visit, output)
                    }),
                Event::TaskFailed { task, error, cause } => self
                    .task_ended(task, |run, state, visit| {
                        state.reported(run, visit, error, cause)
                    }),
            };
            self.drive(flow);
        }
        Step {
            execution: self.execution,
            history: self.history,
            effects: self.effects,
        }
    }

    /// Enters states until one waits or the execution ends.
    fn drive(&mut self, mut flow: Flow) {
        let mut entered = 0;
        while let Flow::Next { state, input } = flow {
            entered += 1;
            flow = if entered > limits::STATES_PER_STEP_MAX {
                self.end_failed(
                    Some(RUNTIME.to_owned()),
                    Some(format!(
                        "The execution entered {} states without a Task or a Wait.",
                        limits::STATES_PER_STEP_MAX
                    )),
                )
            } else {
                self.enter(state, input)
            };
        }
    }

    fn enter(&mut self, name: String, input: Value) -> Flow {
        let machine = self.machine;
        let Some(state) = machine.states.get(&name) else {
            return self.end_mismatch(&name);
        };
        if let Some(flow) = self.history_full() {
            return flow;
        }
        let entered_event = self.note_entered(state.entered(), &name, &input);
        let visit = Visit {
            state: name,
            input,
            entered_event,
            entered_at: self.now.millis,
            attempt: 0,
            retries: Vec::new(),
        };
        state.enter(self, visit)
    }

    fn begin(&mut self) -> Flow {
        if self.execution.started_at.is_some() {
            return Flow::Stop;
        }
        self.execution.started_at = Some(self.now.millis);
        self.note_started();
        let input = self.execution.input.clone();
        if let Err(failure) = self.within_limit(&input, &self.machine.start_at) {
            return self.end_failed(Some(failure.error), failure.cause);
        }
        if let Some(seconds) = self.machine.timeout_seconds {
            self.execution.deadline = Some(self.set_timer_after(seconds * 1000));
        }
        Flow::Next {
            state: self.machine.start_at.clone(),
            input,
        }
    }

    /// Stays in a state until what it awaits arrives.
    pub(crate) fn pause(&mut self, visit: Visit, awaiting: Awaiting) -> Flow {
        self.execution.paused = Some(Paused { visit, awaiting });
        Flow::Stop
    }

    /// Adds an effect.
    pub(crate) fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Sets a timer for a moment.
    pub(crate) fn set_timer(&mut self, due: i64) -> TimerId {
        self.execution.names_used += 1;
        let timer = TimerId(self.execution.names_used);
        self.ask(Effect::SetTimer { timer, due });
        timer
    }

    /// Sets a timer for later.
    pub(crate) fn set_timer_after(&mut self, millis: u64) -> TimerId {
        self.set_timer(self.now.millis.saturating_add_unsigned(millis))
    }

    /// A name for a new task.
    pub(crate) fn name_task(&mut self) -> TaskId {
        self.execution.names_used += 1;
        TaskId(self.execution.names_used)
    }

    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    pub(crate) fn random(&self) -> &Random {
        &self.random
    }

    pub(crate) fn execution_id(&self) -> &str {
        &self.execution.id
    }
}
