//! What runs find: the state machines, who answers tokens, and the stand-in.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;

use quell_aws::{Spelling, optimized_error, states_error};
use quell_model::{Caller, Timestamp};
use quell_respond::task::{Answer, Awaits, AwsTask, ChildEnd, ExecutionTask, TaskFault, Work};
use quell_states::{Definition, Event, MachineRef, Status, TaskRequest};
use serde_json::Value;

use crate::run::{Next, Run};
use crate::stand_in::StandIn;
use crate::{Case, TokenAnswer};

/// When every run begins.
const START: &str = "2026-11-21T10:00:00Z";

/// Events one run may take. More than any case needs.
const EVENTS_MAX: u64 = 10_000;

/// What runs find.
pub(crate) struct World {
    region: String,
    account: String,
    machines: BTreeMap<String, Definition>,
    answers: RefCell<VecDeque<TokenAnswer>>,
    /// The executions of other documents: their names, and what they were given.
    children: RefCell<BTreeMap<String, Value>>,
    stand_in: StandIn,
    start: i64,
    named: Cell<u64>,
}

/// What comes of a task: events, or why the run cannot go on.
type Done = Vec<Event>;
/// A run that calls runs.
type Running<'w> = Pin<Box<dyn Future<Output = Result<Status, &'static str>> + 'w>>;

impl World {
    /// The inner error is what is wrong with the documents.
    pub(crate) fn new(case: Case) -> Result<Result<Self, Vec<String>>, Box<dyn std::error::Error>> {
        let start: Timestamp = START.parse()?;
        let mut machines = BTreeMap::new();
        let own = (case.name, case.document);
        for (name, document) in case.machines.into_iter().chain([own]) {
            match Definition::parse(&document.to_string()) {
                Ok(definition) => machines.insert(name, definition),
                Err(faults) => {
                    return Ok(Err(faults.iter().map(ToString::to_string).collect()));
                }
            };
        }
        Ok(Ok(Self {
            stand_in: StandIn::new(&case.endpoint, &case.region, &case.account, start),
            region: case.region,
            account: case.account,
            machines,
            answers: RefCell::new(case.answers),
            children: RefCell::default(),
            start: start.millis(),
            named: Cell::new(0),
        }))
    }

    /// Runs a state machine to its end, or until it is clear that it has none.
    pub(crate) fn run<'w>(&'w self, machine: &'w str, name: &'w str, input: Value) -> Running<'w> {
        Box::pin(async move {
            let definition = self.machines.get(machine).ok_or("UNKNOWN")?;
            let of = MachineRef {
                id: self.arn("stateMachine", machine),
                name: machine.to_owned(),
                role_arn: format!("arn:aws:iam::{}:role/states", self.account),
                region: self.region.clone(),
            };
            let id = self.arn("execution", &format!("{machine}:{name}"));
            let mut run = Run::new(definition.clone(), &id, name, input, of.clone(), self.start);
            let caller = Caller {
                machine: of.id,
                execution: id,
            };
            run.send(Event::Started);
            while *run.execution.status() == Status::Running {
                let events = match run.next() {
                    Next::Task(request) => self.done(&request, &caller, run.now).await,
                    Next::Timer(event) => vec![event],
                    Next::Nothing => return Err("STUCK"),
                };
                events.into_iter().for_each(|event| run.send(event));
                if run.events() > EVENTS_MAX {
                    return Err("ENDLESS");
                }
            }
            Ok(run.execution.status().clone())
        })
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        format!(
            "arn:aws:states:{}:{}:{kind}:{name}",
            self.region, self.account
        )
    }

    async fn done(&self, request: &TaskRequest, caller: &Caller, now: i64) -> Done {
        let task = request.task;
        let failed = |TaskFault { error, cause }| vec![Event::TaskFailed { task, error, cause }];
        let succeeded = |output| vec![Event::TaskSucceeded { task, output }];
        match Work::of(request, caller) {
            Ok(Work::Aws(work)) => match self.call(&work).await {
                Ok(output) if work.waits_for_token() => self.held(request, output),
                Ok(output) => succeeded(output),
                Err(fault) => failed(fault),
            },
            Ok(Work::Execution(work)) => match self.child(&work, now).await {
                Ok(output) if work.awaits() == Awaits::Token => self.held(request, output),
                Ok(output) => succeeded(output),
                Err(fault) => failed(fault),
            },
            Ok(other) => failed(TaskFault {
                error: "Steps.NotBuilt".to_owned(),
                cause: format!("{other:?} is not built here"),
            }),
            Err(fault) => failed(fault),
        }
    }

    /// The task is accepted, and somebody has its token.
    fn held(&self, request: &TaskRequest, output: Value) -> Done {
        let task = request.task;
        let mut events = vec![Event::TaskSubmitted { task, output }];
        let answer = self.answers.borrow_mut().pop_front();
        events.extend(answer.map(|answer| match answer {
            TokenAnswer::Output { output } => Event::TaskSucceeded { task, output },
            TokenAnswer::Error { error, cause } => Event::TaskFailed { task, error, cause },
        }));
        events
    }

    async fn call(&self, work: &AwsTask) -> Result<Value, TaskFault> {
        let sent = work.call().clone();
        let sent = sent.with_token(work.token().unwrap_or_default());
        let spelling = match work.is_optimized() {
            true => Spelling::Optimized,
            false => Spelling::Sdk,
        };
        let answer = self.stand_in.task(&sent, spelling).await;
        let refused = |error| {
            let (error, cause) = match work.is_optimized() {
                true => optimized_error(&error),
                false => states_error(&error),
            };
            TaskFault { error, cause }
        };
        let answer: Answer = answer.map_err(refused)?;
        work.answered(answer)
    }

    async fn child(&self, work: &ExecutionTask, now: i64) -> Result<Value, TaskFault> {
        let machine = work.machine().rsplit(':').next().unwrap_or_default();
        if !self.machines.contains_key(machine) {
            return Err(work.no_such_machine());
        }
        self.named.set(self.named.get() + 1);
        let made = format!("00000000-0000-4000-8000-{:012}", self.named.get());
        let name = work.name().map_or(made, str::to_owned);
        let execution = self.arn("execution", &format!("{machine}:{name}"));
        let input = work.input();
        let earlier = self
            .children
            .borrow_mut()
            .insert(execution.clone(), input.clone());
        if earlier.is_some_and(|earlier| earlier != input) {
            return Err(work.name_is_taken(&execution));
        }
        let status = self.run(machine, &name, input).await;
        match work.awaits() {
            Awaits::Start | Awaits::Token => Ok(work.started(&execution, now)),
            Awaits::End | Awaits::EndAsJson => work.ended(&ChildEnd {
                execution,
                name,
                started_at: now,
                stopped_at: now,
                status: status.unwrap_or(Status::TimedOut),
            }),
        }
    }
}
