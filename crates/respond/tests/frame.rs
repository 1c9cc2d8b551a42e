//! The states that every playbook's documents share, on a world of named values: what is planned is done, what fails is
//! done again or given up, what somebody else changes is noticed, and an undo brings back what was there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeMap;

use quell_model::{Call, Caller, Plan, Timestamp};
use quell_respond::task::Work;
use quell_respond::{Flow, LogEntry};
use quell_states::{Definition, Event, MachineRef, Moment, Status};
use serde_json::{Value, json};

type World = BTreeMap<String, String>;

fn shared(name: &str) -> Value {
    let path = format!("{}/tests/frame/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn task(operation: &str) -> Value {
    json!({
        "Type": "Task", "Resource": format!("arn:aws:states:::aws-sdk:ssm:{operation}"),
        "Arguments": "{% $call.arguments %}", "TimeoutSeconds": 30,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"problem": "{% $states.errorOutput %}"}, "Next": "CallFailed"}],
        "Next": "Called",
    })
}

/// A document of its own states and the shared ones.
fn document(name: &str, own: Value) -> Definition {
    let mut states = shared(name);
    let all = states.as_object_mut().unwrap();
    all.extend(own.as_object().unwrap().clone());
    for (state, operation) in [("Put", "putParameter"), ("Delete", "deleteParameter")] {
        all.insert(state.to_owned(), task(operation));
    }
    let call = |operation: &str, state: &str| json!({"Condition": format!("{{% $call.resource = 'arn:aws:states:::aws-sdk:ssm:{operation}' %}}"), "Next": state});
    all.insert("Call".to_owned(), json!({
        "Type": "Choice", "Choices": [call("putParameter", "Put"), call("deleteParameter", "Delete")], "Default": "UnknownCall",
    }));
    all.insert("Read".to_owned(), json!({
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ssm:getParametersByPath", "Arguments": {"Path": "/"}, "TimeoutSeconds": 30,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"problem": "{% $states.errorOutput %}"}, "Next": "ReadFailed"}],
        "Assign": {"live": "{% $merge([{}, $map($states.result.Parameters, function($p) { {$p.Name: $p.Value} })]) %}"},
        "Next": "HaveImage",
    }));
    let text =
        json!({"QueryLanguage": "JSONata", "StartAt": "Begin", "States": states}).to_string();
    Definition::parse(&text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn begin(more: Value) -> Value {
    let mut assign = json!({
        "playbook": "PB-1", "arn": "arn:x", "permitQueue": "{% $states.input.queues.permit %}", "rounds": 0,
    });
    assign
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"Type": "Pass", "Assign": assign, "Next": "Look"})
}

fn respond() -> Definition {
    document(
        "respond",
        json!({
            "Begin": begin(json!({"wanted": "{% $states.input.wanted %}"})),
            "Decide": {"Type": "Pass", "Assign": {
                "summary": "s", "facts": {},
                "calls": "{% ( $undo := function($w) { $exists($lookup($before, $w.Name)) ? {'resource': 'arn:aws:states:::aws-sdk:ssm:putParameter', 'arguments': {'Name': $w.Name, 'Value': $lookup($before, $w.Name)}, 'sets': {$w.Name: $lookup($before, $w.Name)}} : {'resource': 'arn:aws:states:::aws-sdk:ssm:deleteParameter', 'arguments': {'Name': $w.Name}, 'sets': {$w.Name: null}} }; [$map([$filter($wanted, function($w) { $not($lookup($before, $w.Name) = $w.Value) })], function($w) { {'resource': 'arn:aws:states:::aws-sdk:ssm:putParameter', 'arguments': $w, 'class': 'R1', 'sets': {$w.Name: $w.Value}, 'undo': [$undo($w)]} })] ) %}",
            }, "Next": "Anything"},
            "Anything": {"Type": "Choice", "Choices": [{"Condition": "{% $count($calls) = 0 %}", "Next": "Nothing"}], "Default": "Predict"},
            "Nothing": {"Type": "Succeed", "Output": {"outcome": "already-fixed"}},
            "Verified": {"Type": "Succeed", "Output": {"outcome": "fixed", "after": {"attributes": "{% $live %}"}}},
        }),
    )
}

fn undo() -> Definition {
    document(
        "undo",
        json!({"Begin": begin(json!({"undo": "{% $states.input.undo %}"}))}),
    )
}

