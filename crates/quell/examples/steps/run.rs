//! One execution, on virtual time.

use std::collections::{BTreeMap, VecDeque};

use quell_states::{
    Definition, Effect, Event, Execution, MachineRef, Moment, TaskRequest, TimerId,
};
use serde_json::Value;

/// An execution, with what it still wants.
pub(crate) struct Run {
    definition: Definition,
    pub(crate) execution: Execution,
    tasks: VecDeque<TaskRequest>,
    timers: BTreeMap<TimerId, i64>,
    pub(crate) now: i64,
    events: u64,
}

/// What an execution wants next.
pub(crate) enum Next {
    /// The doing of its oldest task.
    Task(TaskRequest),
    /// To be told of a timer. It is that moment now.
    Timer(Event),
    /// Something that nobody will tell it.
    Nothing,
}

impl Run {
    pub(crate) fn new(
        definition: Definition,
        id: &str,
        name: &str,
        input: Value,
        machine: MachineRef,
        now: i64,
    ) -> Self {
        Self {
            definition,
            execution: Execution::new(id, name, input, machine),
            tasks: VecDeque::new(),
            timers: BTreeMap::new(),
            now,
            events: 0,
        }
    }

    pub(crate) fn send(&mut self, event: Event) {
        self.events += 1;
        let moment = Moment::new(self.now, self.events);
        let step = self.execution.clone().step(&self.definition, event, moment);
        self.execution = step.execution;
        for effect in step.effects {
            match effect {
                Effect::StartTask(task) => self.tasks.push_back(task),
                Effect::SetTimer { timer, due } => _ = self.timers.insert(timer, due),
                Effect::CancelTimer { timer } => _ = self.timers.remove(&timer),
                Effect::CancelTask { task } => self.tasks.retain(|open| open.task != task),
                Effect::Finished => {}
            }
        }
    }

    /// A task when there is one, else the next timer.
    pub(crate) fn next(&mut self) -> Next {
        if let Some(task) = self.tasks.pop_front() {
            return Next::Task(task);
        }
        let next = self.timers.iter().min_by_key(|(_, due)| **due);
        let Some((&timer, &due)) = next else {
            return Next::Nothing;
        };
        self.timers.remove(&timer);
        self.now = self.now.max(due);
        Next::Timer(Event::TimerFired { timer })
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }
}
