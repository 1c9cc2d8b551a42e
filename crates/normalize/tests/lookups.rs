//! The table of GuardDuty's types. What only a lookup of a name shows, somebody outside can cause by a page or a mail that
//! makes a host look the name up. It never begins a change by itself (PB-007 isolates nothing for it).

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::Path;

use quell_normalize::finding::GuardDutyType;

#[derive(serde::Deserialize)]
struct Table {
    types: Vec<GuardDutyType>,
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/guardduty/types.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Runtime Monitoring has one set of types for instances and containers: what a finding is about says which of its playbooks
/// answers. That of containers is for no instance.
#[test]
fn each_type_of_runtime_monitoring_has_an_answer_for_containers() {
    let table = table();
    let names = |row: &GuardDutyType, id: &str| row.playbooks.contains(&id.to_owned());
    let of = |part: &'static str| {
        table
            .types
            .iter()
            .filter(move |row| row.kind.contains(part))
    };
    assert!(of(":Runtime/").count() > 30);
    for row in [":Runtime/", ":Kubernetes/", ":Lambda/", ":Container/"]
        .into_iter()
        .flat_map(of)
    {
        assert!(names(row, "PB-015"), "{}", row.kind);
    }
    for row in of(":EC2/") {
        assert!(!names(row, "PB-015"), "{}", row.kind);
    }
}

#[test]
fn what_only_a_lookup_shows_counts_as_caused_from_outside() {
    let table = table();
    let by_name = |kind: &str| {
        kind.contains(":EC2/") && (kind.ends_with("!DNS") || kind.contains("DomainRequest"))
    };
    let shown: Vec<_> = table
        .types
        .iter()
        .filter(|row| by_name(&row.kind))
        .collect();
    assert!(shown.len() >= 12, "{}", shown.len());
    for row in shown {
        // Whoever acts: the host that looked it up did so at somebody else's bidding.
        for is_actor in [true, false] {
            assert!(row.outsider.reason(is_actor).is_some(), "{}", row.kind);
        }
    }
    let seen = |kind: &str| table.types.iter().find(|row| row.kind == kind).unwrap();
    for kind in [
        "Backdoor:EC2/C&CActivity.B",
        "Trojan:EC2/DNSDataExfiltration",
    ] {
        let row = seen(kind);
        assert!(
            row.outsider.reason(true).is_none() && row.playbooks.contains(&"PB-007".to_owned())
        );
    }
}
