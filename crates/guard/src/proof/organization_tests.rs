use super::super::attributes::{prove, prove_undo};
use super::super::{Known, Proof};
use super::*;
use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::{Map, json};

const ACCOUNT: &str = "444455556666";
const POLICY: &str = "p-0a1b2c3d4e";
const KEY: &str = "account/444455556666/scp/p-0a1b2c3d4e";

fn account() -> Resource {
    let arn = format!("arn:aws:iam::{ACCOUNT}:root").parse().unwrap();
    Resource::new(arn, "AWS::::Account", ACCOUNT)
}

fn sets(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:organizations:{operation}")
}

/// A plan to attach a standing policy, as it should be.
fn good(standing: &Standing) -> Plan {
    let arguments = json!({"PolicyId": POLICY, "TargetId": ACCOUNT});
    let before = json!({
        "organization/management": "100020003000",
        format!("scp/{POLICY}/name"): standing.name,
        format!("scp/{POLICY}/content"): standing.text,
    });
    let mut after = before.clone();
    after[KEY] = "attached".into();
    Plan {
        playbook: "PB-012".into(),
        resource: account().arn.to_string(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: task("attachPolicy"),
            arguments: arguments.clone(),
            class: Class::R2,
            sets: sets(KEY, "attached".into()),
            undo: vec![UndoCall {
                resource: task("detachPolicy"),
                arguments,
                sets: sets(KEY, Value::Null),
            }],
        }],
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: Value::Null,
    }
}

fn proven(plan: &Plan, facts: &Value, undo: Option<&Value>) -> Result<Proof, Unproven> {
    let claim = Claim {
        run: "run-1",
        resource: &account(),
        facts,
        undo,
        production: true,
        known: Known::default(),
    };
    match undo {
        Some(undo) => prove_undo(&Organization, plan, &claim, undo).map(|()| Proof::default()),
        None => prove(&Organization, plan, &claim),
    }
}

#[test]
fn each_standing_policy_may_be_attached_to_the_account_and_a_person_is_always_asked() {
    for standing in STANDING {
        let proof = proven(&good(standing), &json!({"scp": standing.name}), None).unwrap();
        assert_eq!(proof.concerns.len(), 1, "{}", standing.name);
        assert!(standing.text.len() < 5_120, "AWS takes no longer policy");
        let text: Value = serde_json::from_str(standing.text).unwrap();
        let short = good(&Standing {
            text: Box::leak(text.to_string().into_boxed_str()),
            ..*standing
        });
        proven(&short, &json!({"scp": standing.name}), None).unwrap();
    }
}

