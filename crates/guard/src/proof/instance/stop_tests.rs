use quell_model::{Class, Plan, PlannedCall, Resource, UndoCall};
use serde_json::{Map, Value, json};

use super::Instance;
use crate::proof::attributes::{prove_respond, prove_undo};
use crate::proof::{Claim, Known, Unproven};

const ID: &str = "i-1";
const FLEET: &str = "fleet-1";

fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:{operation}")
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A call with its way back: (operation, arguments, sets).
fn call(
    there: (&str, Value, Value),
    class: Class,
    back: Option<(&str, Value, Value)>,
) -> PlannedCall {
    let back = back.map(|(operation, arguments, sets)| UndoCall {
        resource: task(operation),
        arguments,
        sets: map(&sets),
    });
    PlannedCall {
        resource: task(there.0),
        arguments: there.1,
        class,
        sets: map(&there.2),
        undo: back.into_iter().collect(),
    }
}

/// An attacker's instance, of a group that does not rebalance any more, and of a fleet.
fn image() -> Value {
    json!({
        "instance/state": "running", "attribute/disableApiStop": true, "device/xvda/volume": "vol-1",
        "eni/eni-1/sourceDestCheck": true, "scaling-group": "miners", "scaling-group/suspended": ["AZRebalance"],
        "fleet/fleet-1/target": target(9),
    })
}

fn target(count: u64) -> Value {
    json!({"TotalTargetCapacity": count, "OnDemandTargetCapacity": count, "SpotTargetCapacity": 0})
}

