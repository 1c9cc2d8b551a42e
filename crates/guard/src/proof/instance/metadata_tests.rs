use super::super::super::attributes::{prove, prove_undo};
use super::super::super::{Claim, Known, Proof};
use super::super::Instance;
use super::*;
use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::json;

const ID: &str = "i-0a1b2c3d4e5f60718";
const TASK: &str = "arn:aws:states:::aws-sdk:ec2:modifyInstanceMetadataOptions";

fn sets(tokens: &str, hops: u64) -> Map<String, Value> {
    Map::from_iter([
        (TOKENS.to_owned(), tokens.into()),
        (HOPS.to_owned(), hops.into()),
    ])
}

fn arguments(tokens: &str, hops: u64) -> Value {
    json!({"InstanceId": ID, "HttpTokens": tokens, "HttpPutResponseHopLimit": hops})
}

/// A plan as it should be, on an instance that answers `hops` far and was asked without a token `uses` times.
fn good(hops: u64, uses: Value) -> Plan {
    let mut before = json!({"metadata/endpoint": "enabled", TOKENS: "optional", HOPS: hops});
    let after = json!({"metadata/endpoint": "enabled", TOKENS: "required", HOPS: 1});
    let class = match (hops, uses == json!(0)) {
        (1, true) => Class::R1,
        _ => Class::R2,
    };
    Plan {
        playbook: "PB-006".into(),
        resource: String::new(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: TASK.into(),
            arguments: arguments("required", 1),
            class,
            sets: sets("required", 1),
            undo: vec![UndoCall {
                resource: TASK.into(),
                arguments: arguments("optional", hops),
                sets: sets("optional", hops),
            }],
        }],
        before: json!({"attributes": before.take()}),
        after: json!({"attributes": after}),
        facts: json!({"noToken": uses}),
    }
}

fn proven(plan: &Plan, undo: Option<&Value>) -> Result<Proof, Unproven> {
    let arn = format!("arn:aws:ec2:us-east-1:444455556666:instance/{ID}");
    let resource = Resource::new(arn.parse().unwrap(), "AWS::EC2::Instance", ID);
    let claim = Claim {
        run: "run-1",
        resource: &resource,
        facts: &Value::Null,
        undo,
        production: true,
        known: Known::default(),
    };
    match undo {
        Some(undo) => prove_undo(&Instance, plan, &claim, undo).map(|()| Proof::default()),
        None => prove(&Instance, plan, &claim),
    }
}

#[test]
fn who_still_asks_without_a_token_is_not_cut_off_unasked() {
    let asked = |hops, uses| proven(&good(hops, uses), None).unwrap().concerns.len();
    assert_eq!(asked(1, json!(0)), 0);
    assert_eq!(asked(1, json!(3)), 1);
    assert_eq!(asked(1, json!(0.5)), 1);
    assert_eq!(asked(1, json!("unknown")), 1);
    assert_eq!(asked(1, Value::Null), 1);
    assert_eq!(asked(2, json!(0)), 1);
    assert_eq!(asked(2, json!("0")), 2);
}

/// A name, and how a plan becomes wrong.
type Wrong = (&'static str, fn(&mut Plan));

/// The call and its way there say something else, and so does what comes of it.
fn to(plan: &mut Plan, tokens: &str, hops: u64) {
    plan.calls[0].arguments = arguments(tokens, hops);
    plan.calls[0].sets = sets(tokens, hops);
    plan.after["attributes"][TOKENS] = tokens.into();
    plan.after["attributes"][HOPS] = hops.into();
}

const WRONG: &[Wrong] = &[
    ("it opens it", |p| to(p, "optional", 64)),
    ("it answers further", |p| to(p, "required", 2)),
    ("no hop at all", |p| to(p, "required", 0)),
    ("another word", |p| to(p, "never", 1)),
    ("another instance", |p| {
        p.calls[0].arguments["InstanceId"] = "i-0a1b2c3d4e5f60719".into()
    }),
    ("it switches it off", |p| {
        p.calls[0].arguments["HttpEndpoint"] = "disabled".into()
    }),
    ("tags too", |p| {
        p.calls[0].arguments["InstanceMetadataTags"] = "enabled".into()
    }),
    ("hops as a text", |p| {
        p.calls[0].arguments["HttpPutResponseHopLimit"] = "1".into()
    }),
    ("no hops", |p| {
        drop(
            p.calls[0]
                .arguments
                .as_object_mut()
                .unwrap()
                .remove("HttpPutResponseHopLimit"),
        )
    }),
    ("it says that less is set", |p| {
        drop(p.calls[0].sets.remove(HOPS))
    }),
    ("no way back", |p| p.calls[0].undo.clear()),
    ("another way back", |p| {
        p.calls[0].undo[0].arguments = arguments("required", 1);
        p.calls[0].undo[0].sets = sets("required", 1);
    }),
    ("it is off", |p| {
        p.before["attributes"]["metadata/endpoint"] = "disabled".into()
    }),
    ("nobody knows whether it is on", |p| {
        drop(
            p.before["attributes"]
                .as_object_mut()
                .unwrap()
                .remove("metadata/endpoint"),
        );
        drop(
            p.after["attributes"]
                .as_object_mut()
                .unwrap()
                .remove("metadata/endpoint"),
        );
    }),
    ("a class too small for hops", |p| {
        *p = good(2, json!(0));
        p.calls[0].class = Class::R1;
    }),
    ("a class too small for what is used", |p| {
        *p = good(1, json!(1));
        p.calls[0].class = Class::R1;
    }),
    ("a class too small for what is unknown", |p| {
        *p = good(1, json!("unknown"));
        p.calls[0].class = Class::R1;
    }),
];

#[test]
fn nothing_else_is_done_to_the_metadata_service() {
    for (name, make_wrong) in WRONG {
        let mut plan = good(1, json!(0));
        make_wrong(&mut plan);
        assert!(proven(&plan, None).is_err(), "{name}");
    }
}

#[test]
fn an_undo_gives_the_options_back_that_were_there() {
    let done = good(2, json!(0));
    let calls = serde_json::to_value(&done.calls[0].undo).unwrap();
    let undo = json!({"before": done.before, "after": done.after, "calls": calls});
    let back = |arguments: Value, sets: Map<String, Value>| {
        let mut plan = done.clone();
        plan.calls[0].undo.clear();
        plan.calls[0].arguments = arguments;
        plan.calls[0].sets = sets;
        plan.before = done.after.clone();
        plan.after = done.before.clone();
        proven(&plan, Some(&undo))
    };
    assert!(back(arguments("optional", 2), sets("optional", 2)).is_ok());
    assert!(back(arguments("optional", 64), sets("optional", 64)).is_err());
}
