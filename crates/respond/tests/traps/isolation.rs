//! Isolating an instance (PB-007).

use quell_model::Call;
use quell_respond::Playbook;
use quell_states::Status;
use serde_json::{Value, json};

use crate::harness::case::{Case, cases};
use crate::harness::drive::{self, Blow, End, Fate, KIND};
use crate::harness::load;
use crate::world::{World, Worlds};

const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

struct Ran {
    end: End,
    world: Worlds,
}

fn case(name: &str) -> (Playbook, Case) {
    let mut all = cases("PB-007").into_iter().map(|(_, case)| case);
    let case = all.find(|case| case.name == name);
    (load("PB-007"), case.unwrap_or_else(|| panic!("{name}")))
}

fn ran(name: &str, fate: Fate<'_>) -> Ran {
    let (playbook, case) = case(name);
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&playbook, &case, &mut world, fate);
    Ran { end, world }
}

/// A call that somebody makes beside the playbook.
fn asked(world: &mut dyn World, service: &str, operation: &str, params: Value) -> Value {
    let call = Call {
        service: service.into(),
        operation: operation.into(),
        params,
    };
    world.call(&call).unwrap()
}

/// The groups of each interface, as they are now.
fn groups(world: &mut dyn World) -> Vec<(String, Vec<String>)> {
    let all = asked(world, "ec2", "DescribeNetworkInterfaces", json!({}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |interface: &Value| {
        let groups = interface["Groups"].as_array().unwrap().iter();
        let groups = groups.map(|group| text(&group["GroupId"])).collect();
        (text(&interface["NetworkInterfaceId"]), groups)
    };
    all["NetworkInterfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

fn rules(world: &mut dyn World, group: &str) -> usize {
    let filters = json!([{"Name": "group-id", "Values": [group]}]);
    let found = asked(
        world,
        "ec2",
        "DescribeSecurityGroupRules",
        json!({"Filters": filters}),
    );
    found["SecurityGroupRules"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_new_group_lets_everything_out_over_both_families_until_it_is_emptied() {
    for name in ["one interface", "the vpc has ipv6"] {
        let Ran { end, mut world } = ran(name, KIND);
        assert_eq!(end.outcome(), "contained", "{name}: {:?}", end.status);
        for (interface, groups) in groups(&mut world) {
            assert_eq!(groups.len(), 1, "{name}: {interface}");
            assert_eq!(rules(&mut world, &groups[0]), 0, "{name}: {interface}");
        }
    }
}

#[test]
fn a_group_is_not_trusted_for_its_name_or_its_tag() {
    for name in [
        "a group with our tag and a door in it",
        "shut into a group with our name that lets out",
        "shut into an empty group that is not ours",
    ] {
        let Ran { end, mut world } = ran(name, KIND);
        assert_eq!(end.outcome(), "contained", "{name}: {:?}", end.status);
        for (interface, groups) in groups(&mut world) {
            assert!(
                groups[0].starts_with("sg-made"),
                "{name}: {interface} in {groups:?}"
            );
        }
    }
}

#[test]
fn each_of_several_interfaces_is_moved_by_itself() {
    let Ran { end, mut world } = ran("several interfaces, each by itself", KIND);
    let through_the_instance = |call: &&Call| {
        call.operation == "ModifyInstanceAttribute" && call.params.get("Groups").is_some()
    };
    assert_eq!(end.made.iter().filter(through_the_instance).count(), 0);
    let groups = groups(&mut world);
    assert_eq!(groups.len(), 2);
    assert!(
        groups.iter().all(|(_, own)| *own == groups[0].1),
        "{groups:?}"
    );
}

#[test]
fn siblings_that_work_as_the_same_role_go_on() {
    let Ran { mut world, .. } = ran("its session is denied, not its role", KIND);
    let decision = |world: &mut Worlds, session: &str| {
        let entry = json!([{"ContextKeyName": "aws:userid", "ContextKeyValues": [format!("AROA0APP0APP0APP0APP0:{session}")]}]);
        let params = json!({"PolicySourceArn": "arn:aws:iam::444455556666:role/team/app", "ActionNames": ["s3:GetObject"], "ContextEntries": entry});
        asked(world, "iam", "SimulatePrincipalPolicy", params)["EvaluationResults"][0]["EvalDecision"].clone()
    };
    assert_eq!(decision(&mut world, INSTANCE), "explicitDeny");
    assert_eq!(decision(&mut world, "i-0sibling"), "implicitDeny");
}

/// EC2 says yes and moves nothing: that is no isolation, however often it says so.
#[test]
fn what_was_not_seen_to_be_isolated_is_not_called_so() {
    let hollow = |_: usize, call: &Call| match call.operation.as_str() {
        "ModifyNetworkInterfaceAttribute" => Blow::Hollow,
        _ => Blow::None,
    };
    let Ran { end, .. } = ran("one interface", &hollow);
    assert_eq!(end.outcome(), "Quell.StepFailed");
}

/// It is configured, and nobody looked at traffic: no word of proof, and what was left out is told.
#[test]
fn isolated_is_said_to_be_configured_and_never_proven() {
    let Ran { end, .. } = ran("everything at once, in production", KIND);
    let Status::Succeeded { output } = &end.status else {
        panic!("{:?}", end.status)
    };
    let said = &output["isolation"];
    assert_eq!(said["state"], "configured");
    assert_eq!(said["why"], "not proven: no flow logs were read");
    let left = said["notDone"].to_string();
    for what in ["established connections", "DNS", "other accounts"] {
        assert!(left.contains(what), "{left}");
    }
    assert!(said["verified"].to_string().contains("no rule at all"));
}

/// Somebody opens the group again at the moment in which the instance is in it.
#[test]
fn a_group_that_is_filled_again_isolates_nothing() {
    let (playbook, mut case) = case("one interface");
    let anywhere = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    let open = json!({"GroupId": "sg-made2", "IpPermissions": anywhere});
    case.world["ec2"]["meanwhile"] = json!([
        {"after": "ModifyNetworkInterfaceAttribute", "calls": [["AuthorizeSecurityGroupIngress", open]]},
    ]);
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&playbook, &case, &mut world, KIND);
    assert_eq!(end.outcome(), "Quell.VerifyFailed", "{:?}", end.status);
}
