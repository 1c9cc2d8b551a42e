use std::slice::from_ref;

use serde_json::json;

use super::*;
use crate::addresses::cidr;

fn from(block: &str) -> Sources {
    match cidr(block).unwrap() {
        (Family::V4, v4) => Sources {
            v4,
            ..Sources::default()
        },
        (Family::V6, v6) => Sources {
            v6,
            ..Sources::default()
        },
    }
}

fn rule(protocol: &str, from_port: i64, to_port: i64, block: &str) -> Flow {
    let rule = json!({"IpProtocol": protocol, "FromPort": from_port, "ToPort": to_port});
    flow("sgr-1", &rule, from(block)).unwrap()
}

fn shown(revoked: &[Flow], kept: &[Flow]) -> Vec<String> {
    let ssh = [(22, Family::V4)];
    Loss::of(revoked, kept, kept, &ssh).unwrap().shown()
}

#[test]
fn what_is_closed_is_said_exactly() {
    let office = rule("tcp", 22, 22, "203.0.113.0/24");
    assert_eq!(
        shown(&[rule("tcp", 22, 22, "0.0.0.0/0")], &[]),
        ["it closes tcp 22 from 0.0.0.0/0", "nothing else is closed"]
    );
    let half = rule("tcp", 22, 22, "0.0.0.0/1");
    assert_eq!(
        shown(&[rule("tcp", 22, 22, "0.0.0.0/0")], &[half, office.clone()])[0],
        "it closes tcp 22 from 128.0.0.0/2, 192.0.0.0/5, 200.0.0.0/7, 202.0.0.0/8, 203.0.0.0/18 and 18 more"
    );
    assert_eq!(
        shown(
            &[rule("tcp", 20, 25, "0.0.0.0/0")],
            &[rule("tcp", 25, 25, "0.0.0.0/0")]
        )[1],
        "with it goes what no other rule lets in: tcp 20-21 from 0.0.0.0/0; tcp 23-24 from 0.0.0.0/0"
    );
    assert_eq!(
        shown(
            &[
                rule("icmp", 8, -1, "0.0.0.0/0"),
                rule("icmpv6", 128, 0, "::/0"),
                rule("47", -1, -1, "::/0")
            ],
            &[]
        )[1],
        "with it goes what no other rule lets in: icmp types 8-8 from 0.0.0.0/0; protocol 47 from ::/0; icmpv6 type 128 code 0 from ::/0"
    );
    assert_eq!(
        shown(
            &[rule("-1", -1, -1, "10.0.0.0/8")],
            &[rule("udp", 53, 53, "10.0.0.0/8")]
        )[1],
        "with it goes what no other rule lets in: protocol 0-5 from 10.0.0.0/8; tcp 0-21 from 10.0.0.0/8; tcp 23-65535 from 10.0.0.0/8; protocol 7-16 from 10.0.0.0/8; udp 0-21 from 10.0.0.0/8; and 3 more"
    );
}

#[test]
fn a_plan_that_leaves_something_else_is_refused() {
    let (world, office) = (
        rule("tcp", 22, 22, "0.0.0.0/0"),
        rule("tcp", 443, 443, "203.0.113.0/24"),
    );
    for left in [
        vec![],
        vec![office.clone(), world.clone()],
        vec![rule("udp", 443, 443, "203.0.113.0/24")],
    ] {
        assert!(
            Loss::of(from_ref(&world), from_ref(&office), &left, &[]).is_err(),
            "{left:?}"
        );
    }
    // As the same in two rules it is the same.
    let halves = [
        rule("tcp", 443, 443, "203.0.113.0/25"),
        rule("tcp", 443, 443, "203.0.113.128/25"),
    ];
    Loss::of(&[world], &[office], &halves, &[]).unwrap();
}

#[test]
fn a_rule_that_ec2_would_not_show_is_not_understood() {
    for (protocol, from_port, to_port) in [
        ("tcp", -1, -1),
        ("tcp", 23, 22),
        ("udp", 0, 65_536),
        ("256", -1, -1),
        ("icmp", 256, -1),
        ("icmp", 8, 256),
        ("TCP", 22, 22),
        ("", 22, 22),
    ] {
        let rule = json!({"IpProtocol": protocol, "FromPort": from_port, "ToPort": to_port});
        assert!(flow("sgr-1", &rule, from("0.0.0.0/0")).is_err(), "{rule}");
    }
}

#[test]
fn no_more_is_told_than_people_read() {
    let many: Vec<Flow> = (0..300)
        .map(|n| rule("tcp", 2 * n, 2 * n, &format!("10.0.{}.0/24", n % 256)))
        .collect();
    let parts = Loss::of(&many, &[], &[], &[]).unwrap().parts();
    assert_eq!(parts.len(), PARTS_MAX);
    let scattered: Vec<Flow> = (0..200)
        .map(|n| rule("tcp", 22, 22, &format!("10.0.{n}.0/25")))
        .collect();
    let parts = Loss::of(&scattered, &[], &[], &[]).unwrap().parts();
    assert_eq!((parts[0].sources.len(), parts[0].more), (100, 100));
}
