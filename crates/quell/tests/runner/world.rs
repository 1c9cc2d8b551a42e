//! What tasks do in these tests: a world that outlives every process, counts effects, honours idempotency tokens and
//! keeps messages with their task tokens. And the host that brings runs to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use quell::runner::{Answer, Begin, Beside, Ended, Host, Opened, Point, RunError};
use quell_model::{RunId, Timestamp};
use quell_respond::{Flow, LogEntry};
use quell_states::{Definition, MachineRef, Status, TaskId, TaskRequest};
use quell_store::{Document, Kind, State, Write};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What is there outside of all processes.
#[derive(Default)]
pub struct World {
    pub facts: Mutex<Facts>,
}

#[derive(Default, Clone, Debug)]
pub struct Facts {
    /// Effects by key.
    pub effects: BTreeMap<String, u32>,
    /// Idempotency tokens seen.
    pub seen: BTreeSet<String>,
    /// Attempts by key.
    pub attempts: BTreeMap<String, u32>,
    /// Messages sent, oldest first: the key, and the task token.
    pub messages: Vec<(String, String)>,
    /// States whose tasks always fail.
    pub broken: BTreeSet<String>,
    /// Tasks that never answer, by key.
    pub silent: BTreeSet<String>,
    /// What a person agreed to, by key.
    pub approved: BTreeSet<String>,
    /// Runs in the order in which their first task began.
    pub begun: Vec<String>,
    /// Most tasks under way at once.
    pub aloft: usize,
    pub aloft_max: usize,
    /// Calls made, changing or not.
    pub calls: usize,
}

/// Where in the making of call n the process dies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doom {
    Never,
    BeforeCall(usize),
    AfterCall(usize),
}

impl World {
    pub fn look(&self) -> Facts {
        self.facts.lock().unwrap().clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.lock().unwrap());
    }

    /// The token of the newest message.
    pub fn last_token(&self) -> String {
        self.look().messages.last().unwrap().1.clone()
    }

    /// One call, as its service would answer it.
    pub fn call(&self, run: &str, request: &TaskRequest) -> Answer {
        let mut facts = self.facts.lock().unwrap();
        let key = key(request);
        let attempt = facts.attempts.entry(key.clone()).or_default();
        *attempt += 1;
        let attempt = *attempt;
        if facts.broken.contains(&request.state) {
            return Answer::failed("Boom", "this state is broken");
        }
        let mode = request.arguments.get("Mode").and_then(Value::as_str);
        match mode {
            Some("flaky") if attempt == 1 => return Answer::failed("Flaky", "try again"),
            Some("broken") => return Answer::failed("Broken", "it cannot be"),
            _ => {}
        }
        if let Some(token) = &request.token {
            facts.messages.push((key, token.clone()));
            return Answer::of(Ended::Elsewhere(json!({"MessageId": "m"})));
        }
        match action(request) {
            "describeInstances" => {
                let of = request.arguments["Key"].as_str().unwrap_or_default();
                let count = facts.effects.get(of).copied().unwrap_or(0);
                Answer::of(Ended::Succeeded(json!({"count": count})))
            }
            "runInstances" => {
                let token = format!("{run}/{}", request.task);
                if facts.seen.insert(token) {
                    *facts.effects.entry(key).or_default() += 1;
                }
                Answer::of(Ended::Succeeded(json!({"ok": true})))
            }
            _ => {
                *facts.effects.entry(key).or_default() += 1;
                Answer::of(Ended::Succeeded(json!({"ok": true})))
            }
        }
    }
}

pub fn key(request: &TaskRequest) -> String {
    let key = request.arguments.get("Key").and_then(Value::as_str);
    key.unwrap_or(&request.state).to_owned()
}

fn action(request: &TaskRequest) -> &str {
    match &request.resource {
        quell_states::Resource::AwsSdk { action, .. } => action,
        _ => "",
    }
}

