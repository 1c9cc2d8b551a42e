use quell_model::{Plan, PlannedCall, Resource, UndoCall};
use serde_json::{Map, Value, json};

use super::super::attributes;
use super::super::{Claim, Known, Proof, Unproven, prove};
use super::*;

const SET: &str = "list/wafv2/REGIONAL/quell/id-1";
const GROUP: &str = "list/network-firewall/quell/BLOCKED";
const ARN: &str = "arn:aws:network-firewall:us-east-1:444455556666:stateful-rulegroup/quell";

fn instance() -> Resource {
    let arn = "arn:aws:ec2:us-east-1:444455556666:instance/i-1";
    Resource::new(arn.parse().unwrap(), "AWS::EC2::Instance", "i-1")
}

fn facts(with_lists: bool) -> Value {
    let before = json!(["AWS::EC2::Instance"]);
    let place = |kind: &str| json!({"kind": kind, "account": "444455556666", "region": "us-east-1", "before": before});
    let (mut set, mut group) = (place("wafv2"), place("network-firewall"));
    for (name, value) in [("name", "quell"), ("scope", "REGIONAL"), ("id", "id-1")] {
        set[name] = value.into();
    }
    (group["arn"], group["variable"]) = (ARN.into(), "BLOCKED".into());
    let lists = if with_lists {
        json!([set, group])
    } else {
        json!([])
    };
    json!({"lists": lists, "ours": ["198.51.100.0/24", "2001:db8:ffff::/48"]})
}

struct Tried {
    plan: Plan,
    facts: Value,
    hours: Option<u32>,
    undo: Option<Value>,
}

impl Tried {
    fn prove(&self) -> Result<Proof, Unproven> {
        let resource = instance();
        let claim = Claim {
            run: "run-1",
            resource: &resource,
            facts: &self.facts,
            undo: self.undo.as_ref(),
            production: true,
            known: Known {
                ends_after_hours: self.hours,
                ..Known::default()
            },
        };
        attributes::prove(&Blocks, &self.plan, &claim)
    }

    fn refused(&self, words: &str) {
        let Err(why) = self.prove() else {
            panic!("it was proven, and should not be: {words}");
        };
        assert!(why.0.contains(words), "{words}: {why}");
    }
}

