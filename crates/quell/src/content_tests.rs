use super::*;
use quell_detect::Scratch;
use quell_detect::correlation::{Correlation, Correlator};
use quell_model::{Origin, Record, Timestamp};

#[test]
fn the_built_in_content_is_right() {
    let content = Content::load(None).unwrap();
    assert_eq!(content.faults, []);
    assert!(!content.baselines.all().is_empty());
    assert!(!content.network.detections().is_empty());
    assert!(content.playbooks.contains_key("PB-008"));
    assert!(content.policies.entries().count() >= 4);
}

#[test]
fn content_without_policies_says_that_it_permits_nothing() {
    let playbook = |path: &str| (format!("playbooks/PB-008/{path}"), String::new());
    let mut files = Files::from([playbook("playbook.toml")]);
    let mut faults = Vec::new();
    policies(&files, &BTreeSet::new(), &mut faults);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].to_string().contains("no change is permitted"));
    // One that names a playbook with faults in it, and a call that nobody declares, is right.
    let text = "@id(\"a\") @reason(\"b\") forbid (principal == Playbook::\"PB-008\", action in [Action::\"ec2:StopInstances\", Action::\"sns:Publish\"], resource);";
    files.insert("policies/a.cedar".into(), text.into());
    faults.clear();
    policies(&files, &BTreeSet::new(), &mut faults);
    assert_eq!(faults, []);
    files.insert(
        "policies/b.cedar".into(),
        text.replace("StopInstances", "StopInstance"),
    );
    policies(&files, &BTreeSet::new(), &mut faults);
    assert!(
        faults[0].to_string().starts_with("policies/b.cedar:1"),
        "{faults:?}"
    );
}

/// The list is that of AWS's documentation, put together apart from the table.
#[test]
fn every_type_of_guardduty_has_its_row() {
    let content = Content::load(None).unwrap();
    let listed: Vec<&str> = include_str!("../tests/guardduty_types.txt")
        .lines()
        .collect();
    let known: Vec<&str> = content
        .guardduty
        .iter()
        .map(|row| row.kind.as_str())
        .collect();
    assert_eq!(known, listed);
    assert!(
        known
            .iter()
            .filter(|kind| kind.starts_with("AttackSequence:"))
            .count()
            >= 5
    );
}

#[test]
fn a_fault_in_the_table_of_types_is_named_and_leaves_no_type_known() {
    let good = |kind: &str| {
        format!(
            "{{ type = \"{kind}\", tactic = \"impact\", attack = [], playbooks = [], outsider = \"no\" }}"
        )
    };
    for (text, says, line) in [
        (
            format!("types = [\n{},\n{}]", good("A:B/C"), good("A:B/C")),
            "twice",
            None,
        ),
        (
            format!("types = [\n{},\n{}]", good("A:B/C"), good("oops")),
            "oops",
            None,
        ),
        (
            format!(
                "types = [\n{}]",
                good("A:B/C").replace("\"no\"", "\"perhaps\"")
            ),
            "perhaps",
            Some(2),
        ),
        (
            format!("types = [\n{}]\ncolour = 1", good("A:B/C")),
            "colour",
            Some(3),
        ),
        ("types = ".to_owned(), "", Some(1)),
    ] {
        let files = Files::from([(GUARDDUTY_TYPES.to_owned(), text.clone())]);
        let mut faults = Vec::new();
        let types = guardduty_types(&files, &mut faults);
        assert_eq!(types.iter().count(), 0, "{text}");
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].message.contains(says), "{faults:?}");
        assert_eq!(faults[0].line, line, "{faults:?}");
    }
    assert_eq!(
        guardduty_types(&Files::new(), &mut Vec::new()),
        GuardDutyTypes::default()
    );
}

fn samples(files: &Files, id: &str, kind: &str) -> Vec<Record> {
    let stem = id.strip_suffix(".pattern").unwrap_or(id);
    let path = format!("detections/{stem}.{kind}.json");
    let text = files
        .get(&path)
        .unwrap_or_else(|| panic!("{path} is missing"));
    let split = quell_normalize::split(text.as_bytes());
    assert_eq!(split.faults, Vec::<String>::new(), "{path}");
    assert!(!split.records.is_empty(), "{path}");
    let origin = Origin::File { path };
    let record = |r: quell_normalize::RawRecord| Record {
        id: r.id,
        origin: origin.clone(),
        received_at: Timestamp::default(),
        envelope: r.envelope,
        body: r.body,
    };
    split.records.into_iter().map(record).collect()
}

