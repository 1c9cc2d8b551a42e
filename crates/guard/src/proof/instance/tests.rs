use super::super::attributes::{prove_respond, prove_undo};
use super::*;
use quell_model::{Class, Resource, UndoCall};
use serde_json::json;

const I: &str = "i-0a1b2c3d4e5f60718";
const RUN: &str = "run-1";
const TARGETS: &str = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1";

fn resource() -> Resource {
    let arn = format!("arn:aws:ec2:us-east-1:444455556666:instance/{I}");
    Resource::new(arn.parse().unwrap(), "AWS::EC2::Instance", I)
}

fn image() -> Value {
    json!({
        "attribute/disableApiTermination": false,
        "attribute/disableApiStop": false,
        "attribute/instanceInitiatedShutdownBehavior": "terminate",
        "device//dev/xvda/volume": "vol-1", "device//dev/xvda/deleteOnTermination": true,
        "device//dev/sdb/volume": "vol-2", "device//dev/sdb/deleteOnTermination": true,
        "eni/eni-1/groups": ["sg-web", "sg-base"], "eni/eni-1/vpc": "vpc-1", "eni/eni-1/addresses": ["10.0.0.4"],
        "eni/eni-1/sourceDestCheck": true, "eni/eni-1/requesterManaged": false,
        "eni/eni-2/groups": ["sg-web"], "eni/eni-2/vpc": "vpc-1", "eni/eni-2/addresses": ["10.0.0.5"],
        "eni/eni-2/sourceDestCheck": true, "eni/eni-2/requesterManaged": false,
        "address/eipalloc-1": {"interface": "eni-1", "privateIp": "10.0.0.4"},
        "scaling-group": "web", "scaling-group/protected": false,
        (format!("target/{TARGETS}")): [format!("{I}:80")],
        "load-balancer/old": "registered",
        "profile": {"arn": "arn:aws:iam::444455556666:instance-profile/app", "role": "app", "roleId": "AROA1"},
    })
}

fn with(mut image: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(image.as_object_mut().unwrap().remove(key)),
            value => image[key] = value.clone(),
        }
    }
    image
}

/// `ec2:disassociateAddress` with its arguments and what it sets.
fn back(call: &str, arguments: Value, sets: Value) -> UndoCall {
    UndoCall {
        resource: format!("arn:aws:states:::aws-sdk:{call}"),
        arguments,
        sets: sets.as_object().unwrap().clone(),
    }
}

fn call(
    call: &str,
    arguments: Value,
    class: Class,
    sets: Value,
    undo: Vec<UndoCall>,
) -> PlannedCall {
    let UndoCall {
        resource,
        arguments,
        sets,
    } = back(call, arguments, sets);
    PlannedCall {
        resource,
        arguments,
        class,
        sets,
        undo,
    }
}

/// A plan with what its calls set reckoned through.
fn plan(before: Value, calls: Vec<PlannedCall>, facts: Value) -> Plan {
    let mut plan = Plan {
        playbook: "PB-007".into(),
        resource: resource().arn.to_string(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: Value::Null,
        facts,
    };
    reckon(&mut plan);
    plan
}

/// A hostile document does its sums as well.
fn reckon(plan: &mut Plan) {
    let mut after = plan.before["attributes"].clone();
    for call in &plan.calls {
        after = with(after, json!(call.sets));
    }
    plan.after = json!({"attributes": after});
}

fn check(plan: &Plan) -> Result<(), Unproven> {
    let resource = resource();
    let claim = Claim {
        run: RUN,
        resource: &resource,
        facts: &Value::Null,
        undo: None,
        production: true,
        known: crate::proof::Known::default(),
    };
    prove_respond(&Instance, plan, &claim)
}

fn refused(says: &str, plan: &Plan) {
    let why = check(plan).expect_err(says).to_string();
    assert!(why.contains(says), "wanted «{says}», got «{why}»");
}

/// What it breaks, in the words of the refusal, and the change.
type Change<'a> = (&'a str, fn(&mut Plan));

/// Each change makes a proven plan wrong, with its sums done right.
fn all_refused(good: &Plan, changes: Vec<Change<'_>>) {
    check(good).unwrap();
    for (says, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        reckon(&mut bad);
        refused(says, &bad);
    }
}

fn marked(kind: &str) -> Value {
    json!([{"ResourceType": kind, "Tags": [{"Key": "quell:incident", "Value": "inc-1"}, {"Key": "quell:run", "Value": RUN}]}])
}

