//! Durable steps a second, end to end: many runs side by side, each a chain of tasks, on SQLite and on a PostgreSQL server
//! that is started here and shares the machine.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::json;

use crate::bench::{Bench, place, until};
use crate::server::Server;

/// Tasks of one run, one after the other.
const TASKS: usize = 50;

pub async fn measure() {
    println!(
        "durable steps a second: runs of {TASKS} tasks, one after the other; every step is durable before the next"
    );
    println!(
        "{:<12} {:<8} {:>6} {:>8} {:>12} {:>12}",
        "store", "tasks", "runs", "at once", "tasks/s", "entries/s"
    );
    measure_on("sqlite", None).await;
    let server = Server::start(&place());
    measure_on("postgresql", Some(&server)).await;
}

async fn measure_on(store: &str, server: Option<&Server>) {
    for (state, entries) in [("Read", 1), ("Change", 2)] {
        for (runs, at_once) in [(20, 1), (400, 32), (800, 128), (800, 512)] {
            let seconds = chain(state, runs, at_once, server).await;
            let tasks = (runs * TASKS) as f64 / seconds;
            let entries = ((TASKS * entries + 1) * runs) as f64 / seconds;
            println!("{store:<12} {state:<8} {runs:>6} {at_once:>8} {tasks:>12.0} {entries:>12.0}");
        }
    }
}

async fn chain(state: &str, runs: usize, at_once: usize, server: Option<&Server>) -> f64 {
    let document = json!({"QueryLanguage": "JSONata", "StartAt": "Begin", "States": {
        "Begin": {"Type": "Pass", "Assign": {"n": 0}, "Next": state},
        state: {
            "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances", "Arguments": {"n": "{% $n %}"},
            "Assign": {"n": "{% $n + 1 %}"}, "Next": "More",
        },
        "More": {"Type": "Choice", "Default": "Done", "Choices": [{"Condition": format!("{{% $n < {TASKS} %}}"), "Next": state}]},
        "Done": {"Type": "Succeed"},
    }});
    // Each on a database of its own, so that none meets what another left.
    let bench = match server {
        Some(server) => Bench::start_on(&server.database(), &document, at_once).await,
        None => Bench::start(&document, at_once).await,
    };
    let began = Instant::now();
    bench.begin(runs, |_| json!({})).await;
    until(async || bench.seen.ended.load(Ordering::Relaxed) == runs).await;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(bench.seen.tasks.load(Ordering::Relaxed), runs * TASKS);
    bench.stop().await;
    seconds
}