/// What goes wrong, by the number of a changing call (from 1).
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kind,
    /// It fails each time from then on.
    Fails(usize),
    /// It takes effect and fails, once.
    Lost(usize),
    /// It succeeds without effect, once.
    Hollow(usize),
    /// It succeeds without effect each time from then on.
    AlwaysHollow(usize),
    /// The second has no effect at first; meanwhile somebody else takes the first back, which was seen.
    TakenBackMeanwhile,
    /// Somebody else sets another value at once.
    Foreign(usize),
    /// Somebody else sets something that no plan is about.
    Beside(usize),
    Refused,
}

struct Ran {
    ended: String,
    output: Value,
    plans: Vec<Plan>,
    /// Calls that were answered with yes, or may have been made.
    done: Vec<Call>,
    calls: usize,
}

fn run(definition: Definition, input: Value, world: &mut World, fate: Fate) -> Ran {
    let mut flow = Flow::new(definition, "run-test", MachineRef::default(), input);
    let caller = Caller {
        machine: "m".to_owned(),
        execution: "e".to_owned(),
    };
    let (mut event, mut now) = (Event::Started, Timestamp::from_millis(0));
    let (mut plans, mut done, mut calls) = (Vec::new(), Vec::new(), 0);
    let mut reads = 0;
    for step in 0..2_000 {
        flow.apply(LogEntry::Input {
            event,
            moment: Moment::new(now.millis(), step),
        });
        let (ended, output) = match flow.status() {
            Status::Running => (None, Value::Null),
            Status::Succeeded { output } => (
                output["outcome"].as_str().map(str::to_owned),
                output.clone(),
            ),
            Status::Failed { error, cause } => (error.clone(), json!(cause)),
            other => panic!("{other:?}"),
        };
        if let Some(ended) = ended {
            return Ran {
                ended,
                output,
                plans,
                done,
                calls,
            };
        }
        let Some(request) = flow.tasks().next().map(|awaited| awaited.request.clone()) else {
            let (timer, due) = flow.next_timer().unwrap();
            now = due.max(now);
            event = Event::TimerFired { timer };
            continue;
        };
        let task = request.task;
        let failed = |error: &str| Event::TaskFailed {
            task,
            error: error.into(),
            cause: String::new(),
        };
        let succeeded = |output: Value| Event::TaskSucceeded { task, output };
        event = match Work::of(&request, &caller).unwrap() {
            Work::Gate(plan) => {
                plans.push(serde_json::from_value(plan).unwrap());
                match fate {
                    Fate::Refused => failed("Quell.Refused"),
                    _ => succeeded(json!({"decision": "permitted"})),
                }
            }
            work => {
                let call = work.call().unwrap().clone();
                if call.operation == "GetParametersByPath" {
                    reads += 1;
                    // Before, again, and once after the calls.
                    if fate == Fate::TakenBackMeanwhile && reads == 4 {
                        world.insert("a".into(), "1".into());
                    }
                    let list: Vec<Value> = world
                        .iter()
                        .map(|(n, v)| json!({"Name": n, "Value": v}))
                        .collect();
                    // AWS leaves an empty list out.
                    event = succeeded(if list.is_empty() {
                        json!({})
                    } else {
                        json!({"Parameters": list})
                    });
                    continue;
                }
                calls += 1;
                let name = call.params["Name"].as_str().unwrap().to_owned();
                let effect = |world: &mut World| match call.params.get("Value") {
                    Some(value) => {
                        drop(world.insert(name.clone(), value.as_str().unwrap().to_owned()))
                    }
                    None => drop(world.remove(&name)),
                };
                match fate {
                    Fate::Fails(n) if calls >= n => failed("Ssm.SsmException"),
                    Fate::Lost(n) if calls == n => {
                        effect(world);
                        done.push(call.clone());
                        failed("Quell.Interrupted")
                    }
                    Fate::Hollow(n) if calls == n => succeeded(json!({})),
                    Fate::TakenBackMeanwhile if calls == 2 => succeeded(json!({})),
                    Fate::AlwaysHollow(n) if calls >= n => {
                        done.push(call.clone());
                        succeeded(json!({}))
                    }
                    fate => {
                        effect(world);
                        done.push(call.clone());
                        match fate {
                            Fate::Foreign(n) if calls == n => {
                                drop(world.insert(name.clone(), "attacker's".into()))
                            }
                            Fate::Beside(n) if calls == n => {
                                drop(world.insert("beside".into(), "x".into()))
                            }
                            _ => {}
                        }
                        succeeded(json!({}))
                    }
                }
            }
        };
    }
    panic!("it does not end");
}

