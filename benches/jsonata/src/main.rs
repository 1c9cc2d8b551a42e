//! JSONata expressions a second, beside the npm package `jsonata` in the same run: `bench-jsonata MODULES CONFORMANCE`.
//!
//! Two sets: the expressions of the playbooks in `content`, with the variables that they have there; and the suite of
//! the reference implementation, when there is the file. Counted are expressions that both evaluate to the same value.
//! Ours are measured twice: the evaluation alone, and with the making of the scope, which a run does for each state.

mod cases;

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cases::Case;
use quell_states::Moment;
use quell_states::jsonata::{Expression, Scope};
use serde_json::Value;

/// How long one expression is measured.
const MILLIS: u64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let modules = arguments
        .next()
        .ok_or("the folder of the npm modules is missing")?;
    let suite = arguments.next().unwrap_or_default();
    measure(
        "playbooks",
        cases::of_playbooks(Path::new("content/playbooks"))?,
        &modules,
    )?;
    match Path::new(&suite).is_file() {
        true => measure("suite", cases::of_suite(Path::new(&suite))?, &modules),
        false => {
            println!("suite: there is no {suite}");
            Ok(())
        }
    }
}

fn measure(name: &str, cases: Vec<Case>, modules: &str) -> Result<(), Box<dyn std::error::Error>> {
    let theirs = theirs(&cases, modules)?;
    let (mut alike, mut unlike) = (Vec::new(), 0);
    for (case, theirs) in cases.iter().zip(&theirs) {
        let Some(ours) = ours(case) else { continue };
        let (Some(nanos), true) = (
            theirs["nanos"].as_f64(),
            cases::same(&ours.value, &theirs["value"]),
        ) else {
            unlike += 1;
            continue;
        };
        alike.push((ours, nanos));
    }
    let rate = |nanos: &dyn Fn(&(Ours, f64)) -> f64| {
        let all: f64 = alike.iter().map(nanos).sum();
        alike.len() as f64 * 1e9 / all
    };
    let mean = |ratio: &dyn Fn(&(Ours, f64)) -> f64| {
        let logs: f64 = alike.iter().map(|pair| ratio(pair).ln()).sum();
        (logs / alike.len() as f64).exp()
    };
    println!(
        "{name}: {} expressions ({unlike} with another value or none there)",
        alike.len()
    );
    println!(
        "  npm jsonata       {:>10.0} /s",
        rate(&|(_, theirs)| *theirs)
    );
    println!(
        "  evaluation        {:>10.0} /s   each {:.1} times as fast (geometric mean)",
        rate(&|(ours, _)| ours.evaluated),
        mean(&|(ours, theirs)| theirs / ours.evaluated)
    );
    println!(
        "  with its scope    {:>10.0} /s   each {:.2} times as fast",
        rate(&|(ours, _)| ours.with_scope),
        mean(&|(ours, theirs)| theirs / ours.with_scope)
    );
    if std::env::var_os("EACH").is_some() {
        let mut slow: Vec<_> = cases
            .iter()
            .filter_map(|case| alike.iter().find(|(ours, _)| ours.source == case.expr))
            .collect();
        slow.sort_by(|a, b| (a.1 / a.0.evaluated).total_cmp(&(b.1 / b.0.evaluated)));
        for (ours, theirs) in slow {
            println!(
                "    {:>8.1}x {:>10.0} ns, there {:>10.0}: {:.100}",
                theirs / ours.evaluated,
                ours.evaluated,
                theirs,
                ours.source.replace('\n', " ")
            );
        }
    }
    Ok(())
}

struct Ours {
    source: String,
    value: Value,
    /// Nanoseconds.
    evaluated: f64,
    /// Nanoseconds.
    with_scope: f64,
}

fn scope(case: &Case) -> Scope {
    let mut scope = Scope::new(Moment::new(1_700_000_000_000, 1));
    if let Some(data) = &case.data {
        scope.set_data(data);
    }
    for (name, value) in &case.bindings {
        scope.bind(name, value);
    }
    scope
}

fn ours(case: &Case) -> Option<Ours> {
    let expression = Expression::parse(&case.expr).ok()?;
    let ready = scope(case);
    let value = ready.evaluate(&expression).ok()?.unwrap_or(Value::Null);
    Some(Ours {
        source: case.expr.clone(),
        value,
        evaluated: timed(|| drop(black_box(ready.evaluate(black_box(&expression))))),
        with_scope: timed(|| drop(black_box(scope(case).evaluate(black_box(&expression))))),
    })
}

/// Nanoseconds of one call.
fn timed(call: impl Fn()) -> f64 {
    let limit = Duration::from_millis(MILLIS);
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < limit {
        (0..20).for_each(|_| call());
        count += 20;
    }
    began.elapsed().as_nanos() as f64 / f64::from(count)
}

fn theirs(cases: &[Case], modules: &str) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut node = Command::new("node")
        .args(["benches/jsonata/bench.mjs", modules, &MILLIS.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let asked = Value::Array(cases.iter().map(Case::json).collect());
    node.stdin
        .take()
        .ok_or("no input")?
        .write_all(asked.to_string().as_bytes())?;
    let told = node.wait_with_output()?;
    Ok(serde_json::from_slice(&told.stdout)?)
}