fn attribute(name: &str, value: Value, key: &str, was: Value) -> PlannedCall {
    let args = |value: &Value| json!({"InstanceId": I, name: {"Value": value}});
    let undo = back("ec2:modifyInstanceAttribute", args(&was), json!({key: was}));
    call(
        "ec2:modifyInstanceAttribute",
        args(&value),
        Class::R1,
        json!({key: value}),
        vec![undo],
    )
}

fn disks() -> PlannedCall {
    let args = |goes: bool| {
        let one = |name: &str| json!({"DeviceName": name, "Ebs": {"DeleteOnTermination": goes}});
        json!({"InstanceId": I, "BlockDeviceMappings": [one("/dev/xvda"), one("/dev/sdb")]})
    };
    let sets = |goes: bool| json!({"device//dev/xvda/deleteOnTermination": goes, "device//dev/sdb/deleteOnTermination": goes});
    let undo = back("ec2:modifyInstanceAttribute", args(true), sets(true));
    call(
        "ec2:modifyInstanceAttribute",
        args(false),
        Class::R1,
        sets(false),
        vec![undo],
    )
}

fn protect() -> Plan {
    let protection = |on: bool| json!({"AutoScalingGroupName": "web", "InstanceIds": [I], "ProtectedFromScaleIn": on});
    let calls = vec![
        call(
            "ec2:createTags",
            json!({"Resources": [I], "Tags": [{"Key": "quell:incident", "Value": "inc-1"}]}),
            Class::R1,
            json!({"tag/quell:incident": "inc-1"}),
            vec![],
        ),
        attribute(
            "DisableApiTermination",
            json!(true),
            "attribute/disableApiTermination",
            json!(false),
        ),
        attribute(
            "DisableApiStop",
            json!(true),
            "attribute/disableApiStop",
            json!(false),
        ),
        attribute(
            "InstanceInitiatedShutdownBehavior",
            json!("stop"),
            "attribute/instanceInitiatedShutdownBehavior",
            json!("terminate"),
        ),
        disks(),
        call(
            "autoscaling:setInstanceProtection",
            protection(true),
            Class::R1,
            json!({"scaling-group/protected": true}),
            vec![back(
                "autoscaling:setInstanceProtection",
                protection(false),
                json!({"scaling-group/protected": false}),
            )],
        ),
        call(
            "ec2:createSnapshots",
            json!({"InstanceSpecification": {"InstanceId": I, "ExcludeBootVolume": false}, "Description": "d", "TagSpecifications": marked("snapshot")}),
            Class::R1,
            json!({"snapshot/vol-1": "taken", "snapshot/vol-2": "taken"}),
            vec![],
        ),
        call(
            "ec2:createSecurityGroup",
            json!({"GroupName": "quell-quarantine-run-1-1", "Description": "d", "VpcId": "vpc-1", "TagSpecifications": marked("security-group")}),
            Class::R1,
            json!({"made/quell-quarantine-run-1-1": "made"}),
            vec![],
        ),
    ];
    plan(image(), calls, json!({}))
}

fn with_evidence() -> Value {
    with(
        image(),
        json!({
            "snapshot/vol-1": "taken", "snapshot/vol-2": "taken", "scaling-group/protected": true,
            "made/quell-quarantine-run-1-1": "made",
        }),
    )
}

