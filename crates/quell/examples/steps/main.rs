//! Runs documents of Amazon States Language against a stand-in for AWS, without the guard, the log and the clock: the
//! half of the differential test of the states language (`tests/states_differential`) that is ours. For development
//! only: it makes changing calls without a permit, and so it sends them itself, to the endpoint that it is given.
//!
//! Each line of the input is a JSON object, see [`Case`]; each line of the output says how the run of that case ended.
//! Time is virtual: when nothing is left to do, it is the moment of the next timer.

mod run;
mod stand_in;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, Write as _};

use quell_states::Status;
use serde::Deserialize;
use serde_json::{Value, json};
use world::World;

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
    /// Other state machines that are there, by name.
    machines: BTreeMap<String, Value>,
    /// What comes for each task token, in the order in which the tasks begin.
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
    let (name, input) = (case.name.clone(), case.input.clone());
    let world = match World::new(case)? {
        Ok(world) => world,
        Err(faults) => return Ok(json!({"status": "REFUSED", "faults": faults})),
    };
    Ok(match world.run(&name, &name, input).await {
        Ok(end) => told(&end),
        Err(stopped) => json!({"status": stopped}),
    })
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
