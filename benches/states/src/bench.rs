//! A store, a runner over it, and a host whose tasks are answered at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use quell::claims::Claims;
use quell::loops::Tasks;
use quell::runner::{
    Answer, Begin, Beside, Ended, Host, Limits, Opened, Point, RunError, Runner, wake,
};
use quell_model::{RunId, Timestamp};
use quell_respond::{Flow, LogEntry};
use quell_states::{Definition, MachineRef, TaskId, TaskRequest};
use quell_store::postgres::PostgresState;
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Clock, Document, Kind, State, SystemClock, Write};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What the host saw.
#[derive(Default)]
pub struct Seen {
    pub tasks: AtomicUsize,
    pub ended: AtomicUsize,
    /// The tokens of the messages that were sent, by run.
    pub tokens: Mutex<BTreeMap<String, String>>,
    /// When each run ended, as its host was told.
    pub ends: Mutex<BTreeMap<String, Timestamp>>,
}

struct Plain {
    state: Arc<dyn State>,
    definition: Definition,
    seen: Arc<Seen>,
}

pub struct PlainRun {
    id: RunId,
    document: Document,
}

#[async_trait]
impl Host for Plain {
    type Run = PlainRun;

    async fn open(&self, id: &RunId) -> Result<Opened<PlainRun>, RunError> {
        let document = self.state.get(Kind::Run, id.as_str()).await?;
        let Some(document) = document.filter(|document| document.status == "running") else {
            return Ok(Opened::Ended);
        };
        let (machine, input) = (MachineRef::default(), document.read()?);
        let flow = Flow::new(self.definition.clone(), id.as_str(), machine, input);
        Ok(Opened::Ready {
            flow: Box::new(flow),
            account: document.parent.clone(),
            run: Box::new(PlainRun {
                id: id.clone(),
                document,
            }),
        })
    }

    async fn begin(
        &self,
        run: &mut PlainRun,
        request: &TaskRequest,
        _: Option<Timestamp>,
    ) -> Result<Begin, RunError> {
        self.seen.tasks.fetch_add(1, Ordering::Relaxed);
        let reads = request.state == "Read";
        let ended = match &request.token {
            Some(token) => {
                let mut tokens = self.seen.tokens.lock().unwrap();
                tokens.insert(run.id.to_string(), token.clone());
                Ended::Elsewhere(json!({"MessageId": "1"}))
            }
            None => Ended::Succeeded(json!({"ok": true})),
        };
        Ok(Begin::Work {
            intent: (!reads).then(String::new),
            work: Box::pin(async move { Answer::of(ended) }),
        })
    }

    async fn awaited(&self, _: &RunId) -> Result<Vec<RunId>, RunError> {
        Ok(Vec::new())
    }

    fn given_up(&self, _: &mut PlainRun, _: TaskId) -> Option<LogEntry> {
        None
    }

    async fn beside(&self, run: &mut PlainRun, beside: Beside<'_>) -> Result<Vec<Write>, RunError> {
        let Point::Ended(_) = beside.point else {
            return Ok(Vec::new());
        };
        let now = SystemClock.now();
        self.seen
            .ends
            .lock()
            .unwrap()
            .insert(run.id.to_string(), now);
        self.seen.ended.fetch_add(1, Ordering::Relaxed);
        let done = run.document.clone().with("done", &json!(null))?;
        Ok(vec![Write::Update(done)])
    }
}

/// A process with its store.
pub struct Bench {
    pub state: Arc<dyn State>,
    pub seen: Arc<Seen>,
    pub bell: Arc<Notify>,
    tasks: Tasks,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    /// The runner goes at once.
    pub async fn start(document: &Value, runs_at_once: usize) -> Bench {
        let folder = tempfile::tempdir_in(place()).unwrap();
        let state = SqliteState::open(&folder.path().join("bench.db")).await;
        let mut bench = Self::run(Arc::new(state.unwrap()), document, runs_at_once).await;
        bench._folder = Some(folder);
        bench
    }

    /// The same on a PostgreSQL database.
    pub async fn start_on(url: &str, document: &Value, runs_at_once: usize) -> Bench {
        let state = PostgresState::connect(url, None).await;
        Self::run(Arc::new(state.unwrap()), document, runs_at_once).await
    }

    async fn run(state: Arc<dyn State>, document: &Value, runs_at_once: usize) -> Bench {
        let (seen, bell) = (Arc::<Seen>::default(), Arc::<Notify>::default());
        let stop = CancellationToken::new();
        let host = Plain {
            state: state.clone(),
            definition: Definition::parse(&document.to_string()).unwrap(),
            seen: seen.clone(),
        };
        let limits = Limits {
            runs_at_once,
            tasks_at_once: 32,
        };
        let (store, clock) = (state.clone(), Arc::new(SystemClock));
        let claims = Arc::new(Claims::new(state.clone(), clock.clone(), None));
        claims.join().await.unwrap();
        let keeper = claims.clone();
        let runner = Runner::new(
            host,
            store,
            clock,
            bell.clone(),
            stop.clone(),
            limits,
            claims,
        );
        let tasks = Tasks::new(stop);
        tasks.start("claims", async move { keeper.keep().await });
        tasks.start("runs", Arc::new(runner.unwrap()).run(tasks.clone()));
        Bench {
            state,
            seen,
            bell,
            tasks,
            _folder: None,
        }
    }

    /// Stores new runs, a thousand in a batch.
    pub async fn begin(&self, runs: usize, input: impl Fn(usize) -> Value) {
        for first in (0..runs).step_by(1000) {
            let mut batch = Batch::new();
            for n in first..runs.min(first + 1000) {
                let (id, now) = (run_id(n), SystemClock.now());
                let account = format!("{:012}", n % 10);
                let run = Document::new(Kind::Run, id.as_str(), "running", now, &input(n));
                batch.push(Write::Insert(run.unwrap().under(account.clone())));
                batch.push(wake::first(&id, &account, now).unwrap());
            }
            self.state.commit(batch).await.unwrap();
            self.bell.notify_one();
        }
    }

    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}

/// Where the stores are. A folder in memory would not say what a sync costs.
pub fn place() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from)
}

pub fn run_id(n: usize) -> RunId {
    format!("run-{n:06}").parse().unwrap()
}

/// Waits until it is so; it is looked at every millisecond.
pub async fn until(mut is: impl AsyncFnMut() -> bool) {
    while !is().await {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// The value below which `part` of them are.
pub fn quantile(sorted: &[i64], part: f64) -> i64 {
    let last = sorted.len().saturating_sub(1);
    sorted[((last as f64) * part).round() as usize]
}
