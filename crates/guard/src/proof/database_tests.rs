use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::Map;

use super::super::{Known, Proof, attributes};
use super::*;

fn database() -> Resource {
    let arn = "arn:aws:rds:us-east-1:444455556666:db:shop";
    Resource::new(arn.parse().unwrap(), "AWS::RDS::DBInstance", "shop")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn prove(plan: &Plan, undo: Option<&Value>) -> Result<Proof, Unproven> {
    let (resource, facts) = (database(), json!({}));
    let claim = Claim {
        run: "run-1",
        resource: &resource,
        facts: &facts,
        undo,
        production: true,
        known: Known::default(),
    };
    attributes::prove(&Database, plan, &claim)
}

fn refused(plan: &Plan, words: &str) {
    let Err(why) = prove(plan, None) else {
        panic!("it was proven, and should not be: {words}");
    };
    assert!(why.0.contains(words), "{words}: {why}");
}

fn plan(before: Value, call: PlannedCall) -> Plan {
    let mut after = object(before.clone());
    after.extend(call.sets.clone());
    Plan {
        playbook: "PB-014".into(),
        resource: database().arn.to_string(),
        summary: "s".into(),
        calls: vec![call],
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({}),
    }
}

fn saving() -> Plan {
    let call = PlannedCall {
        resource: "arn:aws:states:::aws-sdk:rds:createDBSnapshot".into(),
        arguments: json!({"DbSnapshotIdentifier": "quell-run-1", "DbInstanceIdentifier": "shop",
            "Tags": [{"Key": "quell:run", "Value": "run-1"}]}),
        class: Class::R1,
        sets: object(json!({"snapshot/quell-run-1": "taken"})),
        undo: vec![],
    };
    plan(
        json!({"database/shop/public": true, "database/shop/pending": {}}),
        call,
    )
}

fn closing() -> Plan {
    let to = |public: bool| UndoCall {
        resource: "arn:aws:states:::aws-sdk:rds:modifyDBInstance".into(),
        arguments: json!({"DbInstanceIdentifier": "shop", "PubliclyAccessible": public, "ApplyImmediately": true}),
        sets: object(json!({"database/shop/public": public})),
    };
    let there = to(false);
    let call = PlannedCall {
        resource: there.resource,
        arguments: there.arguments,
        class: Class::R2,
        sets: there.sets,
        undo: vec![to(true)],
    };
    let before = json!({"database/shop/public": true, "database/shop/pending": {}, "snapshot/quell-run-1": "taken"});
    plan(before, call)
}

#[test]
fn a_snapshot_stays_and_a_person_decides_on_the_rest() {
    assert_eq!(prove(&saving(), None).unwrap().concerns, [""; 0]);
    assert_eq!(prove(&closing(), None).unwrap().concerns.len(), 1);
}

#[test]
fn nothing_else_of_a_database_is_changed() {
    for (member, value, why) in [
        ("DbInstanceIdentifier", json!("other"), "may only be"),
        ("PubliclyAccessible", json!(true), "may only be"),
        ("ApplyImmediately", json!(false), "may only be"),
        ("MasterUserPassword", json!("x"), "no such call needs"),
        ("DeletionProtection", json!(false), "no such call needs"),
    ] {
        let mut plan = closing();
        plan.calls[0].arguments[member] = value;
        refused(&plan, why);
    }
    let mut plan = closing();
    plan.calls[0].class = Class::R1;
    refused(&plan, "of class R2");
    let mut plan = closing();
    plan.calls[0].undo[0].arguments["PubliclyAccessible"] = false.into();
    refused(&plan, "may only be");
    for (member, value) in [
        ("DbSnapshotIdentifier", "quell-run-2"),
        ("DbInstanceIdentifier", "other"),
    ] {
        let mut plan = saving();
        plan.calls[0].arguments[member] = value.into();
        refused(&plan, "may only be");
    }
    for operation in ["deleteDBInstance", "deleteDBSnapshot", "rebootDBInstance"] {
        let mut plan = closing();
        plan.calls[0].resource = format!("arn:aws:states:::aws-sdk:rds:{operation}");
        refused(&plan, "does not close a database");
    }
}

#[test]
fn what_is_pending_is_never_applied_with_it_and_a_snapshot_comes_first() {
    for (key, value, why) in [
        (
            "database/shop/pending",
            Some(json!({"DbInstanceClass": "db.m5.large"})),
            "pending",
        ),
        ("database/shop/pending", None, "pending"),
        ("snapshot/quell-run-1", None, "no snapshot"),
        (
            "database/shop/public",
            Some(json!(false)),
            "cannot be reached",
        ),
    ] {
        let mut plan = closing();
        for image in [&mut plan.before, &mut plan.after] {
            let image = image["attributes"].as_object_mut().unwrap();
            match &value {
                Some(value) => drop(image.insert(key.into(), value.clone())),
                None => drop(image.remove(key)),
            }
        }
        refused(&plan, why);
    }
    // What takes it back, when something else is pending by then.
    let first = closing();
    let recorded =
        json!({"before": first.before, "after": first.after, "calls": first.calls[0].undo});
    let back = &first.calls[0].undo[0];
    let call = PlannedCall {
        resource: back.resource.clone(),
        arguments: back.arguments.clone(),
        class: Class::R2,
        sets: back.sets.clone(),
        undo: vec![],
    };
    for (pending, proven) in [(json!({}), true), (json!({"AllocatedStorage": 200}), false)] {
        let live = json!({"database/shop/public": false, "database/shop/pending": pending});
        assert_eq!(
            prove(&plan(live, call.clone()), Some(&recorded)).is_ok(),
            proven
        );
    }
}
