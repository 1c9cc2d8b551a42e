//! `states-jsonata.jsonl`: the suite of the reference implementation.

use crate::common::START;
use crate::compare::same;
use crate::rows;
use crate::tally::{Report, Verdict};
use quell_states::Moment;
use quell_states::jsonata::{Expression, JsonataError, Limits, Scope};
use serde_json::Value;

#[test]
fn jsonata() {
    let rows = rows("states-jsonata.jsonl");
    Report::run("states-jsonata.jsonl", &rows, jsonata_row);
}

fn jsonata_row(row: &Value) -> Verdict {
    let source = row["expr"].as_str().expect("an expression");
    let expected = &row["expected"];
    let answer = Expression::parse(source).and_then(|expression| {
        if expression.calls_eval() {
            return Ok(Err(()));
        }
        let mut scope = Scope::new(Moment::new(START, 1));
        // JSONata's own bound, and the time for it; executions run under tighter ones.
        scope.set_limits(Limits {
            millis: 30_000,
            sequence: 10_000_000,
            ..Limits::default()
        });
        if row["has_data"] == true {
            scope.set_data(&row["data"]);
        }
        for (name, value) in row["bindings"].as_object().into_iter().flatten() {
            scope.bind(name, value);
        }
        let value = scope.evaluate(&expression)?;
        Ok(Ok(value.map(std::borrow::Cow::into_owned)))
    });
    let answer: Result<Option<Value>, JsonataError> = match answer {
        Ok(Err(())) => return Verdict::Skip("$eval, which Step Functions forbids"),
        Ok(Ok(value)) => Ok(value),
        Err(error) => Err(error),
    };
    let unordered = row["unordered"] == true;
    let holds = match (&answer, expected) {
        (Err(error), expected) => expected
            .get("error")
            .or_else(|| expected.get("code"))
            .is_some_and(|code| code.is_null() || code.as_str() == error.code.as_deref()),
        (Ok(None), expected) => expected.get("undefined").is_some(),
        (Ok(Some(value)), expected) => expected
            .get("result")
            .is_some_and(|result| same(value, result, unordered)),
    };
    if holds {
        Verdict::Pass
    } else {
        Verdict::Fail(format!("{source}: expected {expected}, got {answer:?}"))
    }
}
