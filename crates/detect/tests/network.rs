//! The detectors over network logs, from the bytes of a file to findings: their samples, order and repetition, traffic in which something is
//! hidden, floods.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

#[path = "network/traffic.rs"]
mod traffic;
#[path = "network/world.rs"]
mod world;

use std::collections::BTreeSet;

use proptest::prelude::*;
use traffic::{Dice, HEADER, Kind, T0, background, chunks, plant};
use world::{World, content, network};

/// Each detection fires on its hit, and nothing else does; it does not on its miss.
#[test]
fn every_network_detection_fires_on_its_hit_and_not_on_its_miss() {
    let network = network();
    assert_eq!(network.detections().len(), 12);
    for detection in network.detections() {
        for (kind, wanted) in [("hit", 1), ("miss", 0)] {
            let name = format!(
                "{}.{kind}.log",
                detection.id.strip_prefix("network/").unwrap()
            );
            let mut world = World::new(&network);
            let findings = world.take_file(&content(&name));
            assert_eq!(world.counts.quarantined, 0, "{name}");
            let ids: Vec<&str> = findings.iter().map(|f| f.detection.as_str()).collect();
            assert_eq!(
                ids,
                vec![detection.id.as_str(); wanted],
                "{name}: {findings:#?}"
            );
            for finding in findings {
                assert_eq!(finding.outsider, detection.outsider);
                assert!(finding.explanation.unwrap().len() < 1000);
                let is_account = detection.id.contains("sweep-outside");
                let kind = if is_account {
                    "AWS::::Account"
                } else {
                    "AWS::EC2::Instance"
                };
                assert_eq!(finding.resource.kind, kind, "{name}");
            }
        }
    }
}

/// The hits of all, without their threshold-th line, are silent: no detection fires early.
#[test]
fn no_hit_has_a_line_to_spare() {
    let network = network();
    for detection in network.detections() {
        let short = detection.id.strip_prefix("network/").unwrap();
        let is_flow = !short.starts_with("dns") && !short.starts_with("mining-pool-name");
        if short.starts_with("beacon") {
            continue; // It has as many as make the rhythm plain.
        }
        let text = content(&format!("{short}.hit.log"));
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let from = usize::from(is_flow);
        for without in [from, lines.len() - 1] {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != without);
            let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
            if kept.len() == from {
                continue;
            }
            let findings = World::new(&network).take_file(kept.join("\n").as_bytes());
            assert!(
                findings.is_empty(),
                "{short} without line {without}: {findings:#?}"
            );
        }
    }
}