/// Whoever reads an incident knows which playbook is meant, also when it is not built yet; and none waits in vain.
#[test]
fn every_detection_names_a_playbook_and_every_playbook_is_named() {
    let content = Content::load(None).unwrap();
    let single = content.engine.detections().iter();
    let nameless: Vec<&str> = single
        .filter(|d| d.playbook.is_none() && !d.id.contains('#'))
        .map(|d| d.id.as_str())
        .chain(
            content
                .engine
                .correlations()
                .iter()
                .filter(|c| c.playbook.is_none())
                .map(|c| c.id.as_str()),
        )
        .collect();
    assert_eq!(nameless, [""; 0]);
    for id in content.playbooks.keys() {
        assert!(!content.detections_of(id).is_empty(), "nothing starts {id}");
    }
    assert_eq!(
        content
            .detections_of("PB-008")
            .iter()
            .filter(|d| d.contains("security-group"))
            .count(),
        2
    );
}

#[test]
fn a_playbook_s_name_is_one() {
    let rule = |playbook: &str| quell_detect::DetectionFile {
        path: "x.yml".into(),
        text: format!(
            "title: T\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n  s: {{eventName: A}}\n  condition: s\nlevel: low\nplaybook: {playbook}\n"
        ),
    };
    assert_eq!(
        rule("PB-003").load().unwrap().playbook.as_deref(),
        Some("PB-003")
    );
    for bad in ["PB-3", "pb-003", "[PB-003]", "3", "PB-003a"] {
        let faults = rule(bad).load().unwrap_err();
        assert!(
            faults[0].to_string().contains("no playbook's id"),
            "{bad}: {faults:?}"
        );
    }
}

/// Every detection has records that it must match and records that it must not, beside it.
#[test]
fn every_detection_hits_and_misses_as_its_samples_say() {
    let content = Content::load(None).unwrap();
    let files = built_in();
    let mut scratch = Scratch::default();
    for detection in content.engine.detections() {
        for (kind, wanted) in [("hit", true), ("miss", false)] {
            for record in samples(&files, &detection.id, kind) {
                let matching = content.engine.matching(&record, &mut scratch);
                let matched = matching.iter().any(|d| d.id == detection.id);
                assert_eq!(matched, wanted, "{} on {}", detection.id, record.body);
            }
        }
    }
}

/// The records of a correlation's hit fire it together, in any order, and not when one of them is missing; those of
/// its miss do not.
#[test]
fn every_correlation_fires_on_its_hit_and_not_on_its_miss() {
    let content = Content::load(None).unwrap();
    let files = built_in();
    let mut scratch = Scratch::default();
    let mut fires = |correlation: &Correlation, records: &mut dyn Iterator<Item = &Record>| {
        let mut correlator = Correlator::default();
        let mut fired = 0;
        for record in records {
            let time = quell_normalize::event(record).unwrap().time;
            for (of, group, hit) in content.engine.hits(record, time, &mut scratch) {
                if of.id == correlation.id {
                    fired += correlator.step(of, &group, hit).len();
                }
            }
        }
        fired
            + correlator
                .advance(correlation, Timestamp::from_millis(i64::MAX))
                .len()
    };
    assert!(!content.engine.correlations().is_empty());
    for correlation in content.engine.correlations() {
        let id = &correlation.id;
        let hit = samples(&files, id, "hit");
        assert_eq!(fires(correlation, &mut hit.iter()), 1, "{id}: hit");
        assert_eq!(
            fires(correlation, &mut hit.iter().rev()),
            1,
            "{id}: newest first"
        );
        for without in 0..hit.len().min(20) {
            let others = hit.iter().enumerate().filter(|(at, _)| *at != without);
            let fired = fires(correlation, &mut others.map(|(_, r)| r));
            assert_eq!(fired, 0, "{id}: without record {without} of its hit");
        }
        let miss = samples(&files, id, "miss");
        assert_eq!(fires(correlation, &mut miss.iter()), 0, "{id}: miss");
    }
}