fn world() -> World {
    [("a", "1"), ("c", "3")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .into()
}

fn wanted() -> Value {
    json!({"queues": {"permit": "quell:permits"}, "wanted": [{"Name": "a", "Value": "2"}, {"Name": "b", "Value": "x"}, {"Name": "c", "Value": "3"}]})
}

/// What the frame would record to take back.
fn record(ran: &Ran) -> Value {
    let plan = &ran.plans[0];
    let mut calls = Vec::new();
    for planned in plan.calls.iter().rev() {
        let call = Call::of_task(&planned.resource, &planned.arguments).unwrap();
        if ran.done.contains(&call) {
            calls.extend(planned.undo.iter().map(|u| json!(u)));
        }
    }
    json!({"before": plan.before, "after": plan.after, "calls": calls})
}

fn taken_back(world: &mut World, undo_record: &Value, fate: Fate) -> Ran {
    let input = json!({"queues": {"permit": "quell:permits"}, "undo": undo_record});
    run(undo(), input, world, fate)
}

#[test]
fn what_is_planned_is_done_and_taken_back_whatever_is_lost_on_the_way() {
    for (fate, calls) in [
        (Fate::Kind, 2),
        (Fate::Lost(1), 2),
        (Fate::Lost(2), 2),
        (Fate::Hollow(1), 3),
        (Fate::Hollow(2), 3),
    ] {
        let mut world = world();
        let ran = run(respond(), wanted(), &mut world, fate);
        assert_eq!(ran.ended, "fixed", "{}", ran.output);
        assert_eq!(ran.calls, calls);
        assert_eq!(
            ran.output["after"],
            json!({"attributes": {"a": "2", "b": "x", "c": "3"}})
        );
        assert_eq!(ran.plans[0].after, ran.output["after"]);
        let undo_record = record(&ran);
        for fate in [Fate::Kind, Fate::Lost(1), Fate::Hollow(2)] {
            let mut world = world.clone();
            let back = taken_back(&mut world, &undo_record, fate);
            assert_eq!(back.ended, "undone", "{}", back.output);
            assert_eq!(world, self::world());
            assert_eq!(
                taken_back(&mut world, &undo_record, Fate::Kind).ended,
                "already-undone"
            );
        }
    }
}

#[test]
fn a_step_that_fails_is_given_up_and_what_was_done_before_it_is_taken_back() {
    for fate in [
        Fate::Fails(1),
        Fate::Fails(2),
        Fate::AlwaysHollow(1),
        Fate::AlwaysHollow(2),
    ] {
        let mut world = world();
        let ran = run(respond(), wanted(), &mut world, fate);
        assert_eq!(ran.ended, "Quell.StepFailed", "{}", ran.output);
        let back = taken_back(&mut world, &record(&ran), Fate::Kind);
        assert!(
            ["undone", "already-undone"].contains(&back.ended.as_str()),
            "{}",
            back.output
        );
        assert_eq!(world, self::world());
    }
}

#[test]
fn somebody_elses_hand_is_noticed() {
    for fate in [
        Fate::Foreign(1),
        Fate::Foreign(2),
        Fate::TakenBackMeanwhile,
        Fate::Beside(1),
        Fate::Beside(2),
    ] {
        let mut world = world();
        let ran = run(respond(), wanted(), &mut world, fate);
        assert_eq!(ran.ended, "Quell.VerifyFailed", "{}", ran.output);
        assert_eq!(ran.calls, 2, "nothing is forced on somebody else");
    }
    let mut world = world();
    let ran = run(respond(), wanted(), &mut world, Fate::Kind);
    world.insert("a".into(), "attacker's".into());
    let back = taken_back(&mut world, &record(&ran), Fate::Kind);
    assert_eq!(
        (back.ended.as_str(), back.calls),
        ("Quell.Drifted", 0),
        "{}",
        back.output
    );
    // What others did beside it stays.
    world.insert("a".into(), "2".into());
    world.insert("beside".into(), "x".into());
    assert_eq!(
        taken_back(&mut world, &record(&ran), Fate::Kind).ended,
        "undone"
    );
    assert_eq!(world.get("beside").map(String::as_str), Some("x"));
}

#[test]
fn without_a_permit_nothing_is_called() {
    let mut world = world();
    let ran = run(respond(), wanted(), &mut world, Fate::Refused);
    assert_eq!((ran.ended.as_str(), ran.calls), ("Quell.Refused", 0));
    let mut there = World::from(
        [("a", "2"), ("b", "x"), ("c", "3")].map(|(n, v)| (n.to_owned(), v.to_owned())),
    );
    assert_eq!(
        run(respond(), wanted(), &mut there, Fate::Kind).ended,
        "already-fixed"
    );
    let mut empty = World::new();
    assert_eq!(
        run(respond(), wanted(), &mut empty, Fate::Kind).ended,
        "fixed"
    );
}
