use super::super::Known;
use super::*;
use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::json;

/// Parameters of Systems Manager, as a subject: any may be put, and deleted.
struct Parameters;

impl Subject for Parameters {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let name = asked.text("Name")?;
        match (asked.operation, asked.way) {
            ("ssm:PutParameter", _) => {
                let value = asked.only(&["Name", "Value"])?.get("Value").cloned();
                Ok(Deed::setting(name, value.unwrap_or_default()))
            }
            ("ssm:DeleteParameter", Way::Back) => Ok(Deed::setting(name, Value::Null)),
            ("ssm:LabelParameterVersion", Way::There) => {
                Ok(Deed::setting(format!("{name}/label"), "kept")
                    .kept()
                    .of_class(Class::R2))
            }
            (other, way) => Err(no(format!("{other} {way:?}"))),
        }
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        let many = plan.calls.len() > 2;
        Vec::from_iter(many.then(|| "many would feel it".to_owned()))
    }

    fn keeps(&self) -> &'static [&'static str] {
        &["any parameter may be put"]
    }
}

fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:ssm:{operation}")
}

fn put(name: &str, value: &str, was: Option<&str>) -> PlannedCall {
    let undo = match was {
        Some(was) => UndoCall {
            resource: task("putParameter"),
            arguments: json!({"Name": name, "Value": was}),
            sets: Map::from_iter([(name.to_owned(), json!(was))]),
        },
        None => UndoCall {
            resource: task("deleteParameter"),
            arguments: json!({"Name": name}),
            sets: Map::from_iter([(name.to_owned(), Value::Null)]),
        },
    };
    PlannedCall {
        resource: task("putParameter"),
        arguments: json!({"Name": name, "Value": value}),
        class: Class::R1,
        sets: Map::from_iter([(name.to_owned(), json!(value))]),
        undo: vec![undo],
    }
}

fn plan() -> Plan {
    Plan {
        playbook: "PB-1".into(),
        resource: "arn".into(),
        summary: String::new(),
        calls: vec![put("a", "2", Some("1")), put("b", "x", None)],
        before: json!({"attributes": {"a": "1", "c": "3"}}),
        after: json!({"attributes": {"a": "2", "b": "x", "c": "3"}}),
        facts: Value::Null,
    }
}

fn undo() -> Value {
    let plan = plan();
    let calls: Vec<_> = plan
        .calls
        .iter()
        .rev()
        .flat_map(|c| c.undo.clone())
        .collect();
    json!({"before": plan.before, "after": plan.after, "calls": calls})
}

fn with<T>(check: impl FnOnce(&Claim<'_>) -> T) -> T {
    let resource = Resource::security_group("aws", "us-east-1", "444455556666", "sg-1");
    check(&Claim {
        run: "run-1",
        resource: &resource,
        facts: &Value::Null,
        undo: None,
        production: true,
        known: Known::default(),
    })
}

fn respond(change: fn(&mut Plan)) -> Result<(), Unproven> {
    let mut plan = plan();
    change(&mut plan);
    with(|claim| prove_respond(&Parameters, &plan, claim))
}

#[test]
fn a_plan_that_says_what_it_does_is_proven() {
    assert_eq!(respond(|_| {}), Ok(()));
}

#[test]
fn a_plan_that_says_something_else_is_not() {
    type Lie = (&'static str, fn(&mut Plan));
    let lies: &[Lie] = &[
        ("sets", |p| {
            p.calls[0].sets.insert("a".into(), json!("9"));
        }),
        ("sets more", |p| {
            p.calls[0].sets.insert("z".into(), json!("9"));
        }),
        ("sets nothing", |p| p.calls[0].sets = Map::new()),
        ("after", |p| p.after["attributes"]["c"] = json!("4")),
        ("after lacks", |p| {
            p.after["attributes"].as_object_mut().unwrap().remove("b");
        }),
        ("before is null", |p| {
            p.before["attributes"]["d"] = Value::Null
        }),
        ("no undo", |p| p.calls[0].undo.clear()),
        ("undo of another", |p| {
            p.calls[0].undo = p.calls[1].undo.clone()
        }),
        ("undo brings another value", |p| {
            p.calls[0].undo[0].arguments["Value"] = json!("0");
            p.calls[0].undo[0].sets.insert("a".into(), json!("0"));
        }),
        ("no call of the subject", |p| {
            p.calls[0].resource = task("deleteParameter")
        }),
        ("no image", |p| p.before = json!({})),
        ("class", |p| {
            p.calls[0] = PlannedCall {
                resource: task("labelParameterVersion"),
                arguments: json!({"Name": "a"}),
                class: Class::R1,
                sets: Map::from_iter([("a/label".to_owned(), json!("kept"))]),
                undo: vec![],
            };
            p.after = json!({"attributes": {"a": "1", "a/label": "kept", "b": "x", "c": "3"}});
        }),
    ];
    for (name, lie) in lies {
        assert!(respond(*lie).is_err(), "{name}");
    }
}

#[test]
fn what_is_kept_needs_no_way_back() {
    let kept = |p: &mut Plan| {
        p.calls[0] = PlannedCall {
            resource: task("labelParameterVersion"),
            arguments: json!({"Name": "a"}),
            class: Class::R2,
            sets: Map::from_iter([("a/label".to_owned(), json!("kept"))]),
            undo: vec![],
        };
        p.after = json!({"attributes": {"a": "1", "a/label": "kept", "b": "x", "c": "3"}});
    };
    assert_eq!(respond(kept), Ok(()));
}

/// An undo of everything from a live state.
fn undone(live: Value, calls: &[usize], after: Value) -> Result<(), Unproven> {
    let undo = undo();
    let recorded = undo["calls"].as_array().unwrap();
    let call = |i: &usize| PlannedCall {
        resource: recorded[*i]["resource"].as_str().unwrap().into(),
        arguments: recorded[*i]["arguments"].clone(),
        class: Class::R1,
        sets: recorded[*i]["sets"].as_object().unwrap().clone(),
        undo: vec![],
    };
    let plan = Plan {
        calls: calls.iter().map(call).collect(),
        before: json!({"attributes": live}),
        after: json!({"attributes": after}),
        ..plan()
    };
    with(|claim| prove_undo(&Parameters, &plan, claim, &undo))
}

#[test]
fn an_undo_brings_back_what_was_there_and_leaves_what_others_did() {
    let all = json!({"a": "2", "b": "x", "c": "3"});
    let was = json!({"a": "1", "c": "3"});
    assert_eq!(undone(all.clone(), &[0, 1], was.clone()), Ok(()));
    // Half done: what is back already needs no call.
    assert_eq!(
        undone(json!({"a": "2", "c": "3"}), &[1], was.clone()),
        Ok(())
    );
    // Somebody else changed something beside it: that stays.
    let beside = json!({"a": "2", "b": "x", "c": "9", "d": "new"});
    assert_eq!(
        undone(beside, &[0, 1], json!({"a": "1", "c": "9", "d": "new"})),
        Ok(())
    );
    // Somebody else changed what would be taken back.
    let drifted = json!({"a": "7", "b": "x", "c": "3"});
    assert!(undone(drifted, &[0, 1], was.clone()).is_err());
    // Too little, in another order, and not to what was there.
    assert!(undone(all.clone(), &[0], json!({"a": "2", "c": "3"})).is_err());
    assert!(undone(all.clone(), &[1, 0], was.clone()).is_err());
    assert!(undone(all, &[0, 1], json!({"a": "1", "b": "x", "c": "3"})).is_err());
}
