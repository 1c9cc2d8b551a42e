//! JSONata expressions a second, beside the npm package `jsonata` in the same run: `bench-jsonata MODULES CONFORMANCE`.
//!
//! Two sets: the expressions of the playbooks in `content`, with the variables that they have there; and the suite of
//! the reference implementation, which must be there. Counted are expressions that both evaluate to the same value.
//!
//! What is compared: the evaluation of an expression that has been parsed. The npm package is given the data and all
//! bindings with each evaluation, as its interface has it. Ours is measured with its scope made anew each time, out of
//! the same bindings, as a run does for a state; and, in a column of its own, with one scope for all evaluations. Both
//! may give back a part of what they were given without a copy. Of each case both sides are measured one right after the
//! other, and of each side the fastest of some rounds counts.

mod cases;
mod npm;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use cases::Case;
use npm::Npm;
use quell_states::Moment;
use quell_states::jsonata::{Expression, Scope};
use serde_json::Value;

/// How long one round of one expression is measured, and how many rounds there are: many short ones, of which some are
/// free of what else the machine does.
const MILLIS: u64 = 1;
const ROUNDS: u32 = 20;

type Tried<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Tried<()> {
    let mut arguments = std::env::args().skip(1);
    let mut named = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let mut npm = Npm::start(&named("the folder of the npm modules")?, MILLIS, ROUNDS)?;
    let suite = named("the file of the reference suite")?;
    let suite = cases::of_suite(Path::new(&suite)).map_err(|error| format!("{suite}: {error}"))?;
    let playbooks = cases::of_playbooks(Path::new("content/playbooks"))?;
    measure("playbooks", &playbooks, &mut npm)?;
    measure("reference suite", &suite, &mut npm)
}

/// What one expression takes, in nanoseconds.
struct Row<'c> {
    source: &'c str,
    theirs: f64,
    /// With its scope made anew each time.
    anew: f64,
    /// In one scope.
    once: f64,
}

fn measure(name: &str, cases: &[Case], npm: &mut Npm) -> Tried<()> {
    let (mut rows, mut unlike) = (Vec::new(), 0);
    for case in cases {
        let theirs = npm.ask(&case.json())?;
        match row(case, &theirs) {
            Some(row) => rows.push(row),
            None => unlike += 1,
        }
    }
    if rows.is_empty() {
        return Err(format!("{name}: no expression has the same value on both sides").into());
    }
    println!(
        "{name}: {} expressions ({unlike} with another value or none on one side)",
        rows.len()
    );
    let all = |nanos: &dyn Fn(&Row<'_>) -> f64| {
        rows.len() as f64 * 1e9 / rows.iter().map(nanos).sum::<f64>()
    };
    let each = |nanos: &dyn Fn(&Row<'_>) -> f64| {
        let logs: f64 = rows.iter().map(|row| (row.theirs / nanos(row)).ln()).sum();
        (logs / rows.len() as f64).exp()
    };
    println!("  npm jsonata          {:>10.0} /s", all(&|row| row.theirs));
    println!(
        "  with a scope anew    {:>10.0} /s   each {:.1} times as fast (geometric mean)",
        all(&|row| row.anew),
        each(&|row| row.anew)
    );
    println!(
        "  in one scope         {:>10.0} /s   each {:.1} times as fast",
        all(&|row| row.once),
        each(&|row| row.once)
    );
    if std::env::var_os("EACH").is_some() {
        show_each(rows);
    }
    Ok(())
}

fn show_each(mut rows: Vec<Row<'_>>) {
    rows.sort_by(|a, b| (a.theirs / a.anew).total_cmp(&(b.theirs / b.anew)));
    for row in rows {
        println!(
            "    {:>8.1}x {:>10.0} ns, in one scope {:>10.0}, there {:>10.0}: {:.100}",
            row.theirs / row.anew,
            row.anew,
            row.once,
            row.theirs,
            row.source.replace('\n', " ")
        );
    }
}

/// Ours beside theirs, when both have the same value.
fn row<'c>(case: &'c Case, theirs: &Value) -> Option<Row<'c>> {
    let expression = Expression::parse(&case.expr).ok()?;
    let ready = case.scope();
    let value = ready.evaluate(&expression).ok()?;
    let value = value.as_deref().unwrap_or(&Value::Null);
    let nanos = theirs["nanos"].as_f64()?;
    cases::same(value, &theirs["value"]).then(|| Row {
        source: &case.expr,
        theirs: nanos,
        anew: timed(|| {
            drop(black_box(case.scope().evaluate(black_box(&expression))));
        }),
        once: timed(|| drop(black_box(ready.evaluate(black_box(&expression))))),
    })
}

impl Case {
    fn scope(&self) -> Scope<'_> {
        let mut scope = Scope::new(Moment::new(1_700_000_000_000, 1));
        if let Some(data) = &self.data {
            scope.set_data(data);
        }
        scope.bind_all(&self.bindings);
        scope
    }
}

/// Nanoseconds of one call, in the fastest of the rounds.
fn timed(call: impl Fn()) -> f64 {
    let limit = Duration::from_millis(MILLIS);
    let round = || {
        let (began, mut count, mut batch) = (Instant::now(), 0_u32, 1);
        // The clock is read more seldom when a call is short.
        while began.elapsed() < limit {
            (0..batch).for_each(|_| call());
            count += batch;
            batch = (batch * 2).min(count).min(64);
        }
        began.elapsed().as_nanos() as f64 / f64::from(count)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}