/// A name, and how a plan becomes wrong.
type Wrong = (&'static str, fn(&mut Plan));

fn both(plan: &mut Plan, key: &str, value: Value) {
    for image in [&mut plan.before, &mut plan.after] {
        match value.is_null() {
            true => drop(image["attributes"].as_object_mut().unwrap().remove(key)),
            false => image["attributes"][key] = value.clone(),
        }
    }
}

fn content(plan: &mut Plan, change: fn(&str) -> String) {
    let key = format!("scp/{POLICY}/content");
    let text = plan.before["attributes"][&key].as_str().unwrap().to_owned();
    let changed = change(&text);
    assert_ne!(changed, text, "it changes nothing");
    both(plan, &key, changed.into());
}

/// Everything is said of another target.
fn of_target(plan: &mut Plan, target: &str) {
    let key = format!("account/{target}/scp/{POLICY}");
    let call = &mut plan.calls[0];
    call.arguments["TargetId"] = target.into();
    call.undo[0].arguments["TargetId"] = target.into();
    call.sets = sets(&key, "attached".into());
    call.undo[0].sets = sets(&key, Value::Null);
    plan.after = plan.before.clone();
    plan.after["attributes"][&key] = "attached".into();
}

const WRONG: &[Wrong] = &[
    ("to an organisational unit", |p| {
        of_target(p, "ou-ab12-0a1b2c3d")
    }),
    ("to the root", |p| of_target(p, "r-ab12")),
    ("to another account", |p| of_target(p, "777788889999")),
    ("to the account that manages", |p| {
        both(p, "organization/management", ACCOUNT.into())
    }),
    ("nobody knows which account manages", |p| {
        both(p, "organization/management", Value::Null)
    }),
    ("what manages is no account", |p| {
        both(p, "organization/management", "me".into())
    }),
    ("the policy was not read", |p| {
        both(p, &format!("scp/{POLICY}/content"), Value::Null)
    }),
    ("its name was not read", |p| {
        both(p, &format!("scp/{POLICY}/name"), Value::Null)
    }),
    ("another policy", |p| {
        both(p, &format!("scp/{POLICY}/name"), "FullAWSAccess".into())
    }),
    ("another of our policies", |p| {
        both(
            p,
            &format!("scp/{POLICY}/name"),
            "QuellEmergencyNoDestroy".into(),
        )
    }),
    ("it says less", |p| {
        content(p, |t| {
            t.replace("\"Action\": \"*\"", "\"Action\": \"s3:*\"")
        })
    }),
    ("it says more", |p| {
        content(p, |t| {
            t.replace(
                "\"Null\": { \"aws:AssumedRoot\": \"true\" }",
                "\"Bool\": { \"aws:x\": \"true\" }",
            )
        })
    }),
    ("it allows", |p| {
        content(p, |t| t.replace("\"Deny\"", "\"Allow\""))
    }),
    ("it denies everybody", |p| {
        content(p, |t| t.replace("arn:*:iam::*:root", "*"))
    }),
    ("a name with a blank", |p| {
        content(p, |t| t.replace(":root\"", ":root \""))
    }),
    ("a member twice", |p| {
        content(p, |t| {
            t.replace(
                "\"Effect\": \"Deny\",",
                "\"Effect\": \"Allow\", \"Effect\": \"Deny\",",
            )
        })
    }),
    ("no JSON", |p| content(p, |_| "Deny".into())),
    ("nothing", |p| content(p, |_| String::new())),
    ("a class that needs nobody", |p| {
        p.calls[0].class = Class::R1
    }),
    ("no way back", |p| p.calls[0].undo.clear()),
    ("it detaches", |p| {
        p.calls[0].resource = task("detachPolicy")
    }),
    ("it makes a policy", |p| {
        p.calls[0].resource = task("createPolicy")
    }),
    ("it changes the policy", |p| {
        p.calls[0].resource = task("updatePolicy")
    }),
    ("it lets the account leave", |p| {
        p.calls[0].resource = task("leaveOrganization")
    }),
    ("it is moved", |p| p.calls[0].resource = task("moveAccount")),
    ("one argument more", |p| {
        p.calls[0].arguments["Force"] = true.into()
    }),
    ("it is attached already", |p| {
        p.before["attributes"][KEY] = "attached".into()
    }),
    ("twice", |p| p.calls.push(p.calls[0].clone())),
    ("another way back", |p| {
        p.calls[0].undo[0].resource = "arn:aws:states:::aws-sdk:organizations:deletePolicy".into()
    }),
];

#[test]
fn nothing_else_is_proven() {
    for (name, make_wrong) in WRONG {
        let mut plan = good(&STANDING[0]);
        make_wrong(&mut plan);
        let said = proven(&plan, &json!({"scp": "QuellDenyRoot"}), None);
        assert!(said.is_err(), "{name}");
    }
    let plan = good(&STANDING[0]);
    for facts in [
        json!({}),
        Value::Null,
        json!({"scp": "QuellEmergencyNoDestroy"}),
    ] {
        assert!(proven(&plan, &facts, None).is_err(), "{facts}");
    }
    for id in ["p-FullAWSAccess/../x", "p-1", "FullAWSAccess", "p-ÄÄÄÄÄÄÄÄ"] {
        let text = serde_json::to_string(&plan).unwrap().replace(POLICY, id);
        let other: Plan = serde_json::from_str(&text).unwrap();
        assert!(
            proven(&other, &json!({"scp": "QuellDenyRoot"}), None).is_err(),
            "{id}"
        );
    }
}

#[test]
fn an_undo_detaches_what_the_run_had_attached_and_nothing_else() {
    let facts = json!({"scp": "QuellDenyRoot"});
    let done = good(&STANDING[0]);
    let calls = serde_json::to_value(&done.calls[0].undo).unwrap();
    let recorded = json!({"before": done.before, "after": done.after, "calls": calls});
    let back = |plan: &Plan| -> Plan {
        let undo = &plan.calls[0].undo[0];
        Plan {
            calls: vec![PlannedCall {
                resource: undo.resource.clone(),
                arguments: undo.arguments.clone(),
                class: Class::R2,
                sets: undo.sets.clone(),
                undo: Vec::new(),
            }],
            before: plan.after.clone(),
            after: plan.before.clone(),
            ..plan.clone()
        }
    };
    assert!(proven(&back(&done), &facts, Some(&recorded)).is_ok());
    let mut other = done.clone();
    of_target(&mut other, "777788889999");
    assert!(
        proven(&back(&other), &facts, Some(&recorded)).is_err(),
        "another account"
    );
    let mut attaches = back(&done);
    attaches.calls[0].resource = task("attachPolicy");
    assert!(
        proven(&attaches, &facts, Some(&recorded)).is_err(),
        "it attaches"
    );
    let mut changed = recorded.clone();
    changed["calls"][0]["arguments"]["PolicyId"] = "p-FullAWSAccess".into();
    assert!(
        proven(&back(&done), &facts, Some(&changed)).is_err(),
        "another policy"
    );
}

#[test]
fn people_are_told_the_same_text() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/organization.md");
    let page = std::fs::read_to_string(page).unwrap();
    for standing in STANDING {
        let block = format!("## {}\n\n```json\n{}```\n", standing.name, standing.text);
        assert!(
            page.contains(&block),
            "docs/organization.md has another {}",
            standing.name
        );
    }
}