fn out(id: &str, family: Value) -> Value {
    with(
        json!({"SecurityGroupRuleId": id, "IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1}),
        family,
    )
}

fn seal() -> Plan {
    let fresh = json!({"groupId": "sg-q", "rules": [out("sgr-4", json!({"CidrIpv4": "0.0.0.0/0"})), out("sgr-6", json!({"CidrIpv6": "::/0"}))]});
    let calls = vec![
        call(
            "ec2:lockSnapshot",
            json!({"SnapshotId": "snap-1", "LockMode": "governance", "LockDuration": 14}),
            Class::R1,
            json!({"lock/snap-1": "governance"}),
            vec![],
        ),
        call(
            "ec2:revokeSecurityGroupEgress",
            json!({"GroupId": "sg-q", "SecurityGroupRuleIds": ["sgr-6", "sgr-4"]}),
            Class::R1,
            json!({"quarantine/sg-q": "vpc-1"}),
            vec![back(
                "ec2:deleteSecurityGroup",
                json!({"GroupId": "sg-q"}),
                json!({"quarantine/sg-q": null}),
            )],
        ),
    ];
    plan(
        with_evidence(),
        calls,
        json!({"fresh": fresh, "snapshots": {"snap-1": "vol-1", "snap-2": "vol-2"}}),
    )
}

fn shut(eni: &str, was: Value) -> PlannedCall {
    let key = format!("eni/{eni}/groups");
    let args = |groups: &Value| json!({"NetworkInterfaceId": eni, "Groups": groups});
    let into = json!(["sg-q"]);
    let undo = back(
        "ec2:modifyNetworkInterfaceAttribute",
        args(&was),
        json!({key.as_str(): was}),
    );
    call(
        "ec2:modifyNetworkInterfaceAttribute",
        args(&into),
        Class::R2,
        json!({key: into}),
        vec![undo],
    )
}

fn isolate() -> Plan {
    let name = json!({"AutoScalingGroupName": "web", "InstanceIds": [I]});
    let target = json!({"TargetGroupArn": TARGETS, "Targets": [{"Id": I, "Port": 80}]});
    let key = format!("target/{TARGETS}");
    let classic = json!({"LoadBalancerName": "old", "Instances": [{"InstanceId": I}]});
    let eip = json!({"interface": "eni-1", "privateIp": "10.0.0.4"});
    let calls = vec![
        call(
            "autoscaling:detachInstances",
            with(
                name.clone(),
                json!({"ShouldDecrementDesiredCapacity": false}),
            ),
            Class::R2,
            json!({"scaling-group": null, "scaling-group/protected": null}),
            vec![
                back(
                    "autoscaling:attachInstances",
                    name.clone(),
                    json!({"scaling-group": "web"}),
                ),
                back(
                    "autoscaling:setInstanceProtection",
                    with(name, json!({"ProtectedFromScaleIn": true})),
                    json!({"scaling-group/protected": true}),
                ),
            ],
        ),
        call(
            "elasticloadbalancingv2:deregisterTargets",
            target.clone(),
            Class::R2,
            json!({key.as_str(): null}),
            vec![back(
                "elasticloadbalancingv2:registerTargets",
                target,
                json!({key: [format!("{I}:80")]}),
            )],
        ),
        call(
            "elasticloadbalancing:deregisterInstancesFromLoadBalancer",
            classic.clone(),
            Class::R2,
            json!({"load-balancer/old": null}),
            vec![back(
                "elasticloadbalancing:registerInstancesWithLoadBalancer",
                classic,
                json!({"load-balancer/old": "registered"}),
            )],
        ),
        call(
            "ec2:disassociateAddress",
            json!({"AssociationId": "eipassoc-1"}),
            Class::R2,
            json!({"address/eipalloc-1": null}),
            vec![back(
                "ec2:associateAddress",
                json!({"AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.4", "AllowReassociation": false}),
                json!({"address/eipalloc-1": eip}),
            )],
        ),
        shut("eni-1", json!(["sg-web", "sg-base"])),
        shut("eni-2", json!(["sg-web"])),
    ];
    let before = with(with_evidence(), json!({"quarantine/sg-q": "vpc-1"}));
    let service = json!({"scalingGroup": {"name": "web", "inService": 4, "minSize": 2, "desired": 4}, "targets": [{"name": "web", "healthy": 4}], "loadBalancers": [{"name": "old", "registered": 3}], "clusters": []});
    plan(
        before,
        calls,
        json!({"associations": {"eipassoc-1": "eipalloc-1", "eipassoc-9": "eipalloc-9"}, "service": service}),
    )
}

fn session(user: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "QuellSession", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": user}}}]})
}

fn deny() -> Plan {
    let policy = session(&format!("AROA1:{I}"));
    let name = format!("QuellSession-{I}");
    let key = format!("role/app/inline/{name}");
    let calls = vec![call(
        "iam:putRolePolicy",
        json!({"RoleName": "app", "PolicyName": name, "PolicyDocument": policy.to_string()}),
        Class::R1,
        json!({key.as_str(): policy}),
        vec![back(
            "iam:deleteRolePolicy",
            json!({"RoleName": "app", "PolicyName": name}),
            json!({key: null}),
        )],
    )];
    plan(with_evidence(), calls, json!({}))
}

/// The policy of the plan, and what is said of it, both changed.
fn policy(plan: &mut Plan, policy: &Value) {
    let key = format!("role/app/inline/QuellSession-{I}");
    plan.calls[0].arguments["PolicyDocument"] = policy.to_string().into();
    plan.calls[0].sets[&key] = policy.clone();
}

mod stages;
mod way_back;
