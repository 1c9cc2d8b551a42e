//! Hostile documents, expressions and answers: each ends in a clear failure of that run alone, in bounded memory. Bounds
//! are of size and number; where only the evaluator's clock stops something, it is said.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;
#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;
#[path = "../../../fuzz/src/states.rs"]
mod states;

use common::{Driver, document};
use quell_states::jsonata::{Expression, Scope};
use quell_states::{Definition, Event, Moment, Status, limits};
use serde_json::{Value, json};

/// What the whole of this test binary may hold at once, answers of 100 MB included.
const MEMORY_BYTES_MAX: u64 = 2 << 30;

/// The most that this process ever held.
fn within_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(kib * 1024 < MEMORY_BYTES_MAX, "{kib} KiB");
}

/// Evaluates an expression, which must be refused; says why.
fn refused(source: &str) -> String {
    let scope = Scope::new(Moment::new(0, 1));
    let result = Expression::parse(source).and_then(|expression| {
        let value = scope.evaluate(&expression)?;
        Ok(value.map(std::borrow::Cow::into_owned))
    });
    within_memory();
    match result {
        Ok(value) => panic!(
            "{source:.80} gave {:.80}",
            value.unwrap_or_default().to_string()
        ),
        Err(error) => error.message,
    }
}

/// How the run of a document that is one Pass with this output ends.
fn passed(output: &str) -> Driver {
    let state = json!({ "Type": "Pass", "Output": format!("{{% {output} %}}"), "End": true });
    Driver::start(&document("A", json!({ "A": state })), json!({}))
}

const TOO_LARGE: &str = "makes a value that is too large";
const TEXT_TOO_LARGE: &str = "would make a text that is too large";

#[test]
fn texts_do_not_double_for_ever() {
    for source in [
        "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('x', 60))",
        "($a := 'x'; $reduce([1..60], function($s, $n) { $s & $s }, $a))",
        "$reduce([1..60], function($s, $n) { $join([$s, $s]) }, 'x')",
        "$reduce([1..60], function($s, $n) { $s ~> $replace('x', 'xx') }, 'x')",
    ] {
        let message = refused(source);
        assert!(message.contains(TOO_LARGE), "{source}: {message}");
    }
    for source in [
        "$pad('', 2000000000)",
        "$pad('x', -2000000000, 'ab')",
        "'x' ~> $pad(2000000000)",
        "$replace($pad('', 100000, 'a'), 'a', $pad('', 100000, 'b'))",
        "$join([1..1000].('x'), $pad('', 100000, '-'))",
        "$formatNumber(1, $pad('', 1000000, '0'))",
    ] {
        let message = refused(source);
        assert!(message.contains(TEXT_TOO_LARGE), "{source}: {message}");
    }
}

#[test]
fn values_do_not_hold_themselves_again_and_again() {
    for make in [
        "[[$s, $s]]",
        "[$s, [$s]]",
        "{'a': $s, 'b': $s}",
        "{'a': [$s, $s]}",
    ] {
        for read in [
            "$string($f(60))",
            "$f(60) = $f(60)",
            "$f(60)",
            "'' & $f(60)",
            "$distinct([$f(60)])",
        ] {
            let source = format!(
                "($f := function($n) {{ $reduce([1..$n], function($s, $n) {{ {make} }}, [1, 2]) }}; {read})"
            );
            let message = refused(&source);
            assert!(
                message.contains("too large") || message.contains("D2015"),
                "{source}: {message}"
            );
        }
    }
    // Without a name or a function, by writing it out.
    let source = format!(
        "$string($states{})",
        ".{'a': [$, $], 'b': [$, $]}".repeat(40)
    );
    let states = json!({ "input": 1 });
    let mut scope = Scope::new(Moment::new(0, 1));
    scope.bind("states", &states);
    let error = scope
        .evaluate(&Expression::parse(&source).unwrap())
        .unwrap_err();
    assert!(error.message.contains("too large"), "{error}");
    within_memory();
}