/// Brings runs to the world. Its runs are documents that say which definition they run.
pub struct WorldHost {
    pub world: Arc<World>,
    pub state: Arc<dyn State>,
    pub definitions: BTreeMap<String, Definition>,
    pub doom: Doom,
    pub dead: CancellationToken,
}

pub struct WorldRun {
    id: RunId,
    document: Document,
}

#[async_trait]
impl Host for WorldHost {
    type Run = WorldRun;

    async fn open(&self, id: &RunId) -> Result<Opened<WorldRun>, RunError> {
        let Some(document) = self.state.get(Kind::Run, id.as_str()).await? else {
            return Ok(Opened::Ended);
        };
        if document.status != "running" {
            return Ok(Opened::Ended);
        }
        let body: Value = document.read()?;
        let definition = self.definitions[body["definition"].as_str().unwrap()].clone();
        let machine = MachineRef::default();
        let flow = Flow::new(definition, id.as_str(), machine, body["input"].clone());
        Ok(Opened::Ready {
            account: document.parent.clone(),
            run: Box::new(WorldRun {
                id: id.clone(),
                document,
            }),
            flow: Box::new(flow),
        })
    }

    async fn begin(
        &self,
        run: &mut WorldRun,
        request: &TaskRequest,
        since: Option<Timestamp>,
    ) -> Result<Begin, RunError> {
        let safe = action(request) == "runInstances";
        if since.is_some() && !safe {
            let answer = Answer::failed("Quell.Interrupted", "nobody knows");
            return Ok(Begin::Answered {
                answer,
                writes: Vec::new(),
            });
        }
        let key = key(request);
        if request.arguments.get("Mode").and_then(Value::as_str) == Some("gate") {
            return Ok(match self.world.look().approved.contains(&key) {
                true => Begin::Answered {
                    answer: Answer::of(Ended::Succeeded(json!("approved"))),
                    writes: Vec::new(),
                },
                false => Begin::Waits {
                    entries: Vec::new(),
                },
            });
        }
        let reads = action(request) == "describeInstances";
        let (world, doom, dead) = (self.world.clone(), self.doom, self.dead.clone());
        let (run, request) = (run.id.to_string(), request.clone());
        let work = async move {
            let n = {
                let mut facts = world.facts.lock().unwrap();
                if !facts.begun.contains(&run) {
                    facts.begun.push(run.clone());
                }
                facts.aloft += 1;
                facts.aloft_max = facts.aloft_max.max(facts.aloft);
                facts.calls += 1;
                facts.calls - 1
            };
            if doom == Doom::BeforeCall(n) {
                dead.cancel();
                return std::future::pending().await;
            }
            // Others get their turn: several tasks are under way at once.
            tokio::task::yield_now().await;
            let silent = world.look().silent.contains(&key);
            if silent {
                return std::future::pending().await;
            }
            let answer = world.call(&run, &request);
            if doom == Doom::AfterCall(n) {
                dead.cancel();
                return std::future::pending().await;
            }
            world.change(|facts| facts.aloft -= 1);
            answer
        };
        Ok(Begin::Work {
            intent: (!reads).then(String::new),
            work: Box::pin(work),
        })
    }

    async fn awaited(&self, _: &RunId) -> Result<Vec<RunId>, RunError> {
        Ok(Vec::new())
    }

    fn given_up(&self, _: &mut WorldRun, _: TaskId) -> Option<LogEntry> {
        None
    }

    async fn beside(&self, run: &mut WorldRun, beside: Beside<'_>) -> Result<Vec<Write>, RunError> {
        let Point::Ended(status) = beside.point else {
            return Ok(Vec::new());
        };
        let (word, end) = match status {
            Status::Succeeded { output } => ("succeeded", output.clone()),
            Status::Failed { error, .. } => ("failed", json!(error)),
            Status::TimedOut => ("timed out", Value::Null),
            Status::Aborted { error, .. } => ("aborted", json!(error)),
            Status::Running => panic!("it ended running"),
        };
        let mut body: Value = run.document.read()?;
        body["end"] = end;
        let document = run.document.clone().with(word, &body)?;
        Ok(vec![Write::Update(document)])
    }
}
