//! 10,000 runs that wait, half for a timer and half for a token: what each costs in memory, and how late they wake up.

use std::sync::atomic::Ordering;

use quell::runner::signal::{Word, tell};
use quell_model::Timestamp;
use quell_store::{Clock, Kind, Query, SystemClock};
use serde_json::{Value, json};

use crate::bench::{Bench, quantile, run_id, until};

const RUNS: usize = 10_000;
/// They fall due within this time.
const SPREAD_MILLIS: i64 = 5_000;
/// From the first run to the first timer that is due.
const AHEAD_MILLIS: i64 = 60_000;
const AT_ONCE: usize = 32;

pub async fn measure() {
    let document = json!({"QueryLanguage": "JSONata", "StartAt": "Which", "States": {
        "Which": {"Type": "Choice", "Default": "Ask", "Choices": [{"Condition": "{% $states.input.due != null %}", "Next": "Wait"}]},
        "Wait": {"Type": "Wait", "Timestamp": "{% $states.input.due %}", "Next": "Change"},
        "Ask": {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 86400,
            "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"}, "Next": "Change",
        },
        "Change": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances", "Arguments": {}, "End": true},
    }});
    // What the runner, its store and the allocator take is there before the runs that are measured.
    let bench = Bench::start(&document, AT_ONCE).await;
    let before = resident_bytes();
    let start = SystemClock.now();
    let due = |n: usize| start.plus_millis(AHEAD_MILLIS + (n as i64 * SPREAD_MILLIS) / RUNS as i64);
    bench
        .begin(RUNS, |n| match n % 2 {
            0 => json!({"due": due(n).to_string()}),
            _ => json!({"due": Value::Null}),
        })
        .await;
    until(async || resting(&bench, start).await == RUNS).await;
    let rested = SystemClock.now();
    // What the host of this bench keeps of each token is not the runner's.
    let own = bench
        .seen
        .tokens
        .lock()
        .unwrap()
        .iter()
        .map(|(run, token)| run.len() + token.len() + 96)
        .sum::<usize>();
    let each = resident_bytes().saturating_sub(before).saturating_sub(own) as f64 / RUNS as f64;
    println!("{RUNS} runs wait, half for timers and half for tokens ({AT_ONCE} in memory at once)");
    println!(
        "  brought to rest in        {:.1} s",
        rested.millis_since(start) as f64 / 1e3
    );
    println!(
        "  memory per waiting run    {:.0} bytes (growth of the resident set, store and allocator included)",
        each
    );
    assert!(
        rested < due(0),
        "the first timers were due before all runs rested"
    );
    until(async || bench.seen.ended.load(Ordering::Relaxed) == RUNS / 2).await;
    let late = |n: usize, from: Timestamp| {
        bench.seen.ends.lock().unwrap()[run_id(n).as_str()].millis_since(from)
    };
    report(
        "timers that fall due within 5 s",
        (0..RUNS).step_by(2).map(|n| late(n, due(n))),
    );
    let mut told = Vec::new();
    let tokens = bench.seen.tokens.lock().unwrap().clone();
    for n in (1..RUNS).step_by(2) {
        let word = Word::Success(json!("yes"));
        let token = &tokens[run_id(n).as_str()];
        tell(&*bench.state, token, word, SystemClock.now())
            .await
            .unwrap();
        told.push((n, SystemClock.now()));
    }
    until(async || bench.seen.ended.load(Ordering::Relaxed) == RUNS).await;
    let seconds = told.last().unwrap().1.millis_since(told[0].1) as f64 / 1e3;
    let what = format!("tokens, told one after the other within {seconds:.1} s");
    report(&what, told.iter().map(|(n, at)| late(*n, *at)));
    bench.stop().await;
}

fn report(what: &str, late: impl Iterator<Item = i64>) {
    let mut late: Vec<i64> = late.collect();
    late.sort_unstable();
    println!(
        "  {what}: {} runs went on and ended, ms late: p50 {}, p99 {}, most {}",
        late.len(),
        quantile(&late, 0.5),
        quantile(&late, 0.99),
        quantile(&late, 1.0)
    );
}

/// Runs that have left memory: what is to be looked at later.
async fn resting(bench: &Bench, start: Timestamp) -> usize {
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut query = Query::all(Kind::Wake).limit(Query::LIMIT_MAX);
    query.since = Some(start.plus_millis(AHEAD_MILLIS));
    let mut found = 0;
    loop {
        let page = bench.state.list(&query).await.unwrap();
        found += page.documents.len();
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return found,
        }
    }
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split(' ').nth(1).unwrap();
    pages.parse::<usize>().unwrap() * 4096
}