#[test]
fn ranges_and_sequences_have_an_end() {
    for source in [
        "[1..1000000000]",
        "$count([1..9999999])",
        "$range(0, 1000000000, 1)",
        "$map([1..100000], function($i) { [1..100000] })",
        "[1..1000].([1..1000].([1..1000]))",
        "$reduce([1..60], function($a, $n) { $append($a, $a) }, [1, 2])",
        "[1..100000].[1..100000]",
    ] {
        let message = refused(source);
        assert!(
            message.contains("D2014") || message.contains("D2015"),
            "{source}: {message}"
        );
    }
}

#[test]
fn recursion_has_an_end() {
    assert!(refused("($f := function($n) { 1 + $f($n + 1) }; $f(0))").contains("D1011"));
    // A loop that makes nothing is stopped by the clock inside the evaluator, and by nothing else.
    assert!(refused("($f := function($n) { $f($n + 1) }; $f(0))").contains("D1012"));
}

/// Regular expressions are matched in linear time, and those for which that cannot be are refused.
#[test]
fn regular_expressions_do_not_explode() {
    let scope = Scope::new(Moment::new(0, 1));
    for source in [
        "$match($pad('', 100000, 'a') & '!', /(a+)+$/)",
        "$match($pad('', 1000, 'a') & '!', /^(a|a)*$/)",
        "$contains($pad('', 100000, 'a') & '!', /^(([a-z])+.)+[A-Z]([a-z])+$/)",
    ] {
        assert!(scope.evaluate(&Expression::parse(source).unwrap()).is_ok());
    }
    refused("$contains('aa', /(a)\\1/)");
    refused("$contains('aa', /(a{1000}){1000}{1000}/)");
}

#[test]
fn an_exploding_expression_fails_its_run() {
    let driver =
        passed("($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('x', 60))");
    let (error, cause) = driver.error();
    assert_eq!(error, "States.QueryEvaluationError");
    assert!(cause.contains(TOO_LARGE), "{cause}");
    let driver = passed("$join([1..40000].('0123456789'))");
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
}

#[test]
fn results_of_100_megabytes_are_refused() {
    let task =
        json!({ "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "End": true });
    let machine = document("A", json!({ "A": task }));
    let mut driver = Driver::start(&machine, json!({}));
    driver.succeed(json!({ "Body": "x".repeat(100 << 20) }));
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
    let mut driver = Driver::start(&machine, json!({}));
    driver.succeed(Value::from(vec![0; 5_000_000]));
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
    // Nor does anything of it stay.
    assert!(serde_json::to_string(&driver.execution).unwrap().len() < 10_000);
    within_memory();
}

/// Deeper than any reader of JSON lets through, which is 128 levels.
#[test]
fn deep_answers_and_inputs_are_refused() {
    let deep = || (0..500).fold(json!(1), |value, _| json!([value]));
    let task = json!({ "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeVpcs", "End": true });
    let machine = document("A", json!({ "A": task }));
    let mut driver = Driver::start(&machine, json!({}));
    driver.succeed(deep());
    assert!(matches!(driver.status(), Status::Failed { .. }));
    let driver = Driver::start(&machine, deep());
    assert!(matches!(driver.status(), Status::Failed { .. }));
}

/// A machine of `count` states, each leading to the next.
fn chain(count: usize, comment: &str) -> String {
    let mut states = serde_json::Map::new();
    for at in 0..count {
        let next = match at + 1 < count {
            true => json!({ "Type": "Pass", "Comment": comment, "Next": format!("S{}", at + 1) }),
            false => json!({ "Type": "Succeed" }),
        };
        states.insert(format!("S{at}"), next);
    }
    json!({ "StartAt": "S0", "States": states }).to_string()
}

#[test]
fn documents_of_ten_thousand_states_run() {
    let text = chain(10_000, "");
    assert!(text.len() < limits::DOCUMENT_BYTES_MAX);
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let driver = Driver::start(&parsed, json!({ "a": 1 }));
    assert_eq!(driver.output(), &json!({ "a": 1 }));
    assert_eq!(driver.history.len(), 2 + 2 * 10_000);
}

#[test]
fn documents_over_a_mebibyte_are_refused() {
    let text = chain(1_000, &"x".repeat(1_100));
    assert!(text.len() > limits::DOCUMENT_BYTES_MAX);
    assert!(Definition::parse(&text).is_err());
}

#[test]
fn deep_documents_are_refused_or_run() {
    for depth in [10, 60, 127, 1_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"Not\":", "}")] {
            let text = format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Choice","Choices":{}1{}}}}}}}"#,
                open.repeat(depth),
                close.repeat(depth)
            );
            assert!(Definition::parse(&text).is_err());
        }
        let inner = (0..depth.min(200)).fold(json!({ "Type": "Succeed" }), |state, at| {
            let name = format!("S{at}");
            json!({ "Type": "Parallel", "End": true, "Branches": [{ "StartAt": name.clone(), "States": { name: state } }] })
        });
        let text = json!({ "StartAt": "A", "States": { "A": inner } }).to_string();
        if let Ok(definition) = Definition::parse(&text) {
            let driver =
                Driver::start(&serde_json::from_str(definition.text()).unwrap(), json!({}));
            assert!(!matches!(driver.status(), Status::Running));
        }
    }
}

