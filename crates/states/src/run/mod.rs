//! One step: an event goes in, every thread moves as far as it can.

mod abort;
mod awaited;
mod children;
mod exit;
mod notes;
mod redrive;
mod scope;
mod threads;

use crate::clock::Moment;
use crate::document::machine::Machine;
use crate::effect::Effect;
use crate::event::Event;
use crate::execution::{ChildEvent, Execution, Status, Step};
use crate::history::HistoryEvent;
use crate::ids::{TaskId, TimerId};
use crate::limits;
use crate::random::Random;
use crate::thread::{Awaiting, Paused, Thread, ThreadId, Visit};
use serde_json::{Map, Value};
use std::collections::VecDeque;

pub(crate) use children::{Birth, Child, Outcome};

/// An execution on the move. Lives for one call of `step`, and works on one
/// thread at a time.
pub(crate) struct Run<'d> {
    document: &'d Machine,
    execution: Execution,
    now: Moment,
    random: Random,
    history: Vec<HistoryEvent>,
    child_history: Vec<ChildEvent>,
    effects: Vec<Effect>,
    /// The thread at work, taken out of the execution's table.
    id: ThreadId,
    thread: Thread,
    /// The part of the document that thread is in.
    machine: &'d Machine,
    /// What it can read of the variables of outer threads.
    outer: Map<String, Value>,
    /// Threads that have not had their turn.
    ready: VecDeque<ThreadId>,
    /// The context object of a trial, instead of the execution's own.
    pub(crate) context: Option<Value>,
}

/// What follows a piece of work of a thread.
#[derive(Debug)]
pub(crate) enum Flow {
    /// Another state is entered.
    Next { state: String, input: Value },
    /// The thread waits, or is gone.
    Stop,
    /// The thread ended well.
    Done(Value),
    /// The thread failed.
    Failed {
        error: Option<String>,
        cause: Option<String>,
    },
}

impl<'d> Run<'d> {
    pub(crate) fn new(mut execution: Execution, machine: &'d Machine, now: Moment) -> Run<'d> {
        let root = execution.threads.remove(&ThreadId::ROOT);
        Run {
            document: machine,
            execution,
            now,
            random: Random::new(now.seed),
            history: Vec::new(),
            child_history: Vec::new(),
            effects: Vec::new(),
            id: ThreadId::ROOT,
            thread: root.unwrap_or_default(),
            machine,
            outer: Map::new(),
            ready: VecDeque::new(),
            context: None,
        }
    }

    /// Applies an event and closes the step.
    pub(crate) fn apply(mut self, event: Event) -> Step {
        let running = self.execution.status == Status::Running;
        let flow = match event {
            Event::Redriven if !running => self.redrive(),
            _ if !running => Flow::Stop,
            Event::Redriven => Flow::Stop,
            Event::Started => self.begin(),
            Event::Stopped { error, cause } => self.stop(error, cause),
            Event::TimerFired { timer } => self.timer_fired(timer),
            Event::TaskHeartbeat { task } => self.heartbeat(task),
            Event::TaskSubmitted { task, output } => self.submitted(task, &output),
            Event::TaskSucceeded { task, output } => self.task_ended(task, Ok(output)),
            Event::TaskFailed { task, error, cause } => self.task_ended(task, Err((error, cause))),
        };
        self.drive(flow);
        self.close()
    }

    /// The step as far as it went.
    fn close(mut self) -> Step {
        let thread = std::mem::take(&mut self.thread);
        self.execution.threads.insert(self.id, thread);
        Step {
            execution: self.execution,
            history: self.history,
            child_history: self.child_history,
            effects: self.effects,
        }
    }

    /// Enters states until every thread waits or the execution ends.
    fn drive(&mut self, mut flow: Flow) {
        let mut entered = 0;
        loop {
            flow = match flow {
                Flow::Next { state, input } if entered < limits::STATES_PER_STEP_MAX => {
                    entered += 1;
                    self.enter(state, input)
                }
                Flow::Next { state, input } => self.end_endless(Visit::to_come(&state, input)),
                Flow::Done(output) => self.thread_done(output),
                Flow::Failed { error, cause } => self.thread_failed(error, cause),
                Flow::Stop => match self.next_ready() {
                    Some(flow) => flow,
                    None => return,
                },
            };
        }
    }

    /// Enters a state of the thread at work.
    pub(crate) fn enter(&mut self, name: String, input: Value) -> Flow {
        let machine = self.machine;
        let Some(state) = machine.states.get(&name) else {
            return self.mismatched(&name);
        };
        let visit = Visit::to_come(&name, input);
        if let Some(flow) = self.history_full(&visit) {
            return flow;
        }
        let entered_after = self.thread.last_event;
        let entered_event = self.note_entered(state.entered(), &name, &visit.input);
        let visit = Visit {
            entered_event,
            entered_after,
            entered_at: self.now.millis,
            ..visit
        };
        state.enter(self, visit)
    }

    fn begin(&mut self) -> Flow {
        if self.execution.journal.started_at.is_some() {
            return Flow::Stop;
        }
        self.open();
        let input = self.execution.journal.input.clone();
        if let Err(failure) = self.within_limit(&input, &self.machine.start_at) {
            return self.end_failed(failure.error, failure.cause);
        }
        self.set_deadline();
        Flow::Next {
            state: self.machine.start_at.clone(),
            input,
        }
    }

    /// Notes that the execution begins.
    pub(crate) fn open(&mut self) {
        self.execution.journal.started_at = Some(self.now.millis);
        self.note_started(None);
    }

    /// What the thread at work waits for; it no longer does.
    pub(crate) fn take_pause(&mut self) -> Option<Paused> {
        self.thread.paused.take()
    }

    fn set_deadline(&mut self) {
        if let Some(seconds) = self.document.timeout_seconds {
            self.execution.deadline = Some(self.set_timer_after(seconds * 1000));
        }
    }

    /// Stays in a state until what it awaits arrives.
    pub(crate) fn pause(&mut self, visit: Visit, awaiting: Awaiting) -> Flow {
        self.thread.paused = Some(Paused { visit, awaiting });
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

    /// The state machine's ARN.
    pub(crate) fn machine_id(&self) -> &str {
        &self.execution.machine.id
    }

    /// The event that the next one follows.
    pub(crate) fn last_event(&self) -> u64 {
        self.thread.last_event
    }

    pub(crate) fn execution_id(&self) -> &str {
        &self.execution.journal.id
    }
}
