//! What belongs to every playbook: more is changed than was wrong, and tags keep a remediation away.

use quell_model::Call;
use serde_json::{Value, json};

use crate::harness::case::{Case, cases};
use crate::harness::drive::{self, End, KIND};
use crate::harness::{files, ids, load, read};
use crate::world::{World, Worlds};

const REVOKE: &str = "RevokeSecurityGroupIngress";

fn rule(id: &str, cidr: &str) -> Value {
    json!({"SecurityGroupRuleId": id, "GroupId": "sg-0a1b2c3d4e5f60718", "GroupOwnerId": "444455556666",
        "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": cidr, "Tags": []})
}

/// One permission of EC2's own: port 22 for everybody, and for three offices.
fn one_permission() -> Case {
    let rules = [
        rule("sgr-all", "0.0.0.0/0"),
        rule("sgr-one", "198.51.100.0/24"),
        rule("sgr-two", "203.0.113.0/24"),
        rule("sgr-three", "10.0.0.0/8"),
    ];
    let case = json!({"name": "one permission", "expect": {"outcome": "fixed", "calls": []}, "world": {"ec2": {
        "rules": rules, "prefixLists": {}, "attachments": [],
        "group": {"GroupId": "sg-0a1b2c3d4e5f60718", "GroupName": "web", "VpcId": "vpc-1", "OwnerId": "444455556666", "Tags": []},
    }}});
    serde_json::from_value(case).unwrap()
}

/// The trap: EC2 shows rules of one port together as a permission, and whoever revokes that takes the offices' rules with it.
#[test]
fn revoking_a_whole_permission() {
    let (playbook, case) = (load("PB-008"), one_permission());
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&playbook, &case, &mut world, KIND);
    assert_eq!(end.outcome(), "fixed");
    let [revoke] = end.made.as_slice() else {
        panic!("{:?}", end.made)
    };
    assert_eq!(revoke.operation, REVOKE);
    assert_eq!(revoke.params["SecurityGroupRuleIds"], json!(["sgr-all"]));
    let left = world.image().to_string();
    assert!(
        ["198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/8"]
            .iter()
            .all(|cidr| left.contains(cidr))
    );
    assert!(!left.contains("0.0.0.0/0"), "{left}");
    for (name, case) in cases("PB-008") {
        let mut world = Worlds::of(&case.world);
        let end = drive::respond(&playbook, &case, &mut world, KIND);
        for call in end.made.iter().filter(|call| call.operation == REVOKE) {
            let names: Vec<&String> = call.params.as_object().unwrap().keys().collect();
            assert_eq!(names, ["GroupId", "SecurityGroupRuleIds"], "{name}");
        }
    }
}

/// The same by a document that would: the guard refuses, and nothing is changed.
#[test]
fn a_document_that_would_revoke_a_whole_permission_is_refused() {
    let permission = json!({"GroupId": "{% $groupId %}", "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "198.51.100.0/24"}]}]});
    let too_many = json!({"GroupId": "{% $groupId %}", "SecurityGroupRuleIds": "{% $before.SecurityGroupRuleId %}"});
    for arguments in [permission, too_many] {
        let mut files = files("PB-008");
        let mut document: Value = serde_json::from_str(&files["respond.asl.json"]).unwrap();
        document["States"]["Plan"]["Assign"]["plan"]["calls"][0]["arguments"] = arguments;
        files.insert("respond.asl.json".to_owned(), document.to_string());
        let (playbook, case) = (read("PB-008", &files), one_permission());
        let mut world = Worlds::of(&case.world);
        let before = world.image();
        let end = drive::respond(&playbook, &case, &mut world, KIND);
        assert_eq!(
            (end.outcome(), end.attempts),
            ("Quell.Refused", 0),
            "{:?}",
            end.refusals
        );
        assert_eq!(world.image(), before);
    }
}

/// So many cases of a playbook are tried.
const CASES_MAX: usize = 6;

/// Whoever holds a thing writes its tags.
fn tags() -> Vec<Value> {
    let names = [
        "quell:exempt",
        "quell:ignore",
        "DoNotTouch",
        "SkipRemediation",
        "Exempt",
        "aws:cloudformation:stack-name",
    ];
    names
        .map(|name| json!({"Key": name, "Value": "true"}))
        .to_vec()
}

/// Puts the tags on everything in a world that has tags; answers on how many things.
fn tag(world: &mut Value) -> usize {
    match world {
        Value::Object(members) => {
            let mut count = 0;
            for (name, value) in members {
                match value {
                    Value::Array(list) if name == "Tags" || name == "TagSet" => {
                        list.extend(tags());
                        count += 1;
                    }
                    value => count += tag(value),
                }
            }
            count
        }
        Value::Array(items) => items.iter_mut().map(tag).sum(),
        _ => 0,
    }
}

fn operations(end: &End) -> Vec<String> {
    let name = |call: &Call| format!("{}:{}", call.service, call.operation);
    end.made.iter().map(name).collect()
}

/// The trap: a tag that keeps a remediation away keeps it away for the attacker, who may write tags. No playbook of ours
/// does anything else for any of them.
#[test]
fn tags_as_exemption_in_every_playbook() {
    for id in ids() {
        let playbook = load(&id);
        let mut tagged = 0;
        for (name, case) in cases(&id)
            .into_iter()
            .filter(|(_, case)| !case.expect.calls.is_empty())
        {
            let mut marked = case.clone();
            let on = tag(&mut marked.world);
            if on == 0 || tagged == CASES_MAX {
                continue;
            }
            tagged += 1;
            let carried = |case: &Case| {
                let mut world = Worlds::of(&case.world);
                drive::respond(&playbook, case, &mut world, KIND)
            };
            let (plain, marked) = (carried(&case), carried(&marked));
            assert_eq!(
                operations(&marked),
                operations(&plain),
                "{name}: {:?}",
                marked.refusals
            );
            assert_eq!(marked.outcome(), plain.outcome(), "{name}");
        }
        println!("{id}: {tagged} cases with tags on everything");
    }
}
