use super::super::attributes::prove_undo;
use super::tests::*;
use super::*;
use quell_model::{Class, PlannedCall};
use serde_json::json;

/// A name, and how a record is tampered with.
type Tampering = (&'static str, fn(&mut Value));

/// The record of a response, as the frame keeps it.
fn recorded(plan: &Plan) -> Value {
    let calls: Vec<_> = plan
        .calls
        .iter()
        .rev()
        .flat_map(|c| c.undo.clone())
        .collect();
    json!({"before": plan.before, "after": plan.after, "calls": calls})
}

/// Undoes what `undo` says, all of it, from the state that `done` left.
fn undone(resource: &Resource, done: &Plan, undo: &Value) -> Result<(), Unproven> {
    let calls = undo["calls"].as_array().unwrap();
    let planned = calls.iter().map(|c| PlannedCall {
        resource: c["resource"].as_str().unwrap().to_owned(),
        arguments: c["arguments"].clone(),
        class: Class::R1,
        sets: c["sets"].as_object().unwrap().clone(),
        undo: Vec::new(),
    });
    let plan = carried_out(Plan {
        calls: planned.collect(),
        before: done.after.clone(),
        facts: json!({}),
        ..done.clone()
    });
    let claim = Claim {
        run: "run-1",
        resource,
        facts: &Value::Null,
        undo: Some(undo),
        production: true,
        known: crate::proof::Known::default(),
    };
    prove_undo(&Containment, &plan, &claim, undo)
}

#[test]
fn an_undo_gives_back_what_was_there_and_no_more() {
    let user = of_user();
    let undo = recorded(&user);
    assert_eq!(undone(&eve(), &user, &undo), Ok(()));
    let theirs = r#"{"Statement":[]}"#;
    for was in [None, Some(theirs)] {
        let role = of_role(&denying(&[&build_7()]), was);
        assert_eq!(undone(&app(), &role, &recorded(&role)), Ok(()), "{was:?}");
    }
    let tampered: &[Tampering] = &[
        ("switches on what was off", |undo| {
            undo["before"]["attributes"][KEY] = json!("Inactive");
        }),
        ("attaches", |undo| {
            undo["calls"][4]["resource"] = task("attachUserPolicy").into();
            undo["calls"][4]["sets"][ATTACHED] = json!("attached");
        }),
        ("takes off a deny that was there before", |undo| {
            undo["before"]["attributes"][ATTACHED] = json!("attached");
        }),
        ("deletes", |undo| {
            undo["calls"][3]["resource"] = task("deleteAccessKey").into();
        }),
        ("another user", |undo| {
            undo["calls"][3]["arguments"]["UserName"] = json!("alice");
        }),
    ];
    for (name, tamper) in tampered {
        let mut undo = undo.clone();
        tamper(&mut undo);
        assert!(undone(&eve(), &user, &undo).is_err(), "{name}");
    }
    let role = of_role(&denying(&[&build_7()]), Some(theirs));
    let mut undo = recorded(&role);
    let evil = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    undo["calls"][0]["arguments"]["PolicyDocument"] = evil.into();
    undo["calls"][0]["sets"][INLINE_KEY] = evil.into();
    assert!(undone(&app(), &role, &undo).is_err());
}