fn plan(before: Value, calls: Vec<PlannedCall>) -> Plan {
    let mut after: Map<String, Value> = before.as_object().unwrap().clone();
    for (key, value) in calls.iter().flat_map(|call| &call.sets) {
        match value {
            Value::Null => drop(after.remove(key)),
            value => drop(after.insert(key.clone(), value.clone())),
        }
    }
    Plan {
        playbook: "PB-014".into(),
        resource: instance().arn.to_string(),
        summary: "s".into(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({}),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn set_call(addresses: Value, sets: Value) -> UndoCall {
    UndoCall {
        resource: "arn:aws:states:::aws-sdk:wafv2:updateIPSet".into(),
        arguments: json!({"Name": "quell", "Scope": "REGIONAL", "Id": "id-1", "Addresses": addresses,
            "LockToken": "t", "Description": "ours"}),
        sets: object(sets),
    }
}

fn planned(call: UndoCall, class: Class, undo: Vec<UndoCall>) -> PlannedCall {
    PlannedCall {
        resource: call.resource,
        arguments: call.arguments,
        class,
        sets: call.sets,
        undo,
    }
}

fn before() -> Value {
    json!({format!("{SET}/others"): ["192.0.2.1/32"], format!("{SET}/description"): "ours"})
}

/// A plan that puts one block on the IP set.
fn blocking(block: &str) -> Tried {
    let key = format!("{SET}/{block}");
    let back = set_call(json!(["192.0.2.1/32"]), json!({key.clone(): null}));
    let there = set_call(json!(["192.0.2.1/32", block]), json!({key: "listed"}));
    let call = planned(there, Class::R1, vec![back]);
    Tried {
        plan: plan(before(), vec![call]),
        facts: facts(true),
        hours: Some(24),
        undo: None,
    }
}

#[test]
fn one_public_address_is_blocked_for_a_time_and_nobody_is_asked() {
    let proof = blocking("203.0.113.5/32").prove().unwrap();
    assert_eq!(proof.concerns, [""; 0]);
    blocking("2001:0db8:0001:0002:0000:0000:0000:0000/64")
        .prove()
        .unwrap();
    blocking("2001:0db8:0001:0002:0000:0000:0000:0007/128")
        .prove()
        .unwrap();
}

#[test]
fn what_is_no_single_public_address_of_somebody_else_is_never_blocked() {
    for (block, why) in [
        ("203.0.113.0/31", "too wide"),
        ("0.0.0.0/0", "too wide"),
        ("2001:0db8:0001:0000:0000:0000:0000:0000/55", "too wide"),
        ("10.0.0.1/32", "not public"),
        ("172.16.5.5/32", "not public"),
        ("192.168.1.1/32", "not public"),
        ("100.64.0.1/32", "not public"),
        ("169.254.169.254/32", "not public"),
        ("127.0.0.1/32", "not public"),
        ("224.0.0.1/32", "not public"),
        ("fe80:0000:0000:0000:0000:0000:0000:0000/64", "not public"),
        ("fd00:0000:0000:0000:0000:0000:0000:0000/64", "not public"),
        ("0000:0000:0000:0000:0000:ffff:cb00:7105/128", "not public"),
        ("0.0.0.1/32", "many people's"),
        (
            "2002:c000:0204:0000:0000:0000:0000:0000/64",
            "many people's",
        ),
        (
            "2001:0000:4136:e378:0000:0000:0000:0000/64",
            "many people's",
        ),
        ("198.51.100.77/32", "which is ours"),
        (
            "2001:0db8:ffff:0000:0000:0000:0000:0000/56",
            "which is ours",
        ),
        ("203.0.113.5", "said to set"),
        ("203.0.113.5/33", "are not blocks of addresses"),
        ("evil.example/32", "are not blocks of addresses"),
    ] {
        blocking(block).refused(why);
    }
}

#[test]
fn what_was_read_as_our_own_is_never_blocked() {
    for own in ["203.0.113.5/32", "203.0.113.0/24", "nonsense"] {
        let mut tried = blocking("203.0.113.5/32");
        for image in [&mut tried.plan.before, &mut tried.plan.after] {
            image["attributes"][format!("own/{own}")] = "elastic address".into();
        }
        tried.refused("our own");
    }
    let mut tried = blocking("203.0.113.5/32");
    tried.facts["ours"] = json!(["the office"]);
    tried.refused("no block of addresses");
}

#[test]
fn a_block_has_an_end() {
    for (hours, why) in [
        (None, "no end"),
        (Some(0), "0 hours"),
        (Some(169), "169 hours"),
    ] {
        let mut tried = blocking("203.0.113.5/32");
        tried.hours = hours;
        tried.refused(why);
    }
}

#[test]
fn only_a_list_that_people_named_is_changed() {
    for (member, other) in [("Name", "theirs"), ("Id", "id-2"), ("Scope", "CLOUDFRONT")] {
        let mut tried = blocking("203.0.113.5/32");
        tried.plan.calls[0].arguments[member] = other.into();
        tried.refused("no block list that the facts name");
    }
    for (member, other) in [("account", "111122223333"), ("region", "eu-west-1")] {
        let mut tried = blocking("203.0.113.5/32");
        tried.facts["lists"][0][member] = other.into();
        tried.refused("no block list that the facts name");
    }
    let mut tried = blocking("203.0.113.5/32");
    tried.facts["lists"][0]["before"] = json!(["AWS::RDS::DBInstance"]);
    tried.refused("no block list that the facts name");
}

#[test]
fn nobody_goes_from_a_list_and_nobody_comes_unsaid() {
    let key = format!("{SET}/203.0.113.5/32");
    for (addresses, why) in [
        (json!(["203.0.113.5/32"]), "would go"),
        (
            json!(["192.0.2.1/32", "203.0.113.5/32", "203.0.113.6/32"]),
            "said to set",
        ),
        (
            json!(["192.0.2.1/32", "203.0.113.5/32", "203.0.113.5/32"]),
            "each once",
        ),
        (
            json!(["192.0.2.1/32", "203.0.113.5/32", 7]),
            "are not blocks",
        ),
        (json!(["192.0.2.1/32"]), "nothing that can be seen"),
        (json!("203.0.113.5/32"), "are not blocks"),
    ] {
        let mut tried = blocking("203.0.113.5/32");
        tried.plan.calls[0].arguments["Addresses"] = addresses;
        assert!(tried.plan.calls[0].sets.contains_key(&key));
        tried.refused(why);
    }
    let mut tried = blocking("203.0.113.5/32");
    tried.plan.calls[0].arguments["Description"] = "theirs".into();
    tried.refused("another description");
    let mut tried = blocking("203.0.113.5/32");
    tried.plan.calls[0].arguments["Extra"] = true.into();
    tried.refused("no such call needs");
    let mut tried = blocking("203.0.113.5/32");
    tried.plan.calls[0].arguments["LockToken"] = Value::Null;
    tried.refused("LockToken");
}

#[test]
fn a_list_holds_two_hundred() {
    for (others, holds) in [(199, true), (200, false)] {
        let others: Vec<String> = (0..others)
            .map(|n| format!("192.0.{}.{}/32", n / 250, n % 250))
            .collect();
        let mut tried = blocking("203.0.113.5/32");
        for image in [&mut tried.plan.before, &mut tried.plan.after] {
            image["attributes"][format!("{SET}/others")] = json!(others);
        }
        let call = &mut tried.plan.calls[0];
        call.arguments["Addresses"] =
            json!([others.clone(), vec!["203.0.113.5/32".to_owned()]].concat());
        call.undo[0].arguments["Addresses"] = json!(others);
        assert_eq!(tried.prove().is_ok(), holds);
    }
}

#[test]
fn what_takes_a_block_back_takes_that_one_and_no_other() {
    for (addresses, why) in [
        (json!([]), "would go"),
        (json!(["192.0.2.1/32", "203.0.113.9/32"]), "would come"),
        (
            json!(["192.0.2.1/32", "203.0.113.5/32"]),
            "nothing that can be seen",
        ),
    ] {
        let mut tried = blocking("203.0.113.5/32");
        tried.plan.calls[0].undo[0].arguments["Addresses"] = addresses;
        tried.refused(why);
    }
    let mut tried = blocking("203.0.113.5/32");
    tried.plan.calls[0].undo.clear();
    tried.refused("does not bring back");
}

/// Its undo, a day later: others have come to the list, and one has gone.
fn undoing(addresses: Value) -> Tried {
    let first = blocking("203.0.113.5/32").plan;
    let recorded =
        json!({"before": first.before, "after": first.after, "calls": first.calls[0].undo});
    let key = format!("{SET}/203.0.113.5/32");
    let mut live = before();
    live[&key] = "listed".into();
    live[format!("{SET}/others")] = json!(["203.0.113.77/32", "203.0.113.78/32"]);
    let mut call = set_call(addresses, json!({key: null}));
    call.arguments["LockToken"] = "of now".into();
    Tried {
        plan: plan(live, vec![planned(call, Class::R1, vec![])]),
        undo: Some(recorded),
        // People may have taken the list from the facts since: what stands on it goes all the same.
        facts: facts(false),
        hours: Some(24),
    }
}

#[test]
fn an_undo_leaves_who_else_is_on_the_list_by_then() {
    undoing(json!(["203.0.113.77/32", "203.0.113.78/32"]))
        .prove()
        .unwrap();
    for (addresses, why) in [
        (json!(["192.0.2.1/32"]), "would go"),
        (json!(["203.0.113.77/32"]), "would go"),
        (json!([]), "would go"),
        (
            json!(["203.0.113.77/32", "203.0.113.78/32", "192.0.2.1/32"]),
            "would come",
        ),
    ] {
        undoing(addresses).refused(why);
    }
    let mut other = undoing(json!(["203.0.113.77/32", "203.0.113.78/32"]));
    other.plan.calls[0].arguments["Id"] = "id-2".into();
    other.refused("none of the recorded undo calls");
}

fn rule_group(definition: Value) -> Value {
    json!({"RuleVariables": {"IpSets": {"HOME": {"Definition": ["10.0.0.0/8"]}, "BLOCKED": {"Definition": definition}}},
        "RulesSource": {"RulesString": "drop ip $BLOCKED any -> any any (sid:1;)"}})
}

fn in_group() -> Tried {
    let mut rules = rule_group(json!([]));
    rules["RuleVariables"]["IpSets"]
        .as_object_mut()
        .unwrap()
        .remove("BLOCKED");
    let before = json!({format!("{GROUP}/others"): ["192.0.2.1/32"], format!("{GROUP}/rules"): rules,
        format!("{GROUP}/passed"): {"Description": "ours"}});
    let call = |definition: Value, value: Value| UndoCall {
        resource: "arn:aws:states:::aws-sdk:networkfirewall:updateRuleGroup".into(),
        arguments: json!({"RuleGroupArn": ARN, "Type": "STATEFUL", "UpdateToken": "t", "Description": "ours",
            "RuleGroup": rule_group(definition)}),
        sets: object(json!({format!("{GROUP}/203.0.113.5/32"): value})),
    };
    let back = call(json!(["192.0.2.1/32"]), Value::Null);
    let there = call(json!(["192.0.2.1/32", "203.0.113.5/32"]), "listed".into());
    Tried {
        plan: plan(before, vec![planned(there, Class::R1, vec![back])]),
        facts: facts(true),
        hours: Some(24),
        undo: None,
    }
}

#[test]
fn of_a_rule_group_nothing_changes_but_who_is_blocked() {
    in_group().prove().unwrap();
    let planted = |pointer: &str, value: Value, why: &str| {
        let mut tried = in_group();
        *tried.plan.calls[0].arguments.pointer_mut(pointer).unwrap() = value;
        tried.refused(why);
    };
    planted(
        "/RuleGroup/RulesSource/RulesString",
        "pass ip any any -> any any".into(),
        "other rules",
    );
    planted(
        "/RuleGroup/RuleVariables/IpSets/HOME/Definition",
        json!(["0.0.0.0/0"]),
        "other rules",
    );
    planted(
        "/RuleGroup/RuleVariables/IpSets/BLOCKED/Definition",
        json!(["192.0.2.1/32", "0.0.0.0/1"]),
        "too wide",
    );
    planted(
        "/RuleGroup/RuleVariables/IpSets/BLOCKED/Definition",
        json!(["203.0.113.5/32"]),
        "would go",
    );
    planted(
        "/RuleGroup/RuleVariables/IpSets/BLOCKED",
        json!({"Definition": [], "More": 1}),
        "are not blocks",
    );
    planted("/RuleGroupArn", format!("{ARN}2").into(), "not known");
    planted("/Description", "theirs".into(), "another description");
    planted("/Type", "STATELESS".into(), "stateful");
    planted("/UpdateToken", Value::Null, "token");
    let mut tried = in_group();
    tried.plan.calls[0].arguments["DryRun"] = true.into();
    tried.refused("another description");
}

/// Denies in both directions, the lowest numbers.
fn in_subnets() -> Tried {
    let before = json!({"subnet/s-1/acl": "acl-1", "acl/acl-1/ingress/100": "allow -1 0.0.0.0/0", "acl/acl-1/egress/100": "allow -1 0.0.0.0/0"});
    let entry = |egress: bool| {
        let way = if egress { "egress" } else { "ingress" };
        let key = format!("acl/acl-1/{way}/1");
        let there = UndoCall {
            resource: "arn:aws:states:::aws-sdk:ec2:createNetworkAclEntry".into(),
            arguments: json!({"NetworkAclId": "acl-1", "RuleNumber": 1, "Protocol": "-1", "RuleAction": "deny",
                "Egress": egress, "CidrBlock": "203.0.113.5/32"}),
            sets: object(json!({key.clone(): "deny -1 203.0.113.5/32"})),
        };
        let back = UndoCall {
            resource: "arn:aws:states:::aws-sdk:ec2:deleteNetworkAclEntry".into(),
            arguments: json!({"NetworkAclId": "acl-1", "RuleNumber": 1, "Egress": egress}),
            sets: object(json!({key: null})),
        };
        planned(there, Class::R2, vec![back])
    };
    Tried {
        plan: plan(before, vec![entry(false), entry(true)]),
        facts: facts(false),
        hours: Some(24),
        undo: None,
    }
}

#[test]
fn a_network_acl_only_denies_and_a_person_is_asked() {
    let proof = in_subnets().prove().unwrap();
    assert_eq!(proof.concerns.len(), 1);
    let planted = |member: &str, value: Value, why: &str| {
        let mut tried = in_subnets();
        tried.plan.calls[0].arguments[member] = value;
        tried.refused(why);
    };
    planted("RuleAction", "allow".into(), "may only be");
    planted("Protocol", "6".into(), "may only be");
    planted("RuleNumber", 100.into(), "is taken");
    planted("RuleNumber", 101.into(), "behind an entry that allows");
    planted("RuleNumber", 0.into(), "is taken, or is behind");
    planted(
        "NetworkAclId",
        "acl-2".into(),
        "not known as the network ACL",
    );
    planted("CidrBlock", "0.0.0.0/0".into(), "too wide");
    planted("CidrBlock", "10.0.0.0/32".into(), "not public");
    planted("CidrBlock", "2001:db8::/64".into(), "one block");
    planted("Ipv6CidrBlock", "2001:db8::/64".into(), "one block");
    planted(
        "PortRange",
        json!({"From": 22, "To": 22}),
        "no such call needs",
    );
    let mut tried = in_subnets();
    tried.plan.calls[0].class = Class::R1;
    tried.refused("of class R2");
    let mut tried = in_subnets();
    tried.facts = facts(true);
    tried.refused("a block list stands before it");
}

#[test]
fn one_direction_alone_is_no_block() {
    let mut tried = in_subnets();
    let key = "acl/acl-1/egress/1";
    tried.plan.calls.pop();
    tried.plan.after["attributes"]
        .as_object_mut()
        .unwrap()
        .remove(key);
    tried.refused("one direction");
    for image in [&mut tried.plan.before, &mut tried.plan.after] {
        image["attributes"]["acl/acl-1/egress/7"] = "deny -1 203.0.113.5/32".into();
    }
    tried.prove().unwrap();
}

#[test]
fn no_more_entries_than_a_network_acl_holds_and_none_of_somebody_else_s_goes() {
    let mut tried = in_subnets();
    for image in [&mut tried.plan.before, &mut tried.plan.after] {
        for number in 2..21 {
            image["attributes"][format!("acl/acl-1/ingress/{number}")] =
                "deny -1 203.0.113.9/32".into();
        }
    }
    tried.refused("20 entries already");
    // What takes back names an entry that does something else than block one address.
    let mut tried = in_subnets();
    tried.plan.calls[0].undo[0].arguments["RuleNumber"] = 100.into();
    tried.refused("no entry that blocks one address");
}

#[test]
fn other_calls_are_none_of_a_block() {
    for resource in [
        "wafv2:updateWebACL",
        "ec2:deleteNetworkAcl",
        "ec2:replaceNetworkAclEntry",
        "networkfirewall:updateFirewallDeleteProtection",
    ] {
        let mut tried = blocking("203.0.113.5/32");
        tried.plan.calls[0].resource = format!("arn:aws:states:::aws-sdk:{resource}");
        let resource = instance();
        let claim = Claim {
            run: "run-1",
            resource: &resource,
            facts: &tried.facts,
            undo: None,
            production: true,
            known: Known::default(),
        };
        prove("AWS::EC2::Instance", &tried.plan, &claim).unwrap_err();
        tried.refused("no way to block an address");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A block has one text, whoever writes it, and holds the addresses that it says.
        #[test]
        fn a_block_says_itself(number in any::<u128>(), bits in 0_u8..=128) {
            let base = number & u128::MAX.checked_shl(u32::from(128 - bits)).unwrap_or(0);
            let address = std::net::Ipv6Addr::from(base);
            let block = Block::parse(&format!("{address}/{bits}")).unwrap();
            prop_assert_eq!(Block::parse(&block.text()), Some(block.clone()));
            prop_assert!(block.meets(&block));
            if bits < 56 {
                prop_assert!(block.is_fit().is_err());
            }
        }

        /// Whatever stands there: it is read, or it is none.
        #[test]
        fn whatever_is_written_is_read_or_is_none(text in "\\PC{0,40}|[0-9a-f:./]{0,45}") {
            if let Some(block) = Block::parse(&text) {
                prop_assert_eq!(Block::parse(&block.text()), Some(block));
            }
        }
    }
}