#[test]
fn hostile_names_are_names() {
    for name in [
        "",
        "../../etc",
        "a\u{0}b",
        "\u{202e}x",
        "$$",
        "States.ALL",
        "'",
        "\"",
        "{% 1 %}",
        "e\u{301}",
    ] {
        let text = json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } });
        if Definition::parse(&text.to_string()).is_ok() {
            let driver = Driver::start(&text, json!({ name: 1 }));
            assert_eq!(driver.output(), &json!({ name: 1 }));
        }
    }
    let long = "x".repeat(limits::NAME_CHARS_MAX + 1);
    let text = json!({ "StartAt": long, "States": { long: { "Type": "Succeed" } } });
    assert!(Definition::parse(&text.to_string()).is_err());
}

#[test]
fn a_million_items_fail_their_map() {
    let map = |fields: Value| {
        let mut state = json!({
            "Type": "Map", "End": true, "ItemProcessor": {
                "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
                "StartAt": "Do", "States": { "Do": { "Type": "Pass", "End": true } },
            },
        });
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        document("M", json!({ "M": state }))
    };
    let reader = json!({ "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": { "InputType": "JSONL" },
        "Arguments": { "Bucket": "b", "Key": "k" },
    } });
    let mut driver = Driver::start(&map(reader), json!({}));
    driver.succeed(json!({ "Body": "1\n".repeat(1_000_000) }));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.ItemReaderFailed");
    assert!(cause.contains("more than"), "{cause}");
    let driver = Driver::start(&map(json!({ "Items": "{% [1..1000000] %}" })), json!({}));
    assert_eq!(driver.error().0, "States.QueryEvaluationError");
    within_memory();
}

/// Every attempt fails at once, as often as can be written.
#[test]
fn a_storm_of_retries_ends_with_the_history() {
    let task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeVpcs", "End": true,
        "Retry": [{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 99_999_999, "BackoffRate": 1 }],
    });
    let mut driver = Driver::start(&document("A", json!({ "A": task })), json!({}));
    while driver.status() == &Status::Running {
        driver.effects.clear();
        driver.log.clear();
        match driver.tasks.is_empty() {
            false => drop(driver.fail("Ec2.Ec2Exception")),
            true => drop(driver.wait()),
        }
    }
    let (error, cause) = driver.error();
    assert_eq!(error, "States.Runtime");
    assert!(
        cause.contains("maximum number of history events"),
        "{cause}"
    );
    assert!(driver.history.len() as u64 <= limits::HISTORY_EVENTS_MAX);
}

/// Another run goes on as if nothing had been: nothing is shared.
#[test]
fn a_hostile_run_disturbs_no_other() {
    let task = json!({ "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeVpcs", "End": true });
    let mut other = Driver::start(&document("A", json!({ "A": task })), json!({}));
    let hostile = passed("$string([1..1000].([1..1000].([1..1000])))");
    assert!(matches!(hostile.status(), Status::Failed { .. }));
    let event = Event::TaskSucceeded {
        task: other.open_task(),
        output: json!(1),
    };
    other.send(event);
    assert_eq!(other.output(), &json!(1));
}

#[test]
fn mutated_documents() {
    mutations::run("states_document", 3_000, states::document);
}

#[test]
fn mutated_executions() {
    mutations::run("states_execution", 1_000, states::execution);
}

#[test]
fn mutated_expressions() {
    mutations::run("states_jsonata", 2_000, states::jsonata);
}
