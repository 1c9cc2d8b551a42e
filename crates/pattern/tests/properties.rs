//! Laws every event and pattern obeys.

use proptest::prelude::*;
use quell_pattern::{Context, Event, Pattern, Transformer, lint};
use serde_json::{Map, Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        "[a-z.*\\\\\"é]{0,6}".prop_map(Value::from),
        "10\\.0\\.0\\.[0-9]{1,3}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c.$]{1,2}", inner, 0..4)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

fn event() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-c.]{1,2}", tree(), 1..4)
        .prop_map(|all| all.into_iter().collect())
}

/// The leaves of a value, with their dotted names.
fn leaves(name: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(key, value)| leaves(&format!("{name}.{key}"), value, found)),
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| leaves(name, element, found)),
        leaf => found.push((name.to_owned(), leaf.clone())),
    }
}

#[expect(
    clippy::unwrap_used,
    reason = "the laws speak of valid events and patterns only"
)]
fn matches(pattern: &Value, event: &Map<String, Value>) -> bool {
    let event = Event::parse(Value::Object(event.clone()).to_string().as_bytes()).unwrap();
    Pattern::parse(&pattern.to_string())
        .unwrap()
        .matches(&event)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_pattern_made_of_any_leaf_matches(event in event()) {
        let mut found = Vec::new();
        event.iter().for_each(|(key, value)| leaves(key, value, &mut found));
        for (name, value) in found {
            let list = |member: Value| json!({ &name: [member] });
            prop_assert!(matches(&list(value.clone()), &event), "{} {}", name, value);
            prop_assert!(matches(&list(json!({"exists": true})), &event), "{}", name);
            prop_assert!(!matches(&list(json!({"exists": false})), &event), "{}", name);
        }
    }

    #[test]
    fn anything_but_is_the_negation_for_a_present_scalar(
        excluded in prop_oneof!["[ab]{0,2}".prop_map(Value::from), (0..3).prop_map(Value::from)],
        value in prop_oneof!["[ab]{0,2}".prop_map(Value::from), (0..3).prop_map(Value::from), Just(Value::Null)],
    ) {
        let event = json!({"a": value}).as_object().unwrap().clone();
        let equal = matches(&json!({"a": [excluded]}), &event);
        prop_assert_ne!(matches(&json!({"a": [{"anything-but": [excluded]}]}), &event), equal);
        let elsewhere = json!({"b": [{"anything-but": [excluded]}]});
        prop_assert!(!matches(&elsewhere, &event), "it wants the field present");
    }

    #[test]
    fn affixes_and_wildcards_agree(text in "[abé]{0,6}", affix in "[abé]{0,3}") {
        let event = json!({"a": text}).as_object().unwrap().clone();
        let prefix = matches(&json!({"a": [{"prefix": affix}]}), &event);
        prop_assert_eq!(prefix, matches(&json!({"a": [{"wildcard": format!("{affix}*")}]}), &event));
        prop_assert_eq!(prefix, matches(&json!({"a": [{"prefix": {"equals-ignore-case": affix.to_uppercase()}}]}), &event));
        let suffix = matches(&json!({"a": [{"suffix": affix}]}), &event);
        prop_assert_eq!(suffix, matches(&json!({"a": [{"wildcard": format!("*{affix}")}]}), &event));
        if !affix.is_empty() {
            prop_assert_ne!(suffix, matches(&json!({"a": [{"anything-but": {"suffix": affix}}]}), &event));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}\",:a$or0-9.e\\\\*/ -]{0,60}") {
        let _ = Event::parse(text.as_bytes());
        let _ = Pattern::parse(&text);
        let _ = Pattern::parse(&format!("{{\"a\":[{text}]}}"));
    }
}

fn member() -> impl Strategy<Value = Value> {
    prop_oneof![
        scalar(),
        Just(json!({"exists": true})),
        Just(json!({"exists": false})),
        "[ab]{0,2}".prop_map(|text| json!({ "prefix": text })),
        "[ab]{1,2}".prop_map(|text| json!({ "anything-but": text })),
        Just(json!({"numeric": [">", 0]})),
    ]
}

fn pattern() -> impl Strategy<Value = Value> {
    let list = || prop::collection::vec(member(), 1..3).prop_map(Value::from);
    let object = || {
        prop::collection::btree_map("[a-c](\\.[a-c])?", list(), 1..4)
            .prop_map(|all| Value::Object(all.into_iter().collect()))
    };
    prop_oneof![
        object(),
        (object(), prop::collection::vec(object(), 2..4)).prop_map(|(all, or)| {
            let mut members = all.as_object().cloned().unwrap_or_default();
            members.insert("$or".to_owned(), or.into());
            Value::Object(members)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn an_explanation_gives_the_verdict_of_the_matcher(pattern in pattern(), event in event()) {
        let event = Event::parse(Value::Object(event).to_string().as_bytes()).unwrap();
        let pattern = Pattern::parse(&pattern.to_string()).unwrap();
        let explanation = pattern.explain(&event);
        prop_assert_eq!(explanation.matches(), pattern.matches(&event));
        let nearest = explanation.nearest().unwrap();
        prop_assert_eq!(nearest.matches(), explanation.matches());
        for field in nearest.fields() {
            let accepted = field.seen().iter().any(|seen| seen.accepted());
            prop_assert!(!field.matches() || accepted || field.wanted().contains("no value at all"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_the_linter_offers_is_a_pattern(pattern in pattern(), severity in member()) {
        let _ = lint(&Pattern::parse(&pattern.to_string()).unwrap());
        let mixed = json!({
            "source": ["aws.config", "aws.guardduty"],
            "detail": {"severity": [severity], "newEvaluationResult": [1]},
            "account": [{"anything-but": "\"\\"}],
        });
        for warning in lint(&Pattern::parse(&mixed.to_string()).unwrap()) {
            for suggestion in warning.suggestions() {
                prop_assert!(Pattern::parse(suggestion).is_ok(), "{}", suggestion);
            }
        }
    }

    #[test]
    fn an_escaping_transformer_makes_json_of_any_event(event in event(), template in 0..3usize) {
        let templates = [
            r#"{"t": "a <a> b <b>", "v": [<a>, <b>, <aws.events.event.json>]}"#,
            r#""<aws.events.event.json> <a>""#,
            "<b>",
        ];
        let variables = [("a", "$.a"), ("b", "$.b[*].a")];
        let context = Context { rule_arn: "arn", rule_name: "name", ingestion_time: "now" };
        let transformer = Transformer::template(variables, templates[template]).unwrap().escaping();
        let out = transformer.apply(&Value::Object(event.clone()).to_string(), &context).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&out).is_ok(), "{}", out);
        let text = Value::Object(event).to_string();
        let whole = Transformer::parse("{}").unwrap().apply(&text, &context).unwrap();
        prop_assert_eq!(whole, text);
    }

    #[test]
    fn no_template_makes_it_panic(text in "[\\[\\]{}\"<>a:,\\\\$.* ]{0,40}") {
        let _ = Transformer::template([("a", "$.a")], &text);
        let _ = Transformer::path(&text);
        let _ = Transformer::parse(&text);
    }
}