fn plan(calls: Vec<PlannedCall>, before: Value) -> Plan {
    let mut after = map(&before);
    for (key, value) in calls.iter().flat_map(|call| call.sets.clone()) {
        match value {
            Value::Null => drop(after.remove(&key)),
            value => drop(after.insert(key, value)),
        }
    }
    Plan {
        playbook: "PB-002".into(),
        resource: "arn".into(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({"maker": {"arn": "arn:aws:iam::444455556666:user/eve", "at": "2026-11-21T10:00:00Z"}}),
    }
}

fn holding() -> Plan {
    let processes = || json!({"AutoScalingGroupName": "miners", "ScalingProcesses": ["HealthCheck", "Launch", "Terminate"]});
    let fleet = |count| json!({"FleetId": FLEET, "ExcessCapacityTerminationPolicy": "no-termination", "TargetCapacitySpecification": target(count)});
    let tags = json!([{"Key": "quell:run", "Value": "run-1"}]);
    let snapshots = json!({
        "InstanceSpecification": {"InstanceId": ID, "ExcludeBootVolume": false}, "Description": "x",
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": tags}],
    });
    let held =
        json!({"scaling-group/suspended": ["AZRebalance", "HealthCheck", "Launch", "Terminate"]});
    let was = json!({"scaling-group/suspended": ["AZRebalance"]});
    let key = "fleet/fleet-1/target";
    let calls = vec![
        call(
            ("autoscaling:suspendProcesses", processes(), held),
            Class::R1,
            Some(("autoscaling:resumeProcesses", processes(), was)),
        ),
        call(
            ("ec2:modifyFleet", fleet(0), json!({key: target(0)})),
            Class::R1,
            Some(("ec2:modifyFleet", fleet(9), json!({key: target(9)}))),
        ),
        call(
            (
                "ec2:createTags",
                json!({"Resources": [ID], "Tags": tags}),
                json!({"tag/quell:run": "run-1"}),
            ),
            Class::R1,
            None,
        ),
        call(
            (
                "ec2:createSnapshots",
                snapshots,
                json!({"snapshot/vol-1": "taken"}),
            ),
            Class::R1,
            None,
        ),
    ];
    plan(calls, image())
}

fn held() -> Value {
    holding().after["attributes"].clone()
}

fn stopping() -> Plan {
    let protect = |on: bool| json!({"InstanceId": ID, "DisableApiStop": {"Value": on}});
    let key = "attribute/disableApiStop";
    let it = || json!({"InstanceIds": [ID]});
    let calls = vec![
        call(
            (
                "ec2:modifyInstanceAttribute",
                protect(false),
                json!({key: false}),
            ),
            Class::R1,
            Some((
                "ec2:modifyInstanceAttribute",
                protect(true),
                json!({key: true}),
            )),
        ),
        call(
            (
                "ec2:stopInstances",
                it(),
                json!({"instance/state": "stopped"}),
            ),
            Class::R2,
            Some((
                "ec2:startInstances",
                it(),
                json!({"instance/state": "running"}),
            )),
        ),
    ];
    plan(calls, held())
}

fn with<T>(undo: Option<&Value>, check: impl FnOnce(&Claim<'_>) -> T) -> T {
    let arn = "arn:aws:ec2:us-east-1:444455556666:instance/i-1";
    let resource = Resource::new(arn.parse().unwrap(), "AWS::EC2::Instance", ID);
    check(&Claim {
        run: "run-1",
        resource: &resource,
        facts: &Value::Null,
        undo,
        production: true,
        known: Known::default(),
    })
}

fn proven(plan: &Plan) -> Result<(), Unproven> {
    with(None, |claim| prove_respond(&Instance, plan, claim))
}

#[test]
fn both_stages_are_proven_and_taken_back_together() {
    let plans = [holding(), stopping()];
    for plan in &plans {
        assert_eq!(proven(plan), Ok(()));
    }
    let calls = plans.iter().rev().flat_map(|plan| plan.calls.iter().rev());
    let calls: Vec<UndoCall> = calls.flat_map(|call| call.undo.clone()).collect();
    let recorded = json!({"before": plans[0].before, "after": plans[1].after, "calls": calls});
    let back = calls.into_iter().map(|call| PlannedCall {
        resource: call.resource,
        arguments: call.arguments,
        class: Class::R1,
        sets: call.sets,
        undo: Vec::new(),
    });
    let undo = plan(back.collect(), plans[1].after["attributes"].clone());
    with(Some(&recorded), |claim| {
        assert_eq!(prove_undo(&Instance, &undo, claim, &recorded), Ok(()));
    });
}

#[test]
fn it_hibernates_where_it_can() {
    let mut plan = stopping();
    plan.calls[1].arguments["Hibernate"] = json!(true);
    assert_eq!(proven(&plan), Ok(()));
}

#[test]
fn of_what_somebody_else_launched_a_person_decides() {
    let mut plan = stopping();
    assert_eq!(super::concerns(&plan).len(), 1);
    plan.facts["maker"]["isActor"] = json!(true);
    assert!(super::concerns(&plan).is_empty());
    assert!(super::concerns(&holding()).is_empty());
}

type Lie = (&'static str, fn() -> Plan, fn(&mut Plan));

/// A key of both images gets another value.
fn plant(plan: &mut Plan, key: &str, value: Value) {
    plan.before["attributes"][key] = value.clone();
    if plan.calls.iter().all(|call| !call.sets.contains_key(key)) {
        plan.after["attributes"][key] = value;
    }
}

#[test]
fn hostile_plans_are_not_proven() {
    let lies: &[Lie] = &[
        ("terminated", stopping, |p| {
            p.calls[1] = call(
                (
                    "ec2:terminateInstances",
                    json!({"InstanceIds": [ID]}),
                    json!({"instance/state": "terminated"}),
                ),
                Class::R3,
                None,
            );
        }),
        ("stopped by force", stopping, |p| {
            p.calls[1].arguments["Force"] = json!(true)
        }),
        ("stopped without its memory on purpose", stopping, |p| {
            p.calls[1].arguments["Hibernate"] = json!(false)
        }),
        ("another stopped", stopping, |p| {
            p.calls[1].arguments["InstanceIds"] = json!(["i-2"])
        }),
        ("another stopped with it", stopping, |p| {
            p.calls[1].arguments["InstanceIds"] = json!([ID, "i-2"])
        }),
        ("stopped, and said to disrupt nothing", stopping, |p| {
            p.calls[1].class = Class::R1
        }),
        ("stopped for good", stopping, |p| p.calls[1].undo.clear()),
        ("stopped before its disks are saved", stopping, |p| {
            for image in [&mut p.before, &mut p.after] {
                image["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("snapshot/vol-1");
            }
        }),
        ("stopped with a disk that nobody saved", stopping, |p| {
            plant(p, "device/xvdb/volume", json!("vol-2"))
        }),
        ("stopped without a disk that stays", stopping, |p| {
            for image in [&mut p.before, &mut p.after] {
                image["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("device/xvda/volume");
            }
        }),
        ("stopped, whoever launched it", stopping, |p| {
            p.facts = json!({})
        }),
        ("stopped, a network hanging on it", stopping, |p| {
            plant(p, "eni/eni-1/sourceDestCheck", json!(false))
        }),
        ("stopped twice", stopping, |p| {
            plant(p, "instance/state", json!("stopped"))
        }),
        ("protection gone, and it runs on", stopping, |p| {
            drop(p.calls.pop());
            p.after["attributes"]["instance/state"] = json!("running");
        }),
        ("protection against termination gone", stopping, |p| {
            p.calls[0].arguments =
                json!({"InstanceId": ID, "DisableApiTermination": {"Value": false}});
            p.calls[0].sets = map(&json!({"attribute/disableApiTermination": false}));
            p.calls[0].undo[0].arguments =
                json!({"InstanceId": ID, "DisableApiTermination": {"Value": true}});
            p.calls[0].undo[0].sets = map(&json!({"attribute/disableApiTermination": true}));
        }),
        ("started", stopping, |p| {
            p.calls[1].resource = task("ec2:startInstances");
            p.calls[1].sets = map(&json!({"instance/state": "running"}));
        }),
        ("another group held", holding, |p| {
            p.calls[0].arguments["AutoScalingGroupName"] = json!("shop")
        }),
        ("every process held", holding, |p| {
            drop(
                p.calls[0]
                    .arguments
                    .as_object_mut()
                    .unwrap()
                    .remove("ScalingProcesses"),
            )
        }),
        ("a process that has nothing to do with it", holding, |p| {
            p.calls[0].arguments["ScalingProcesses"] = json!(["AddToLoadBalancer"]);
        }),
        ("more is resumed than was suspended", holding, |p| {
            p.calls[0].undo[0].arguments["ScalingProcesses"] =
                json!(["AZRebalance", "HealthCheck", "Launch", "Terminate"]);
            p.calls[0].undo[0].sets = map(&json!({"scaling-group/suspended": null}));
        }),
        ("the group emptied", holding, |p| {
            p.calls[0] = call(
                (
                    "autoscaling:updateAutoScalingGroup",
                    json!({"AutoScalingGroupName": "miners", "DesiredCapacity": 0}),
                    json!({"scaling-group/desired": 0}),
                ),
                Class::R1,
                None,
            );
        }),
        ("the group deleted", holding, |p| {
            p.calls[0] = call(
                (
                    "autoscaling:deleteAutoScalingGroup",
                    json!({"AutoScalingGroupName": "miners"}),
                    json!({"scaling-group": null}),
                ),
                Class::R1,
                None,
            );
        }),
        ("capacity of another fleet", holding, |p| {
            p.calls[1].arguments["FleetId"] = json!("fleet-2")
        }),
        ("a fleet that terminates", holding, |p| {
            p.calls[1].arguments["ExcessCapacityTerminationPolicy"] = json!("termination")
        }),
        ("a fleet that terminates when taken back", holding, |p| {
            p.calls[1].undo[0].arguments["ExcessCapacityTerminationPolicy"] = json!("termination")
        }),
        ("a larger fleet", holding, |p| {
            p.calls[1].arguments["TargetCapacitySpecification"] = target(99);
            p.calls[1].sets = map(&json!({"fleet/fleet-1/target": target(99)}));
            p.after["attributes"]["fleet/fleet-1/target"] = target(99);
        }),
        ("a fleet of another kind with it", holding, |p| {
            p.calls[1].arguments["TargetCapacitySpecification"]["DefaultTargetCapacityType"] =
                json!("spot")
        }),
        ("a Spot request cancelled", holding, |p| {
            p.calls[1] = call(
                (
                    "ec2:cancelSpotInstanceRequests",
                    json!({"SpotInstanceRequestIds": ["sir-1"]}),
                    json!({"spot/sir-1": null}),
                ),
                Class::R1,
                None,
            );
        }),
        ("snapshots of another", holding, |p| {
            p.calls[3].arguments["InstanceSpecification"]["InstanceId"] = json!("i-2")
        }),
    ];
    for (name, plan, change) in lies {
        let mut plan = plan();
        change(&mut plan);
        let no = proven(&plan).expect_err(name);
        println!("{name}: {no}");
    }
}
