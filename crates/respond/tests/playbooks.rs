//! Every playbook's scripted cases: its documents run on a small world made of data, the proof judges each plan
//! apart from the document that made it, and the undo restores what was there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quell_guard::proof::{Claim, prove};
use quell_model::{Call, Caller, Plan, Resource, Timestamp};
use quell_respond::run::PERMIT_QUEUE;
use quell_respond::task::Work;
use quell_respond::{Flow, LogEntry, Playbook};
use quell_states::{Event, MachineRef, Moment, Status};
use serde_json::{Value, json};
use world::World;

const GROUP: &str = "sg-0a1b2c3d4e5f60718";

fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/playbooks")
}

fn load(id: &str) -> Playbook {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(playbooks().join(id)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    Playbook::load(&format!("playbooks/{id}"), &files)
        .unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn input(playbook: &Playbook, mode: &str, more: &Value) -> Value {
    let arn = format!("arn:aws:ec2:us-east-1:444455556666:security-group/{GROUP}");
    let mut input = json!({
        "run": "run-test", "playbook": playbook.id, "mode": mode,
        "account": "444455556666", "region": "us-east-1", "partition": "aws",
        "resource": {"arn": arn, "type": "AWS::EC2::SecurityGroup", "id": GROUP},
        "facts": playbook.facts,
        "roles": {"read": "role/read", "network": "role/network", "compute": "role/compute", "iam": "role/iam", "s3": "role/s3"},
        "queues": {"permit": PERMIT_QUEUE},
    });
    merge(&mut input, more);
    input
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// Where the hand of fate comes in while a document runs.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Nothing goes wrong.
    Kind,
    /// The call takes effect, and Quell dies before it notes the answer.
    InterruptedAfterEffect,
    /// Quell dies before the call is sent.
    InterruptedBeforeEffect,
    /// The same, and meanwhile somebody else adds a harmless rule.
    InterruptedAndChanged,
    /// AWS says yes and does nothing.
    Hollow,
    /// The guard says no.
    Refused,
}

/// Runs a document to its end; answers its status and the plans it asked a permit for.
fn run(
    playbook: &Playbook,
    mode: &str,
    input: Value,
    world: &mut World,
    fate: Fate,
) -> (Status, Vec<Plan>) {
    let definition = if mode == "undo" {
        playbook.undo.clone()
    } else {
        playbook.respond.clone()
    };
    let mut flow = Flow::new(definition, "run-test", MachineRef::default(), input);
    let (mut event, mut now, mut plans, mut fated) =
        (Event::Started, Timestamp::from_millis(0), Vec::new(), false);
    let caller = Caller {
        machine: "m".to_owned(),
        execution: "e".to_owned(),
    };
    for step in 0..3_000 {
        flow.apply(LogEntry::Input {
            event,
            moment: Moment::new(now.millis(), step),
        });
        now = now.plus_millis(10);
        if *flow.status() != Status::Running {
            return (flow.status().clone(), plans);
        }
        event = match flow.tasks().next().map(|awaited| awaited.request.clone()) {
            None => {
                let (timer, due) = flow.next_timer().unwrap();
                now = due.max(now);
                Event::TimerFired { timer }
            }
            Some(request) => {
                let task = request.task;
                let failed = |error: &str| Event::TaskFailed {
                    task,
                    error: error.into(),
                    cause: String::new(),
                };
                match Work::of(&request, &caller).unwrap() {
                    Work::Gate(plan) => {
                        plans.push(serde_json::from_value(plan).unwrap());
                        match fate {
                            Fate::Refused => failed("Quell.Refused"),
                            _ => Event::TaskSucceeded {
                                task,
                                output: json!({"decision": "permitted", "permit": "h"}),
                            },
                        }
                    }
                    work => {
                        let call = work.call().unwrap();
                        let changing = !call.operation.starts_with("Describe")
                            && !call.operation.starts_with("Get");
                        assert_eq!(
                            request.credentials_role.as_deref(),
                            Some(if changing {
                                "role/network"
                            } else {
                                "role/read"
                            })
                        );
                        let struck = changing && !fated && fate != Fate::Kind;
                        fated |= changing;
                        match (struck, fate) {
                            (true, Fate::InterruptedBeforeEffect) => failed("Quell.Interrupted"),
                            (true, Fate::InterruptedAndChanged) => {
                                world.add(harmless());
                                failed("Quell.Interrupted")
                            }
                            (true, Fate::Hollow) => Event::TaskSucceeded {
                                task,
                                output: json!({"Return": true}),
                            },
                            (true, Fate::InterruptedAfterEffect) => {
                                drop(world.call(call));
                                failed("Quell.Interrupted")
                            }
                            _ => match world.call(call) {
                                Ok(output) => Event::TaskSucceeded { task, output },
                                Err(code) => Event::TaskFailed {
                                    task,
                                    error: "Ec2.Ec2Exception".into(),
                                    cause: code,
                                },
                            },
                        }
                    }
                }
            }
        };
    }
    panic!("no end");
}

fn cases(id: &str) -> Vec<(String, Value)> {
    let mut cases: Vec<(String, Value)> = std::fs::read_dir(playbooks().join(id).join("tests"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| {
            (
                p.display().to_string(),
                serde_json::from_str(&std::fs::read_to_string(&p).unwrap()).unwrap(),
            )
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(cases.len() >= 15);
    cases
}

fn outcome(status: &Status) -> (String, Value) {
    match status {
        Status::Succeeded { output } => (
            output["outcome"].as_str().unwrap().to_owned(),
            output.clone(),
        ),
        Status::Failed { error, cause } => (error.clone().unwrap_or_default(), json!(cause)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_case_ends_as_it_says_and_is_proven_and_can_be_taken_back() {
    let playbook = load("PB-008");
    let resource = Resource::security_group("aws", "us-east-1", "444455556666", GROUP);
    for (name, case) in cases("PB-008") {
        let more = case.get("input").cloned().unwrap_or(json!({}));
        let input_value = input(&playbook, "respond", &more);
        let mut world = World::of(&case["world"]);
        let before = world.essences();
        let (status, plans) = run(
            &playbook,
            "respond",
            input_value.clone(),
            &mut world,
            Fate::Kind,
        );
        let (ended, output) = outcome(&status);
        assert_eq!(ended, case["expect"]["outcome"], "{name}: {output}");
        let wanted: Vec<&str> = case["expect"]["revoked"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap())
            .collect();
        assert_eq!(world.revoked, wanted, "{name}");
        if wanted.is_empty() {
            assert_eq!(world.changes, 0, "{name}");
            continue;
        }
        let plan = plans.last().unwrap();
        let claim = Claim {
            run: "run-test",
            resource: &resource,
            facts: &input_value["facts"],
            undo: None,
        };
        prove("AWS::EC2::SecurityGroup", plan, &claim).unwrap_or_else(|e| panic!("{name}: {e}"));

        for planned in &plan.calls {
            let call = Call::of_task(&planned.resource, &planned.arguments).unwrap();
            assert!(playbook.declaration().covers(&call), "{name}: {call:?}");
        }

        let undo = output["undo"].clone();
        let back = input(&playbook, "undo", &json!({"undo": undo}));
        let (status, plans) = run(&playbook, "undo", back.clone(), &mut world, Fate::Kind);
        assert_eq!(
            outcome(&status).0,
            "undone",
            "{name}: {:?}",
            outcome(&status).1
        );
        assert_eq!(world.essences(), before, "{name}");
        let claim = Claim {
            run: "run-test",
            resource: &resource,
            facts: &input_value["facts"],
            undo: Some(&undo),
        };
        prove("AWS::EC2::SecurityGroup", plans.last().unwrap(), &claim)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let changes = world.changes;
        let (status, _) = run(&playbook, "undo", back, &mut world, Fate::Kind);
        assert_eq!(outcome(&status).0, "already-undone", "{name}");
        assert_eq!(
            world.changes, changes,
            "{name}: repeated, an undo changes nothing"
        );
    }
}

fn harmless() -> Value {
    json!({"SecurityGroupRuleId": "sgr-new", "GroupId": GROUP, "GroupOwnerId": "444455556666", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "CidrIpv4": "203.0.113.0/24", "Tags": []})
}

fn one_case() -> Value {
    json!({"rules": [
        {"SecurityGroupRuleId": "sgr-ssh", "GroupId": GROUP, "GroupOwnerId": "444455556666", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0", "Tags": []},
        {"SecurityGroupRuleId": "sgr-office", "GroupId": GROUP, "GroupOwnerId": "444455556666", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "198.51.100.0/24", "Tags": []}
    ], "group": {"GroupId": GROUP, "GroupName": "web", "VpcId": "vpc-1", "OwnerId": "444455556666", "Tags": []}, "prefixLists": {}, "attachments": []})
}

/// Every end is done or a failure that parks the run; nothing is done twice, nothing is said that was not seen.
#[test]
fn whatever_fate_does_there_is_one_effect_and_a_true_end() {
    let playbook = load("PB-008");
    for (fate, ends, effects) in [
        (Fate::InterruptedAfterEffect, "fixed", 1),
        (Fate::InterruptedBeforeEffect, "fixed", 1),
        (Fate::InterruptedAndChanged, "fixed", 1),
        (Fate::Hollow, "fixed", 1),
        (Fate::Refused, "Quell.Refused", 0),
    ] {
        let mut world = World::of(&one_case());
        let (status, _) = run(
            &playbook,
            "respond",
            input(&playbook, "respond", &json!({})),
            &mut world,
            fate,
        );
        assert_eq!(
            (outcome(&status).0.as_str(), world.changes),
            (ends, effects)
        );
    }
}

#[test]
fn an_undo_of_a_changed_group_refuses_and_says_what_changed() {
    let playbook = load("PB-008");
    let mut world = World::of(&one_case());
    let (status, _) = run(
        &playbook,
        "respond",
        input(&playbook, "respond", &json!({})),
        &mut world,
        Fate::Kind,
    );
    let undo = outcome(&status).1["undo"].clone();
    world.add(harmless());
    let changes = world.changes;
    let (status, plans) = run(
        &playbook,
        "undo",
        input(&playbook, "undo", &json!({"undo": undo})),
        &mut world,
        Fate::Kind,
    );
    let (error, cause) = outcome(&status);
    assert_eq!(
        (error.as_str(), world.changes, plans.len()),
        ("Quell.Drifted", changes, 0)
    );
    let difference: Value = serde_json::from_str(cause.as_str().unwrap()).unwrap();
    assert_eq!(difference["added"][0]["SecurityGroupRuleId"], "sgr-new");
}

/// A change that may have happened is never sent again without a look: a document that would is refused when it is read.
#[test]
fn a_change_that_a_wildcard_would_send_again_is_refused_with_its_place() {
    let folder = playbooks().join("PB-008");
    let files = ["playbook.toml", "respond.asl.json", "undo.asl.json"].map(|name| {
        (
            name.to_owned(),
            std::fs::read_to_string(folder.join(name)).unwrap(),
        )
    });
    let files = BTreeMap::from(files);
    let playbook = load("PB-008");
    let step = playbook
        .steps
        .iter()
        .find(|s| s.document == "respond" && s.class > quell_model::Class::R0);
    let state = &step.unwrap().state;
    let faults = |retry: Value| {
        let mut files = files.clone();
        let mut document: Value = serde_json::from_str(&files["respond.asl.json"]).unwrap();
        let changed = document.pointer_mut(&format!("/States/{state}")).unwrap();
        changed["Retry"] = retry;
        files.insert("respond.asl.json".to_owned(), document.to_string());
        Playbook::load("playbooks/PB-008", &files)
            .err()
            .unwrap_or_default()
    };
    let never = json!({"ErrorEquals": ["Quell.Interrupted"], "MaxAttempts": 0});
    for wildcard in ["States.ALL", "States.TaskFailed", "Quell.Interrupted"] {
        let again = json!({"ErrorEquals": [wildcard], "MaxAttempts": 2});
        let found = faults(json!([again]));
        assert_eq!(found.len(), 1, "{wildcard}: {found:#?}");
        let text = found[0].to_string();
        assert!(
            text.contains("respond.asl.json") && text.contains(&format!("/States/{state}/Retry/0")),
            "{text}"
        );
        assert!(faults(json!([never, again])).is_empty(), "{wildcard}");
    }
    assert!(faults(json!([{"ErrorEquals": ["Ec2.Ec2Exception"]}])).is_empty());
}
