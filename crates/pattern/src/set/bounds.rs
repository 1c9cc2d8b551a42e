//! What matching costs, counted in steps: whatever is written in an event, it stays in proportion to its length and to
//! what it hits.

use super::{Scratch, Set, Snapshot};
use crate::limits::EVENT_DEPTH_MAX;
use crate::pattern::Pattern;

fn compiled(patterns: &[String]) -> Snapshot<usize> {
    let mut set = Set::new();
    for (name, pattern) in patterns.iter().enumerate() {
        set.add(name, Pattern::parse(pattern).unwrap());
    }
    set.snapshot()
}

/// How many names match, and the steps taken.
fn cost(snapshot: &Snapshot<usize>, event: &[u8]) -> (usize, usize) {
    let mut scratch = Scratch::new();
    let hits = snapshot
        .matching(event, &mut scratch)
        .map_or(0, |names| names.len());
    (hits, scratch.steps())
}

fn repeated(part: &str, times: usize) -> String {
    vec![part; times].join(",")
}

/// Patterns of every kind on the fields `a`, `a.b` and `c`.
fn all_kinds(count: usize) -> Vec<String> {
    let kind = |n: usize| match n % 9 {
        0 => format!(r#""v{n}""#),
        1 => format!(r#"{{"prefix": "v{n}"}}"#),
        2 => format!(r#"{{"suffix": "{n}v"}}"#),
        3 => format!(r#"{{"wildcard": "*v{n}*w"}}"#),
        4 => format!(r#"{{"numeric": [">", {n}, "<", {}]}}"#, n + 1),
        5 => format!(r#"{{"cidr": "10.{}.0.0/16"}}"#, n % 256),
        6 => format!(r#"{{"equals-ignore-case": "V{n}"}}"#),
        7 => format!("{n}"),
        _ => format!(r#""w{n}", {{"prefix": {{"equals-ignore-case": "W{n}"}}}}"#),
    };
    let field = |n: usize| ["a", "a.b", "c"][n / 9 % 3];
    (0..count)
        .map(|n| format!(r#"{{"{}": [{}]}}"#, field(n), kind(n)))
        .collect()
}

#[test]
fn what_nothing_hits_costs_its_length() {
    let patterns = compiled(&all_kinds(1_000));
    let deep = EVENT_DEPTH_MAX - 1;
    let events = [
        format!(r#"{{"a":{}1{}}}"#, "[".repeat(deep), "]".repeat(deep)),
        format!(
            r#"{{"a":{}1{}}}"#,
            r#"{"b":"#.repeat(deep),
            "}".repeat(deep)
        ),
        format!(
            r#"{{"x":{}1{}}}"#,
            r#"{"b":"#.repeat(deep),
            "}".repeat(deep)
        ),
        format!(r#"{{"a":{}{}}}"#, "1".repeat(100_000), ".5e7"),
        format!(
            r#"{{"a":1{},"c":0.{}1e-9}}"#,
            "e99999999999999999999",
            "0".repeat(50_000)
        ),
        format!("{{{}}}", repeated(r#""a":"zz""#, 10_000)),
        format!("{{{}}}", repeated(r#""a":{"b":"zz","b":[true]}"#, 5_000)),
        format!(r#"{{"a":[{}]}}"#, repeated(r#"{"b":"zz"}"#, 10_000)),
        format!(r#"{{"a":[{}]}}"#, repeated(r#"[["zz"]]"#, 10_000)),
        format!(r#"{{"a":"{}"}}"#, "v".repeat(100_000)),
        format!(r#"{{"c":"{}"}}"#, r"\u0076".repeat(20_000)),
        format!(r#"{{"{}":1}}"#, "a.".repeat(50_000)),
        format!(r#"{{"c":"{}"}}"#, "1.".repeat(50_000)),
        format!(r#"{{"x":[{}]}}"#, repeated("-0.5", 20_000)),
    ];
    for event in events {
        let (hits, steps) = cost(&patterns, event.as_bytes());
        let start = event.get(..40).unwrap_or(&event);
        assert_eq!(hits, 0, "{start}");
        assert!(
            steps <= event.len(),
            "{steps} steps for {} bytes of {start}",
            event.len()
        );
    }
}

/// Of an event that is known to be in order nothing is read after the last field, and nothing of what nobody asks for.
#[test]
fn what_is_known_costs_what_is_needed() {
    let snapshot = compiled(&[r#"{"a": {"b": ["x"]}, "c": ["y"]}"#.to_owned()]);
    let skipped = format!(r#""x": [{}]"#, repeated(r#"{"a": "]"}"#, 10_000));
    let rest = repeated(r#""d": {"b": 1}"#, 10_000);
    for event in [
        format!(r#"{{{skipped}, "a": {{{skipped}, "b": "x", {rest}}}, "c": "y", {rest}}}"#),
        format!(r#"{{"c": "y", {skipped}, "a": {{"b": "x", {rest}}}, {rest}}}"#),
    ] {
        let mut scratch = Scratch::new();
        let names = snapshot.matching_known(&event, &mut scratch).unwrap();
        assert_eq!(names, [&0]);
        assert!(scratch.steps() < 20, "{} steps", scratch.steps());
        assert!(cost(&snapshot, event.as_bytes()).1 > 20_000);
    }
}

#[test]
fn what_is_no_event_costs_at_most_its_length() {
    let patterns = compiled(&all_kinds(100));
    let broken = format!("{{{}", repeated(r#""a":"v0""#, 10_000));
    let not_text = [broken.as_bytes(), b",\"a\":\"\xff\"}"].concat();
    let too_deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    for event in [broken.as_bytes(), &not_text, too_deep.as_bytes()] {
        let (hits, steps) = cost(&patterns, event);
        assert!(hits == 0 && steps <= event.len(), "{steps} steps");
    }
}

#[test]
fn a_value_that_comes_again_hits_once() {
    let patterns: Vec<String> = (0..1_000)
        .map(|n| {
            format!(
                r#"{{"a": ["v", {n}, {{"numeric": [">", 7, "<", {}]}}]}}"#,
                n + 8
            )
        })
        .collect();
    for value in [r#""v""#, "7.5"] {
        let event = format!(r#"{{"a":[{}]}}"#, repeated(value, 20_000));
        let (hits, steps) = cost(&compiled(&patterns), event.as_bytes());
        assert_eq!(hits, 1_000);
        assert!(
            steps <= 12 * (event.len() + hits),
            "{steps} steps for {} bytes",
            event.len()
        );
    }
}

/// A wildcard reads a value once for each pattern whose piece the value has, however often it has it.
#[test]
fn wildcards_read_a_value_once() {
    let patterns: Vec<String> = (0..100)
        .map(|n| format!(r#"{{"a": [{{"wildcard": "*abab*{n}*abab*c*"}}]}}"#))
        .collect();
    let event = format!(r#"{{"a":"{}"}}"#, "ab".repeat(50_000));
    let (hits, steps) = cost(&compiled(&patterns), event.as_bytes());
    assert_eq!(hits, 0);
    assert!(
        steps <= (patterns.len() + 2) * event.len(),
        "{steps} steps for {} bytes",
        event.len()
    );
}

#[test]
fn affixes_of_one_another_cost_what_is_hit() {
    let patterns: Vec<String> = (1..1_000)
        .map(|n| format!(r#"{{"a": [{{"prefix": "{}"}}]}}"#, "a".repeat(n)))
        .collect();
    let event = format!(r#"{{"a":[{}]}}"#, repeated(r#""ab""#, 10_000));
    let (hits, steps) = cost(&compiled(&patterns), event.as_bytes());
    assert_eq!(hits, 1);
    assert!(
        steps <= 2 * event.len(),
        "{steps} steps for {} bytes",
        event.len()
    );
}

/// Each branch is reached by what few others have, also when all differ in what many have.
#[test]
fn lists_that_share_a_value_do_not_reach_one_another() {
    let patterns: Vec<String> = (0..2_000)
        .map(|n| format!(r#"{{"source": ["aws.ec2", "s{n}"], "name": ["a{n}", "b{n}", "c{n}"]}}"#))
        .collect();
    let event = br#"{"source": "aws.ec2", "name": "b7"}"#;
    let (hits, steps) = cost(&compiled(&patterns), event);
    assert_eq!(hits, 1);
    assert!(
        steps <= patterns.len() + 100,
        "{steps} steps: the shared value, and one branch"
    );
}

/// Branches are not tried that no value leads to, and exclusions are tried once for an event.
#[test]
fn patterns_cost_nothing_until_they_are_reached() {
    let patterns: Vec<String> = (0..10_000)
        .map(|n| {
            format!(
                r#"{{"source": ["aws.ec2"], "name": ["n{n}"], "c": [{{"anything-but": "x"}}]}}"#
            )
        })
        .collect();
    let event = format!(
        r#"{{"source": "aws.ec2", "name": "n5", "c": [{}]}}"#,
        repeated(r#""x""#, 1_000)
    );
    let (hits, steps) = cost(&compiled(&patterns), event.as_bytes());
    assert_eq!(hits, 0);
    assert!(
        steps <= event.len(),
        "{steps} steps for {} bytes",
        event.len()
    );
}
