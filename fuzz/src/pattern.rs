//! What is run over the texts of event patterns, and over events. The plain form of a pattern and the compiled one say
//! the same, or panic.

use std::sync::OnceLock;

use quell_pattern::{Event, Pattern, Scratch, Set, Snapshot, lint};

/// One of each kind, on fields that lie in one another and in arrays.
const PATTERNS: [&str; 12] = [
    r#"{"a": ["x", 1, null, true, "10.0.0.1"]}"#,
    r#"{"a": {"b": [{"prefix": "x"}, {"suffix": "é"}]}}"#,
    r#"{"a.b": [{"wildcard": "x*y*"}], "c": [{"exists": false}]}"#,
    r#"{"a": {"b": [{"wildcard": "*abcd*"}, {"equals-ignore-case": "xY"}]}}"#,
    r#"{"a": [{"prefix": {"equals-ignore-case": "X"}}], "c": [{"exists": true}]}"#,
    r#"{"a": {"b": ["x"], "c": [{"anything-but": ["x", "y"]}]}}"#,
    r#"{"a": {"b": [{"numeric": [">", 0, "<=", 5.5]}], "c": [{"numeric": ["=", 300]}]}}"#,
    r#"{"a": [{"cidr": "10.0.0.0/8"}, {"cidr": "::/0"}]}"#,
    r#"{"$or": [{"a": ["x"]}, {"a": {"b": ["y"]}, "c": ["x"]}]}"#,
    r#"{"a": {"b": [{"exists": true}], "c": [1, {"exists": false}]}}"#,
    r#"{"c": [{"anything-but": {"wildcard": "*x"}}, {"suffix": {"equals-ignore-case": "Y"}}]}"#,
    r#"{"": [1.00000000000000000001]}"#,
];

const EVENTS: [&str; 3] = [
    r#"{"a": "x", "a.b": "xay", "c": ["x", 1, {"b": 2}], "": 1}"#,
    r#"{"a": [{"b": "x", "c": "z"}, {"b": ["y", 3e2]}, [{"c": null}]], "c": "10.0.0.1"}"#,
    r#"{"a": {"b": "\u0058abcd", "c": 300.0}, "a": {"b": [1, true]}}"#,
];

/// The text of a pattern.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(pattern) = Pattern::parse(text) else {
        return;
    };
    let _ = lint(&pattern);
    let mut set = Set::new();
    set.add((), pattern.clone());
    let (snapshot, mut scratch) = (set.snapshot(), Scratch::new());
    for event in EVENTS {
        let parsed = Event::parse(event.as_bytes()).unwrap();
        let found = snapshot.matching(event.as_bytes(), &mut scratch).unwrap();
        assert_eq!(found.len() == 1, pattern.matches(&parsed));
        assert_eq!(pattern.explain(&parsed).matches(), pattern.matches(&parsed));
    }
}

/// An event.
pub fn event(bytes: &[u8]) {
    let (patterns, snapshot) = compiled();
    let mut scratch = Scratch::new();
    let known = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| snapshot.matching_known(text, &mut scratch).err());
    let found = snapshot.matching(bytes, &mut scratch);
    let event = match Event::parse(bytes) {
        Ok(event) => event,
        Err(error) => {
            assert!(known.is_none_or(|known| known == error));
            assert_eq!(found.unwrap_err(), error);
            return;
        }
    };
    assert_eq!(known, None);
    let plain = |at: &&usize| patterns[**at].matches(&event);
    let all: Vec<usize> = (0..patterns.len()).collect();
    let expected: Vec<&usize> = all.iter().filter(plain).collect();
    assert_eq!(found.unwrap(), expected);
}

fn compiled() -> &'static (Vec<Pattern>, Snapshot<usize>) {
    static COMPILED: OnceLock<(Vec<Pattern>, Snapshot<usize>)> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let patterns: Vec<Pattern> = PATTERNS.map(|text| Pattern::parse(text).unwrap()).into();
        let mut set = Set::new();
        for (at, pattern) in patterns.iter().enumerate() {
            set.add(at, pattern.clone());
        }
        (patterns, set.snapshot())
    })
}
