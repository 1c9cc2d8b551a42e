//! Correlations from their files to what fires.

use quell_model::{Diagnostic, Record, RecordId, Timestamp};
use rsigma_parser::ConditionOperator as Op;

use super::kinds::Threshold;
use super::schedule_tests::correlation;
use super::{
    Correlator, Fate, Fired, GROUP_HITS_MAX, GroupState, Hit, Kind, LATENESS_MILLIS, NAMED_MAX,
    RULE_HITS_MAX,
};
use crate::content::DetectionFile;
use crate::engine::{Engine, Scratch};
use crate::engine_tests::record;

const BASE: &str = "title: Base\nname: opened\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    eventName: Open\n  condition: s\nlevel: informational\n";
const BURST: &str = "title: Burst\nid: b1\ncorrelation:\n  type: event_count\n  rules: [opened]\n  group-by: [who]\n  timespan: 10m\n  condition:\n    gte: 3\nlevel: high\ntags: [attack.t1110]\n";

fn file(path: &str, documents: &[&str]) -> DetectionFile {
    DetectionFile {
        path: path.into(),
        text: documents.join("---\n"),
    }
}

/// A call of `name` by `who` at a second, known by its `id`.
fn call(id: &str, second: i64, name: &str, more: &str) -> (Timestamp, Record) {
    let mut record = record(&format!(r#"{{"eventName":"{name}","who":"w"{more}}}"#));
    record.id = RecordId::of_name("1", id);
    (Timestamp::from_millis(second * 1000), record)
}

fn run(engine: &Engine, calls: &[(Timestamp, Record)]) -> Vec<Fired> {
    let (mut correlator, mut scratch) = (Correlator::default(), Scratch::default());
    let mut out = Vec::new();
    for (time, record) in calls {
        for (correlation, group, hit) in engine.hits(record, *time, &mut scratch) {
            out.extend(correlator.step(correlation, &group, hit));
        }
    }
    out
}

fn loaded(files: &[DetectionFile]) -> Engine {
    let (engine, faults) = Engine::load(files);
    assert_eq!(faults, []);
    engine
}

fn faults(documents: &[&str]) -> Vec<String> {
    let (engine, faults) = Engine::load(&[file("c.correlation.yml", documents)]);
    assert!(engine.correlations().is_empty());
    faults.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn a_newer_event_that_comes_first_does_not_hide_the_older() {
    let engine = loaded(&[file("c.correlation.yml", &[BASE, BURST])]);
    let calls = [
        call("c", 300, "Open", ""),
        call("a", 0, "Open", ""),
        call("b", 200, "Open", ""),
    ];
    let fired = run(&engine, &calls);
    assert_eq!(fired.len(), 1);
    assert_eq!((fired[0].first, fired[0].last), (calls[1].0, calls[0].0));
    let ids: Vec<&RecordId> = [1, 2, 0].iter().map(|at| &calls[*at].1.id).collect();
    assert_eq!(fired[0].records.iter().collect::<Vec<_>>(), ids);
}

#[test]
fn an_event_that_comes_twice_counts_once() {
    let engine = loaded(&[file("c.correlation.yml", &[BASE, BURST])]);
    let (a, b) = (call("a", 0, "Open", ""), call("b", 1, "Open", ""));
    assert_eq!(
        run(
            &engine,
            &[a.clone(), b.clone(), a.clone(), b.clone(), a.clone()]
        ),
        []
    );
    let fired = run(&engine, &[a.clone(), b, a, call("c", 2, "Open", "")]);
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].count, 3);
}

#[test]
fn a_base_rule_may_have_a_name_and_no_id_and_stand_in_another_file() {
    let other = file(
        "o.yml",
        &[&BASE
            .replace("opened", "elsewhere")
            .replace("Open\n", "Shut\n")],
    );
    let burst = BURST.replace("[opened]", "[opened, elsewhere]");
    let engine = loaded(&[file("c.correlation.yml", &[BASE, &burst]), other]);
    let calls = [
        call("a", 0, "Open", ""),
        call("b", 1, "Shut", ""),
        call("c", 2, "Shut", ""),
    ];
    assert_eq!(run(&engine, &calls).len(), 1);
    // The base rule of the correlation's own file says nothing by itself; the other is a detection.
    let ids: Vec<&str> = engine.detections().iter().map(|d| d.id.as_str()).collect();
    assert_eq!(ids, ["o"]);
    let mut scratch = Scratch::default();
    assert!(engine.matching(&calls[0].1, &mut scratch).is_empty());
    assert_eq!(engine.matching(&calls[1].1, &mut scratch).len(), 1);
}

#[test]
fn base_rules_fire_as_well_when_the_correlation_generates() {
    let burst = format!("generate: true\n{BURST}");
    let engine = loaded(&[file("c.correlation.yml", &[BASE, &burst])]);
    let (_, record) = call("a", 0, "Open", "");
    let matching = engine.matching(&record, &mut Scratch::default());
    assert_eq!(matching[0].id, "c.correlation#opened");
}

#[test]
fn a_burst_across_the_edge_of_a_stretch_is_seen_and_a_long_one_fires_once_per_stretch() {
    let engine = loaded(&[file("c.correlation.yml", &[BASE, BURST])]);
    let edge = [
        call("a", 598, "Open", ""),
        call("b", 599, "Open", ""),
        call("c", 601, "Open", ""),
    ];
    assert_eq!(run(&engine, &edge).len(), 1);
    let apart = [
        call("a", 0, "Open", ""),
        call("b", 599, "Open", ""),
        call("c", 601, "Open", ""),
    ];
    assert_eq!(run(&engine, &apart), [], "601 s are more than ten minutes");
    let long: Vec<_> = (0..60)
        .map(|n| call(&n.to_string(), n * 30, "Open", ""))
        .collect();
    let fired = run(&engine, &long);
    let ids: std::collections::BTreeSet<_> = fired
        .iter()
        .map(|f| engine.correlations()[0].finding_id(&["w".into()], f.stretch))
        .collect();
    assert_eq!((fired.len(), ids.len()), (3, 3));
}

#[test]
fn groups_come_from_fields_aliases_and_lists() {
    let shut = BASE.replace("opened", "shut").replace("Open\n", "Shut\n");
    let rule = "title: T\ncorrelation:\n  type: temporal_ordered\n  rules: [opened, shut]\n  aliases:\n    thing:\n      opened: p.items.id\n      shut: id\n  group-by: [who, thing]\n  timespan: 1h\nlevel: low\n";
    let engine = loaded(&[file("c.correlation.yml", &[BASE, &shut, rule])]);
    let open = call("a", 0, "Open", r#","p":{"items":[{"id":"x"},{"id":"y"}]}"#);
    assert_eq!(
        run(
            &engine,
            &[open.clone(), call("b", 1, "Shut", r#","id":"y""#)]
        )
        .len(),
        1
    );
    assert_eq!(
        run(
            &engine,
            &[open.clone(), call("b", 1, "Shut", r#","id":"z""#)]
        ),
        []
    );
    assert_eq!(
        run(&engine, &[open, call("b", 1, "Shut", "")]),
        [],
        "no field, no group"
    );
    assert_eq!(
        run(
            &engine,
            &[
                call("a", 5, "Open", r#","p":{"items":[{"id":"y"}]}"#),
                call("b", 1, "Shut", r#","id":"y""#)
            ]
        ),
        [],
        "in the wrong order"
    );
}

#[test]
fn values_are_counted_once_and_numbers_may_be_texts() {
    let count = BURST
        .replace("event_count", "value_count")
        .replace("    gte: 3", "    field: eventName\n    gte: 2")
        .replace("[opened]", "[all]");
    let base = BASE
        .replace("opened", "all")
        .replace("eventName: Open", "who: w");
    let engine = loaded(&[file("c.correlation.yml", &[&base, &count])]);
    let versions = [
        call("a", 0, "Update20150331v2", ""),
        call("b", 1, "Update", ""),
    ];
    assert_eq!(
        run(&engine, &versions),
        [],
        "one call, with its version and without"
    );
    assert_eq!(
        run(
            &engine,
            &[call("a", 0, "Update", ""), call("b", 1, "Delete", "")]
        )
        .len(),
        1
    );
    let sum = BURST
        .replace("event_count", "value_sum")
        .replace("    gte: 3", "    field: bytes\n    gt: 100");
    let engine = loaded(&[file("c.correlation.yml", &[BASE, &sum])]);
    let bytes = |id, n: &str| call(id, 0, "Open", &format!(r#","bytes":{n}"#));
    assert_eq!(
        run(
            &engine,
            &[bytes("a", "60"), bytes("b", "\"40\""), bytes("c", "-5")]
        ),
        []
    );
    assert_eq!(
        run(
            &engine,
            &[
                bytes("a", "60"),
                bytes("b", "\"40.5\""),
                call("c", 0, "Open", "")
            ]
        )
        .len(),
        1
    );
}

#[test]
fn a_rule_that_more_can_make_untrue_waits_until_its_windows_are_closed() {
    let few = BURST.replace("    gte: 3", "    gte: 2\n    lt: 3");
    let engine = loaded(&[file("c.correlation.yml", &[BASE, &few])]);
    let calls = [call("a", 0, "Open", ""), call("b", 1, "Open", "")];
    assert_eq!(run(&engine, &calls), []);
    let later = call("z", 2 + LATENESS_MILLIS / 1000, "Open", "");
    assert_eq!(
        run(
            &engine,
            &[calls[0].clone(), calls[1].clone(), later.clone()]
        )
        .len(),
        1
    );
    // One that is too late changes nothing that was said.
    let correlation = &engine.correlations()[0];
    let (_, _, hit) = engine
        .hits(&later.1, later.0, &mut Scratch::default())
        .remove(0);
    let state = correlation.step(GroupState::default(), hit.clone()).state;
    let late = Hit {
        time: Timestamp::from_millis(0),
        record: RecordId::of_name("1", "l"),
        ..hit.clone()
    };
    let step = correlation.step(state.clone(), late);
    assert_eq!((step.fate, &step.state), (Fate::TooLate, &state));
    assert_eq!(correlation.step(state, hit).fate, Fate::Duplicate);
}

#[test]
fn faults_have_a_place_and_a_mend() {
    let broken = |from: &str, to: &str| faults(&[BASE, &BURST.replace(from, to)]).join("; ");
    assert_eq!(
        broken("[opened]", "[opend]"),
        "c.correlation.yml:14 at /correlation: there is no rule «opend» (did you mean «opened»?)"
    );
    assert_eq!(
        broken("[opened]", "[b1]"),
        "c.correlation.yml:14 at /correlation: the correlation refers to itself"
    );
    assert_eq!(
        broken("  timespan: 10m\n", ""),
        "c.correlation.yml:12 at /correlation: Invalid correlation rule: Missing timespan"
    );
    assert!(broken("10m", "0m").contains("the timespan is nothing"));
    assert!(broken("10m", "90d").contains("at most 31 days"));
    assert!(broken("gte: 3", "gte: 5000").contains("a group keeps 1024 hits"));
    assert!(broken("gte: 3", "gte: -3").contains("not below zero"));
    assert!(broken("gte: 3", "gte: 3\n    feild: x").contains("«feild» (did you mean «field»?)"));
    assert!(broken("group-by", "groupby").contains("did you mean «group-by»?"));
    assert!(broken("event_count", "value_count").contains("value_count needs a field"));
    assert!(broken("level: high\n", "").contains("no level"));
    assert!(faults(&[BASE]).join("").contains("exactly one correlation"));
    assert!(
        faults(&[BASE, BURST, BURST])
            .join("")
            .contains("exactly one correlation")
    );
    let many = vec!["a: b\n"; 100].join("---\n");
    assert!(faults(&[&many]).join("").contains("at most 65 documents"));
    let deep = format!("condition: {}opened", "not ".repeat(500));
    assert!(broken("condition:\n    gte: 3", &deep).contains("at most 64 parentheses"));
    // Two correlations of each other: neither is a rule.
    let (one, two) = (
        BURST.replace("opened", "b2"),
        BURST.replace("b1", "b2").replace("opened", "b1"),
    );
    let files = [
        file("1.correlation.yml", &[&one]),
        file("2.correlation.yml", &[&two]),
    ];
    let (engine, found) = Engine::load(&files);
    assert!(engine.correlations().is_empty());
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|f| f.message.ends_with("is a correlation") && f.line == Some(5)),
        "{found:#?}"
    );
    // A name that two rules have.
    let twice = [
        file("a.yml", &[BASE]),
        file("b.yml", &[BASE]),
        file("c.correlation.yml", &[BURST]),
    ];
    assert!(Engine::load(&twice).1[0].message.contains("several rules"));
}

#[test]
fn conditions_in_words_say_which_rules() {
    let shut = BASE.replace("opened", "shut").replace("Open\n", "Shut\n");
    let rule = |words: &str| {
        let text = format!(
            "title: T\ncorrelation:\n  type: temporal\n  rules: [opened, shut]\n  group-by: [who]\n  timespan: 1h\n  condition: {words}\nlevel: low\n"
        );
        file("c.correlation.yml", &[BASE, &shut, &text])
    };
    let (open, close) = (call("a", 0, "Open", ""), call("b", 1, "Shut", ""));
    assert_eq!(
        run(
            &loaded(&[rule("opened or shut")]),
            std::slice::from_ref(&close)
        )
        .len(),
        1
    );
    assert_eq!(
        run(
            &loaded(&[rule("opened and shut")]),
            std::slice::from_ref(&close)
        ),
        []
    );
    let not = loaded(&[rule("opened and not shut")]);
    let later = call("z", 10_000, "Open", "");
    assert_eq!(run(&not, &[open.clone(), later.clone()]).len(), 1);
    assert_eq!(
        run(&not, &[open, close.clone(), later]).len(),
        1,
        "the first moment was without"
    );
    let (_, found) = Engine::load(&[rule("opened and shutt")]);
    assert!(found[0].message.contains("«shutt»"));
}

fn hit(n: usize, millis: i64) -> Hit {
    Hit {
        time: Timestamp::from_millis(millis),
        record: RecordId::of_name("1", &n.to_string()),
        rules: 1,
        values: Vec::new(),
        numbers: Vec::new(),
    }
}

#[test]
fn a_rule_keeps_so_many_hits_and_forgets_the_quietest_groups() {
    let rule = correlation(Kind::EventCount(Threshold(vec![(Op::Gte, 3.0)])), 600_000);
    let mut correlator = Correlator::default();
    let mut fired = 0;
    for n in 0..60_000_usize {
        let millis = i64::try_from(n).unwrap();
        // Nine of ten are alone in their group; one group goes on.
        let group = vec![if n % 10 == 0 {
            "busy".to_owned()
        } else {
            n.to_string()
        }];
        fired += correlator.step(&rule, &group, hit(n, millis)).len();
        assert!(correlator.len_of(&rule) <= RULE_HITS_MAX);
    }
    assert_eq!(fired, 1, "the busy group was never forgotten");
    assert!(correlator.len_of(&rule) > RULE_HITS_MAX / 2);
    correlator.advance(&rule, Timestamp::from_millis(10 * LATENESS_MILLIS));
    assert_eq!(correlator.len_of(&rule), 0);
}

#[test]
fn a_group_keeps_so_many_hits_and_what_it_forgot_makes_nothing_true() {
    let few = correlation(
        Kind::EventCount(Threshold(vec![(Op::Lte, 1023.0)])),
        600_000,
    );
    let many = correlation(
        Kind::EventCount(Threshold(vec![(Op::Gte, 1024.0)])),
        600_000,
    );
    let (mut a, mut b) = (GroupState::default(), GroupState::default());
    let mut fired = Vec::new();
    for n in 0..3 * GROUP_HITS_MAX {
        let hit = hit(n, i64::try_from(n).unwrap());
        a = few.step(a, hit.clone()).state;
        let step = many.step(b, hit);
        b = step.state;
        fired.extend(step.fired);
        assert!(a.len() <= GROUP_HITS_MAX && b.len() <= GROUP_HITS_MAX);
    }
    assert_eq!(fired.len(), 1);
    assert_eq!(
        (fired[0].count, fired[0].records.len()),
        (GROUP_HITS_MAX, NAMED_MAX)
    );
    // The windows of the last hits had more than the group knows.
    assert_eq!(
        few.advance(a, Timestamp::from_millis(LATENESS_MILLIS))
            .fired,
        []
    );
}