fn found(network: &quell_detect::network::Network, files: &[Vec<u8>]) -> BTreeSet<String> {
    let mut world = World::new(network);
    let found = files.iter().flat_map(|file| world.take_file(file));
    let found = found.map(|f| format!("{} {} {}", f.detection, f.id, f.resource.arn));
    found.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(8)))]

    /// Whatever the order in which the parts of the log come, and however often: the same findings.
    #[test]
    fn order_and_repetition_change_nothing(seed in any::<u64>(), kind in 0..Kind::ALL.len(), size in 20usize..200) {
        let network = network();
        let mut dice = Dice(seed | 1);
        let mut lines = background(&mut dice, 600, 50 * 60);
        lines.extend(plant(&mut dice, Kind::ALL[kind], 50 * 60));
        lines.sort_by_key(|line| line.0);
        let files = chunks(&lines, size);
        let wanted = found(&network, &files);
        prop_assert!(!wanted.is_empty());
        for _ in 0..3 {
            let mut mixed = files.clone();
            for _ in 0..files.len() / 2 {
                mixed.push(files[dice.below(files.len())].clone());
            }
            for at in (1..mixed.len()).rev() {
                mixed.swap(at, dice.below(at + 1));
            }
            prop_assert_eq!(&found(&network, &mixed), &wanted);
        }
    }

    /// What is hidden in traffic is found, by its name.
    #[test]
    fn what_is_hidden_is_found(seed in any::<u64>(), kind in 0..Kind::ALL.len()) {
        let network = network();
        let mut dice = Dice(seed | 1);
        let kind = Kind::ALL[kind];
        let span = if kind == Kind::Beacon { 3 * 3600 } else { 50 * 60 };
        let mut lines = background(&mut dice, 3000, span);
        lines.extend(plant(&mut dice, kind, span));
        lines.sort_by_key(|line| line.0);
        let found = found(&network, &chunks(&lines, 500));
        let ids: BTreeSet<&str> = found.iter().map(|f| f.split(' ').next().unwrap()).collect();
        prop_assert_eq!(ids, BTreeSet::from([kind.detection()]));
    }

    /// Every line is in exactly one count, whatever the lines are.
    #[test]
    fn every_line_is_counted_once(bad in prop::collection::vec((any::<usize>(), "[ -~]{0,40}"), 0..20), size in 1usize..100) {
        let network = network();
        let mut dice = Dice(77);
        let mut lines = background(&mut dice, 200, 600);
        for (at, text) in bad {
            let at = at % lines.len();
            lines[at].1 = format!("x{text}x");
        }
        let mut world = World::new(&network);
        for file in chunks(&lines, size) {
            world.take_file(&file);
        }
        let counts = &world.counts;
        prop_assert_eq!(counts.accepted, 200);
        prop_assert_eq!(counts.accepted, counts.matched + counts.unmatched + counts.quarantined);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of longer or shorter runs"
)]
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("QUELL_NETWORK_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// A day of ordinary traffic, and how many findings it makes: none but those that anybody outside causes.
#[test]
fn ordinary_traffic_is_silent() {
    let network = network();
    let mut world = World::new(&network);
    let flows = usize::try_from(cases(1)).unwrap() * 60_000;
    let mut dice = Dice(20_261_121);
    let mut findings = Vec::new();
    let lines = background(&mut dice, flows, 6 * 3600);
    for file in chunks(&lines, 5000) {
        findings.extend(world.take_file(&file));
    }
    assert_eq!(world.counts.accepted, flows as u64);
    println!(
        "{} findings in {flows} flows; states: {} KiB",
        findings.len(),
        world.bytes() / 1024
    );
    assert!(findings.is_empty(), "{:#?}", findings.first());
}

/// A million addresses knock, and a host of ours scans meanwhile.
#[test]
fn a_flood_from_outside_takes_neither_memory_nor_sight() {
    let network = network();
    let mut world = World::new(&network);
    let mut dice = Dice(99);
    let sources = 1000 * usize::try_from(cases(30)).unwrap().min(1000);
    let scan = plant(&mut dice, Kind::PortScan, 50 * 60);
    let mut scan = scan.iter();
    let mut found = Vec::new();
    let mut at = 0;
    while at < sources {
        let mut text = format!("{HEADER}\n");
        for _ in 0..4980 {
            let source = std::net::Ipv4Addr::from(0x5000_0000 + u32::try_from(at).unwrap());
            let port = 1 + dice.below(60_000);
            let time = T0 + i64::try_from(at * 3000 / sources).unwrap();
            text += &format!(
                "5 111122223333 eni-own1 - us-east-1 {source} 10.0.1.5 40000 {port} 6 1 44 {time} {time} REJECT 2 ingress OK\n"
            );
            at += 1;
        }
        for (_, line) in scan.by_ref().take(if sources > 200_000 { 2 } else { 10 }) {
            text += line;
            text.push('\n');
        }
        found.extend(world.take_file(text.as_bytes()));
        assert!(world.largest() <= 512 * 1024, "{}", world.largest());
    }
    println!(
        "{at} sources: the largest state has {} KiB, all have {} KiB",
        world.largest() / 1024,
        world.bytes() / 1024
    );
    let ids: BTreeSet<&str> = found.iter().map(|f| f.detection.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["network/port-scan.network"]));
}

/// A host of ours fills every table that it can, for hours: the state stays within what is promised.
#[test]
fn no_state_is_larger_than_promised() {
    let network = network();
    let mut world = World::new(&network);
    for hour in 0..3i64 {
        for part in 0..4i64 {
            let mut text = format!("{HEADER}\n");
            for at in 0..4900i64 {
                let time = T0 + hour * 3600 + part * 900 + at / 6;
                let (host, port) = (at % 70, 1 + at / 70 + part * 100);
                // Many ports of many hosts, many hosts on many ports, many calls to many places, bytes to all of them.
                let inside = format!("10.9.{}.{}", hour, host);
                let outside = format!("203.0.{}.{}", part, host);
                for (target, port, packets, action) in [
                    (inside.clone(), port, 1, "REJECT"),
                    (outside.clone(), port, 1, "REJECT"),
                    (outside.clone(), 3333 + at % 3, 9, "ACCEPT"),
                ] {
                    let from = 33_000 + at;
                    text += &format!(
                        "5 111122223333 eni-own1 - us-east-1 10.0.1.5 {target} {from} {port} 6 {packets} {at} {time} {time} {action} 2 egress OK\n"
                    );
                }
                let stranger = format!("198.51.{}.{}", host % 60, at % 250);
                text += &format!(
                    "5 111122223333 eni-own1 - us-east-1 {stranger} 10.0.1.5 40000 {port} 6 1 44 {time} {time} REJECT 2 ingress OK\n"
                );
            }
            world.take_file(text.as_bytes());
        }
    }
    println!("the largest state has {} KiB", world.largest() / 1024);
    assert!(world.largest() <= 512 * 1024, "{}", world.largest());
}
