//! Processes that carry runs over one store, and die when they are told to.

use std::collections::BTreeMap;
use std::sync::Arc;

use quell::claims::Claims;
use quell::loops::Tasks;
use quell::runner::{Limits, Rest, Runner, wake};
use quell_model::{RunId, Timestamp};
use quell_respond::LogEntry;
use quell_states::Definition;
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Clock, Document, Kind, ManualClock, State, SystemClock, Write};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::crashing::{Crashing, Death};
use crate::world::{Doom, World, WorldHost};

pub const START: i64 = 1_700_000_000_000;

const STORE: &str = "lab.db";

pub struct Lab {
    pub state: Arc<dyn State>,
    pub clock: Arc<ManualClock>,
    pub world: Arc<World>,
    pub definitions: BTreeMap<String, Definition>,
    pub folder: tempfile::TempDir,
}

/// One process.
pub struct Process {
    pub runner: Arc<Runner<WorldHost>>,
    pub state: Arc<Crashing>,
    pub claims: Arc<Claims>,
    pub dead: CancellationToken,
    pub stop: CancellationToken,
}

impl Lab {
    pub async fn new(documents: &[(&str, &Value)]) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join(STORE)).await.unwrap();
        let parse = |document: &Value| {
            Definition::parse(&document.to_string()).unwrap_or_else(|faults| panic!("{faults:#?}"))
        };
        let definitions = documents
            .iter()
            .map(|(name, document)| ((*name).to_owned(), parse(document)));
        Lab {
            state: Arc::new(state),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(START))),
            world: Arc::default(),
            definitions: definitions.collect(),
            folder,
        }
    }

    /// A new run of a definition in an account.
    pub async fn begin(&self, run: &str, definition: &str, account: &str, input: Value) -> RunId {
        let id: RunId = run.parse().unwrap();
        let body = json!({"definition": definition, "input": input});
        let now = self.clock.now();
        let document = Document::new(Kind::Run, run, "running", now, &body).unwrap();
        let batch = Batch::new()
            .with(Write::Insert(document.under(account)))
            .with(wake::first(&id, account, now).unwrap());
        self.state.commit(batch).await.unwrap();
        id
    }

    pub async fn process(&self) -> Process {
        self.mortal(Death::Never, Doom::Never, 8).await
    }

    pub async fn mortal(&self, death: Death, doom: Doom, runs_at_once: usize) -> Process {
        // Who is there is a matter of the machine's time, not of that which the tests turn.
        let file = self.folder.path().join(STORE);
        let claims = Claims::new(self.state.clone(), Arc::new(SystemClock), Some(&file));
        claims.join().await.unwrap();
        let claims = Arc::new(claims);
        let (dead, stop) = (CancellationToken::new(), CancellationToken::new());
        let state = Arc::new(Crashing::new(self.state.clone(), death, dead.clone()));
        let host = WorldHost {
            world: self.world.clone(),
            state: state.clone(),
            definitions: self.definitions.clone(),
            doom,
            dead: dead.clone(),
        };
        let limits = Limits {
            runs_at_once,
            tasks_at_once: 16,
        };
        let runner = Runner::new(
            host,
            state.clone(),
            self.clock.clone(),
            Arc::new(Notify::new()),
            stop.clone(),
            limits,
            claims.clone(),
        );
        Process {
            claims,
            runner: Arc::new(runner.unwrap()),
            state,
            dead,
            stop,
        }
    }

    /// Has a process carry whatever there is, until its tasks are stopped.
    pub fn loop_of(&self, process: &Process) -> Tasks {
        let tasks = Tasks::new(process.stop.clone());
        let claims = process.claims.clone();
        tasks.start("claims", async move { claims.keep().await });
        tasks.start("runs", process.runner.clone().run(tasks.clone()));
        tasks
    }

    /// Carries a run until it rests, is over, or the process dies (`None`).
    pub async fn carry(&self, process: &Process, run: &RunId) -> Option<Rest> {
        let bell = Notify::new();
        tokio::select! {
            biased;
            () = process.dead.cancelled() => None,
            () = process.claims.keep() => None,
            rest = process.runner.carry(run, &bell) => Some(rest.unwrap()),
        }
    }

    /// Carries a run to its end, turning the clock when it waits and answering every message. `None`: the process died.
    pub async fn finish(&self, process: &Process, run: &RunId) -> Option<Rest> {
        let mut told = 0;
        for _ in 0..1_000 {
            match self.carry(process, run).await? {
                Rest::Until(at) => {
                    let messages = self.world.look().messages;
                    told = told.min(messages.len());
                    if told < messages.len() {
                        for (_, token) in &messages[told..] {
                            drop(self.succeed(token, json!("yes")).await);
                        }
                        told = messages.len();
                        continue;
                    }
                    let left = at.millis_since(self.clock.now());
                    assert!(left < 1_000_000_000, "{run} waits for what never comes");
                    self.clock.advance(left);
                }
                Rest::Later => panic!("nothing stands in its way"),
                rest => return Some(rest),
            }
        }
        panic!("{run} does not end");
    }

    pub async fn succeed(
        &self,
        token: &str,
        output: Value,
    ) -> Result<(), quell::runner::signal::SignalError> {
        use quell::runner::signal::{Word, tell};
        tell(&*self.state, token, Word::Success(output), self.clock.now()).await
    }

    /// How a run stands in the store: its status and its end.
    pub async fn stands(&self, run: &RunId) -> (String, Value) {
        let document = self.state.get(Kind::Run, run.as_str()).await.unwrap();
        let document = document.unwrap();
        let mut body: Value = document.read().unwrap();
        (document.status, body["end"].take())
    }

    pub async fn log(&self, run: &RunId) -> Vec<LogEntry> {
        let entries = self.state.read_log(run.as_str(), 0, 100_000).await.unwrap();
        entries
            .iter()
            .map(|entry| serde_json::from_str(&entry.body).unwrap())
            .collect()
    }

    /// Nothing is left of a run that has ended but its document and its log.
    pub async fn assert_nothing_left(&self) {
        for kind in [Kind::Wake, Kind::Token, Kind::Signal] {
            let left = self.state.count(kind).await.unwrap();
            assert!(left.is_empty(), "{left:?} of {}", kind.as_str());
        }
    }
}
