//! Durable steps a second: what a run asks of the state store, from 1, 8 and 64 runs at once.
//!
//! A step is a batch of one or two log entries, and every third time the run's document (2 KiB) as well. SQLite has a write-ahead
//! log and `synchronous = FULL`; PostgreSQL is started here, with `fsync` and `synchronous_commit` on, and shares the
//! machine. A step counts when it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quell_model::Timestamp;
use quell_store::postgres::PostgresState;
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Document, Kind, State, Write};

use crate::bench::place;
use crate::server::Server;

const CALLERS: [usize; 4] = [1, 8, 64, 256];
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

pub async fn measure() {
    let place = place();
    let folder = tempfile::tempdir_in(&place).expect("a folder");
    println!("steps of the stores alone, in {}", place.display());
    println!(
        "{:<12} {:>8} {:>10} {:>10} {:>10}",
        "store", "callers", "steps/s", "p50 ms", "p99 ms"
    );
    let file = folder.path().join("q.db");
    let sqlite: Arc<dyn State> = Arc::new(SqliteState::open(&file).await.expect("SQLite"));
    measure_one("sqlite", sqlite).await;
    let server = Server::start(&place);
    let postgres = PostgresState::connect(&server.url(), None)
        .await
        .expect("PostgreSQL");
    measure_one("postgresql", Arc::new(postgres)).await;
}

async fn measure_one(name: &str, state: Arc<dyn State>) {
    for callers in CALLERS {
        let (steps, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let runs = (0..callers).map(|n| {
            run(
                state.clone(),
                format!("run-{callers}-{n}"),
                steps.clone(),
                stop.clone(),
            )
        });
        let work: tokio::task::JoinSet<_> = runs.collect();
        tokio::time::sleep(WARM_UP).await;
        let (before, began) = (steps.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(MEASURED).await;
        let done = steps.load(Ordering::Relaxed) - before;
        let rate = done as f64 / began.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        let mut times: Vec<Duration> = work.join_all().await.into_iter().flatten().collect();
        times.sort();
        let at =
            |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        println!(
            "{name:<12} {callers:>8} {rate:>10.0} {:>10.2} {:>10.2}",
            at(0.5),
            at(0.99)
        );
    }
}

/// Steps one run until it is told to stop; how long each took.
async fn run(
    state: Arc<dyn State>,
    id: String,
    steps: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> Vec<Duration> {
    let body = serde_json::json!({"status": "running", "plan": "p".repeat(2000)});
    let document =
        Document::new(Kind::Run, &*id, "running", Timestamp::default(), &body).expect("JSON");
    let insert = Batch::new().with(Write::Insert(document.clone()));
    state.commit(insert).await.expect("a run");
    let (mut document, mut seq, mut times) = (document, 0, Vec::new());
    for n in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut batch = Batch::new();
        for _ in 0..=(n % 2) {
            let entry = Write::Append {
                log: id.clone(),
                seq,
                at: Timestamp::default(),
                body: "e".repeat(300),
            };
            batch.push(entry);
            seq += 1;
        }
        if n % 3 == 0 {
            batch.push(Write::Update(document.clone()));
            document.version += 1;
        }
        let began = Instant::now();
        state.commit(batch).await.expect("a step");
        times.push(began.elapsed());
        steps.fetch_add(1, Ordering::Relaxed);
    }
    times
}
