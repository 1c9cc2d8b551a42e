//! Running a definition on virtual time, its tasks answered as a recording says.

use crate::common::{START, fresh};
use crate::compare::{alike, decoded};
use crate::objects;
use quell_states::{
    Definition, Effect, Event, HistoryEvent, Moment, Resource, Status, TaskId, TaskRequest, TimerId,
};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// The history of a run that gets the recorded answers.
pub(crate) fn replay(
    definition: &Definition,
    document: &Value,
    input: Value,
    recording: &[Value],
) -> Vec<HistoryEvent> {
    let mut world = World {
        document,
        recording,
        answers: recording
            .iter()
            .filter_map(|event| Answer::of(event, recording))
            .collect(),
        tasks: Vec::new(),
        timers: Vec::new(),
        now: START,
    };
    let mut execution = fresh(input);
    let mut history = Vec::new();
    let mut event = Some(Event::Started);
    for seed in 0..2000 {
        let Some(happened) = event else { break };
        let step = execution.step(definition, happened, Moment::new(world.now, seed));
        execution = step.execution;
        history.extend(step.history);
        world.perform(step.effects);
        if *execution.status() != Status::Running {
            break;
        }
        event = world.next();
    }
    history
}

struct World<'r> {
    document: &'r Value,
    recording: &'r [Value],
    answers: VecDeque<Answer>,
    tasks: Vec<TaskRequest>,
    timers: Vec<(TimerId, i64)>,
    now: i64,
}

impl World<'_> {
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::StartTask(request) => self.tasks.push(request),
                Effect::CancelTask { task } => self.tasks.retain(|open| open.task != task),
                Effect::SetTimer { timer, due } => self.timers.push((timer, due)),
                Effect::CancelTimer { timer } => self.timers.retain(|(id, _)| *id != timer),
                Effect::Finished => {}
            }
        }
    }

    fn next(&mut self) -> Option<Event> {
        let moves = |task: &TaskRequest| objects::is_transfer(task, self.document);
        if let Some(n) = self.tasks.iter().position(moves) {
            let request = self.tasks.remove(n);
            return Some(objects::answer(&request, self.document, self.recording));
        }
        if !self.tasks.is_empty()
            && let Some(answer) = self.answers.pop_front()
        {
            return match answer.end {
                End::TimedOut => self.fire(),
                _ => Some(self.answered(answer)),
            };
        }
        self.fire().or_else(|| self.echo())
    }

    fn answered(&mut self, answer: Answer) -> Event {
        let asked = |task: &TaskRequest| alike(&answer.arguments, &task.arguments).is_ok();
        let n = self.tasks.iter().position(asked).unwrap_or_default();
        let task = self.tasks[n].task;
        if !matches!(answer.end, End::Submitted(_)) {
            self.tasks.remove(n);
        }
        answer.event(task)
    }

    fn fire(&mut self) -> Option<Event> {
        let due = self.timers.iter().min_by_key(|(_, due)| *due).copied()?;
        self.timers.retain(|timer| *timer != due);
        self.now = self.now.max(due.1);
        Some(Event::TimerFired { timer: due.0 })
    }

    /// What a child of a distributed Map did is in a history of its own, which
    /// was not recorded: its functions return what they are given.
    fn echo(&mut self) -> Option<Event> {
        let request = self.tasks.pop()?;
        let output = match request.resource {
            Resource::Lambda { .. } => request.arguments,
            _ => Value::Object(Map::new()),
        };
        Some(Event::TaskSucceeded {
            task: request.task,
            output,
        })
    }
}

/// What the recording says of one task.
struct Answer {
    end: End,
    /// What the task was asked, where the recording links the two.
    arguments: Value,
}

enum End {
    Submitted(Value),
    Succeeded(Value),
    Failed { error: String, cause: String },
    TimedOut,
}

impl Answer {
    fn of(event: &Value, recording: &[Value]) -> Option<Answer> {
        let details = details(event);
        let output = || decoded(&details["output"]);
        let text = |name: &str| match &details[name] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            value => value.to_string(),
        };
        let end = match event["type"].as_str()? {
            "TaskSubmitted" => End::Submitted(output()),
            "TaskSucceeded" | "LambdaFunctionSucceeded" | "ActivitySucceeded" => {
                End::Succeeded(output())
            }
            "TaskFailed" | "LambdaFunctionFailed" | "ActivityFailed" => End::Failed {
                error: text("error"),
                cause: text("cause"),
            },
            "TaskTimedOut" | "LambdaFunctionTimedOut" => End::TimedOut,
            _ => return None,
        };
        Some(Answer {
            end,
            arguments: arguments(event, recording).unwrap_or(Value::Null),
        })
    }

    fn event(self, task: TaskId) -> Event {
        match self.end {
            End::Submitted(output) => Event::TaskSubmitted { task, output },
            End::Succeeded(output) => Event::TaskSucceeded { task, output },
            End::Failed { error, cause } => Event::TaskFailed { task, error, cause },
            End::TimedOut => unreachable!("a time-out is a timer's"),
        }
    }
}

/// Goes back from the end of a task to how it was scheduled.
fn arguments(event: &Value, recording: &[Value]) -> Option<Value> {
    let mut event = event;
    for _ in 0..4 {
        if event["type"].as_str()?.ends_with("Scheduled") {
            let details = details(event);
            let asked = details.get("parameters").or(details.get("input"))?;
            return Some(decoded(asked));
        }
        let previous = &event["previousEventId"];
        event = recording.iter().find(|other| other["id"] == *previous)?;
    }
    None
}

fn details(event: &Value) -> Value {
    let fields = event.as_object().into_iter().flatten();
    let found = fields
        .map(|(_, value)| value)
        .find(|value| value.is_object());
    found.cloned().unwrap_or_default()
}
