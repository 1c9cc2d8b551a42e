//! Runs documents of Amazon States Language against a stand-in for AWS, without the guard, the log and the clock: the
//! half of the differential test of the states language (`tests/states_differential`) that is ours. For development
//! only: it makes changing calls without a permit, and so it sends them itself, to the endpoint that it is given.
//!
//! Each line of the input is a JSON object, see [`Case`]; each line of the output says how the run of that case ended.
//! Time is virtual: when nothing is left to do, it is the moment of the next timer.

mod stand_in;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, Write as _};

use quell_model::Timestamp;
use quell_states::{
    Definition, Effect, Event, Execution, MachineRef, Moment, Pattern, Resource, Status,
    TaskRequest, TimerId,
};
use serde::Deserialize;
use serde_json::{Value, json};
use stand_in::{Failed, StandIn};

/// When every run begins: about when moto's clock is.
const START: &str = "2026-11-21T10:00:00Z";

/// Events one run may take. More than any case needs.
const EVENTS_MAX: u64 = 10_000;

/// One run.
#[derive(Deserialize)]
struct Case {
    /// The URL of the stand-in.
    endpoint: String,
    /// The Region of the run.
    region: String,
    /// The account of the run.
    account: String,
    /// The name of the state machine and of its execution.
    name: String,
    /// The document.
    document: Value,
    /// The input.
    input: Value,
    /// What those who hold a task token answer, in the order in which the tasks begin.
    #[serde(default)]
    answers: VecDeque<TokenAnswer>,
}

/// What comes for a task token.
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenAnswer {
    Output { output: Value },
    Error { error: String, cause: String },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        writeln!(out, "{}", ended(case).await?)?;
        out.flush()?;
    }
    Ok(())
}

async fn ended(case: Case) -> Result<Value, Box<dyn std::error::Error>> {
    let definition = match Definition::parse(&case.document.to_string()) {
        Ok(definition) => definition,
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Ok(json!({"status": "REFUSED", "faults": faults}));
        }
    };
    let start: Timestamp = START.parse()?;
    let stand_in = StandIn::new(&case.endpoint, &case.region, &case.account, start);
    let mut run = Run::new(case, definition, start.millis());
    run.send(Event::Started);
    while *run.execution.status() == Status::Running {
        let Some(event) = run.next(&stand_in).await else {
            return Ok(json!({"status": "STUCK"}));
        };
        for event in event {
            run.send(event);
        }
        if run.events > EVENTS_MAX {
            return Ok(json!({"status": "ENDLESS"}));
        }
    }
    Ok(told(run.execution.status()))
}

fn told(status: &Status) -> Value {
    match status {
        Status::Running => json!({"status": "RUNNING"}),
        Status::Succeeded { output } => json!({"status": "SUCCEEDED", "output": output}),
        Status::Failed { error, cause } => {
            json!({"status": "FAILED", "error": error, "cause": cause})
        }
        Status::TimedOut => json!({"status": "TIMED_OUT"}),
        Status::Aborted { error, cause } => {
            json!({"status": "ABORTED", "error": error, "cause": cause})
        }
    }
}

/// An execution, with what it still wants.
struct Run {
    definition: Definition,
    execution: Execution,
    answers: VecDeque<TokenAnswer>,
    tasks: VecDeque<TaskRequest>,
    timers: BTreeMap<TimerId, i64>,
    now: i64,
    events: u64,
}

impl Run {
    fn new(case: Case, definition: Definition, now: i64) -> Self {
        let Case {
            region,
            account,
            name,
            input,
            answers,
            ..
        } = case;
        let machine = MachineRef {
            id: format!("arn:aws:states:{region}:{account}:stateMachine:{name}"),
            name: name.clone(),
            role_arn: format!("arn:aws:iam::{account}:role/states"),
            region: region.clone(),
        };
        let id = format!("arn:aws:states:{region}:{account}:execution:{name}:{name}");
        Self {
            definition,
            execution: Execution::new(id, name, input, machine),
            answers,
            tasks: VecDeque::new(),
            timers: BTreeMap::new(),
            now,
            events: 0,
        }
    }

    fn send(&mut self, event: Event) {
        self.events += 1;
        let moment = Moment::new(self.now, self.events);
        let step = self
            .execution
            .clone()
            .step(&self.definition, event, moment);
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

    /// What happens next: the oldest task is done; when there is none, the next timer fires.
    async fn next(&mut self, stand_in: &StandIn) -> Option<Vec<Event>> {
        if let Some(task) = self.tasks.pop_front() {
            return Some(self.done(task, stand_in).await);
        }
        let (timer, due) = self.timers.iter().min_by_key(|(_, due)| **due)?;
        let (timer, due) = (*timer, *due);
        self.timers.remove(&timer);
        self.now = self.now.max(due);
        Some(vec![Event::TimerFired { timer }])
    }

    async fn done(&mut self, request: TaskRequest, stand_in: &StandIn) -> Vec<Event> {
        let task = request.task;
        let output = match perform(&request, stand_in).await {
            Ok(output) => output,
            Err(Failed { error, cause }) => {
                return vec![Event::TaskFailed { task, error, cause }];
            }
        };
        if request.resource.pattern() != Pattern::WaitForTaskToken {
            return vec![Event::TaskSucceeded { task, output }];
        }
        let mut events = vec![Event::TaskSubmitted { task, output }];
        events.extend(self.answers.pop_front().map(|answer| match answer {
            TokenAnswer::Output { output } => Event::TaskSucceeded { task, output },
            TokenAnswer::Error { error, cause } => Event::TaskFailed { task, error, cause },
        }));
        events
    }
}

async fn perform(request: &TaskRequest, stand_in: &StandIn) -> Result<Value, Failed> {
    match &request.resource {
        Resource::AwsSdk {
            service, action, ..
        } => {
            let service = quell_aws::sdk_service(service);
            stand_in
                .task(service, &capitalized(action), &request.arguments)
                .await
        }
        other => Err(Failed {
            error: "Steps.NotBuilt".to_owned(),
            cause: format!("{other} is not built here"),
        }),
    }
}

/// The operation of an action: `sendMessage` is `SendMessage`.
fn capitalized(action: &str) -> String {
    let mut letters = action.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
