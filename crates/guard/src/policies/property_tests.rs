//! The comparison against a plain evaluator, over alphabets so small that every request can be tried.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Document, Grant, adds_nothing, lifts_no_denial, narrows};

/// Whether `*` and `?` inside a segment go over a colon. AWS does not say; a proof has to hold for both.
#[derive(Clone, Copy)]
enum Reading {
    Wide,
    Narrow,
}

/// `pattern` matches `text`, written the slow way.
fn matches(pattern: &[char], text: &[char], reading: Reading) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some(('*', rest)), _) => {
            let of_run = rest.iter().find(|c| **c != '*');
            let is_last = of_run.is_none_or(|c| *c == ':');
            let goes_on = matches!(reading, Reading::Wide) || is_last;
            matches(rest, text, reading)
                || text.split_first().is_some_and(|(c, others)| {
                    (goes_on || *c != ':') && matches(pattern, others, reading)
                })
        }
        (Some(('?', rest)), Some((c, others))) => {
            (matches!(reading, Reading::Wide) || *c != ':') && matches(rest, others, reading)
        }
        (Some((p, rest)), Some((c, others))) => p == c && matches(rest, others, reading),
        (Some(_), None) => false,
    }
}

fn is_match(pattern: &str, text: &str, reading: Reading) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    matches(&chars(pattern), &chars(text), reading)
}

struct Request<'a> {
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    /// The values of the keys `k` and `l`; none at all when the request does not have the key.
    context: [&'a [&'a str]; 2],
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// What stands under `name`, or all but what stands under its negation; everything when neither does.
fn named(statement: &Value, name: &str, is_one: impl Fn(&str) -> bool) -> bool {
    let any = |value: &Value| texts(value).into_iter().any(&is_one);
    match (statement.get(name), statement.get(format!("Not{name}"))) {
        (Some(those), _) => any(those),
        (None, Some(those)) => !any(those),
        (None, None) => true,
    }
}

fn holds(operator: &str, wanted: &[&str], values: &[&str]) -> bool {
    let (quantifier, operator) = operator.split_once(':').unwrap_or(("", operator));
    let plain = operator.trim_end_matches("IfExists");
    let one = |value: &&str| match plain {
        "StringEquals" => wanted.contains(value),
        "StringNotEquals" => !wanted.contains(value),
        "StringLike" => wanted.iter().any(|w| is_match(w, value, Reading::Wide)),
        "StringNotLike" => !wanted.iter().any(|w| is_match(w, value, Reading::Wide)),
        other => panic!("{other}"),
    };
    match (quantifier, values.is_empty()) {
        ("ForAllValues", _) => values.iter().all(one),
        ("ForAnyValue", _) => values.iter().any(one),
        (_, true) => plain.contains("Not") || plain != operator,
        // A key of several values under a plain operator: one that does.
        (_, false) => values.iter().any(one),
    }
}

fn applies(statement: &Value, request: &Request<'_>, reading: Reading) -> bool {
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let conditions = conditions.into_iter().flatten().all(|(operator, keys)| {
        keys.as_object().unwrap().iter().all(|(key, wanted)| {
            let values = request.context[usize::from(key == "l")];
            holds(operator, &texts(wanted), values)
        })
    });
    let principal = |key: &str| {
        let value = statement.get(key)?;
        Some(value == "*" || texts(&value["AWS"]).contains(&request.principal))
    };
    let principal = match (principal("Principal"), principal("NotPrincipal")) {
        (Some(is), _) => is,
        (None, Some(is)) => !is,
        (None, None) => true,
    };
    let action = |p: &str| is_match(&p.to_lowercase(), &request.action.to_lowercase(), reading);
    let resource = |p: &str| is_match(p, request.resource, reading);
    conditions
        && principal
        && named(statement, "Action", action)
        && named(statement, "Resource", resource)
}

/// What the policy says of a request: whether something allows it, whether something denies it.
fn said(policy: &Value, request: &Request<'_>, reading: Reading) -> (bool, bool) {
    let statements = policy["Statement"].as_array().unwrap();
    let some = |effect: &str| {
        let mut those = statements.iter().filter(|s| s["Effect"] == effect);
        those.any(|s| applies(s, request, reading))
    };
    (some("Allow"), some("Deny"))
}

const VALUES: [&[&str]; 4] = [&[], &["x"], &["y"], &["x", "y"]];

/// Whatever there can be asked.
fn requests() -> Vec<Request<'static>> {
    let mut all = Vec::new();
    for principal in ["p", "q"] {
        for action in ["a:r", "a:w", "b:r"] {
            for resource in [
                "a", "b", ":", "ab", "a:", ":a", "a:b", "aab", "aba", "a:a", "ab:a",
            ] {
                for first in VALUES {
                    for second in [VALUES[0], VALUES[1]] {
                        all.push(Request {
                            principal,
                            action,
                            resource,
                            context: [first, second],
                        });
                    }
                }
            }
        }
    }
    all
}

fn some_of(texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let many = prop::collection::vec(prop::sample::select(texts), 1..3);
    many.prop_map(|some| match some.as_slice() {
        [one] => json!(one),
        more => json!(more),
    })
}

fn under(name: &'static str, texts: &'static [&'static str]) -> BoxedStrategy<(String, Value)> {
    (prop::bool::weighted(0.25), some_of(texts))
        .prop_map(move |(negated, some)| match negated {
            true => (format!("Not{name}"), some),
            false => (name.to_owned(), some),
        })
        .boxed()
}

fn principal() -> BoxedStrategy<(String, Value)> {
    let some = some_of(&["p", "q"]).prop_map(|some| json!({"AWS": some}));
    let either = prop_oneof![Just(json!("*")), some];
    (prop::bool::weighted(0.2), either)
        .prop_map(|(negated, some)| match negated && some != "*" {
            true => ("NotPrincipal".to_owned(), some),
            false => ("Principal".to_owned(), some),
        })
        .boxed()
}

fn condition() -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringEquals",
        "ForAllValues:StringNotLike",
    ]);
    let key = prop::sample::select(vec!["k", "l"]);
    let clause = (operator, key, some_of(&["x", "y", "*"]));
    prop::collection::vec(clause, 0..3).prop_map(|clauses| {
        let mut block = Map::new();
        for (operator, key, values) in clauses {
            let keys = block.entry(operator).or_insert_with(|| json!({}));
            keys[key] = values;
        }
        block.into()
    })
}

const ACTIONS: &[&str] = &["*", "a:*", "a:r", "A:R", "a:w", "b:r", "*:r", "a:?"];
const RESOURCES: &[&str] = &[
    "*", "a", "b", "a*", "*a", "?", "a?", "a:*", "*:a", "a*a", "**b", "?b*",
];

fn policy(is_of_a_resource: bool) -> impl Strategy<Value = Value> {
    let statement = (
        prop::bool::weighted(0.3),
        principal(),
        under("Action", ACTIONS),
        under("Resource", RESOURCES),
        prop_oneof![2 => Just(json!({})), 1 => condition()],
    );
    let statement = statement.prop_map(move |(denies, principal, action, resource, condition)| {
        let mut fields = Map::from_iter([action, resource]);
        if is_of_a_resource {
            fields.extend([principal]);
        }
        let effect = if denies { "Deny" } else { "Allow" };
        fields.insert("Effect".into(), effect.into());
        fields.insert("Condition".into(), condition);
        fields.into()
    });
    prop::collection::vec(statement, 0..4)
        .prop_map(|all: Vec<Value>| json!({"Version": "2012-10-17", "Statement": all}))
}

/// Other values for a statement's conditions, so that one is often a little stricter or looser than the other.
fn with_values(mut statement: Value, values: &Value) -> Value {
    let block = statement["Condition"].as_object_mut();
    for keys in block.into_iter().flat_map(|block| block.values_mut()) {
        for wanted in keys.as_object_mut().unwrap().values_mut() {
            *wanted = values.clone();
        }
    }
    statement
}

/// Two policies that are often alike: the second has some statements of the first, perhaps changed, and perhaps others.
fn pair() -> impl Strategy<Value = (Value, Value)> {
    let both =
        any::<bool>().prop_flat_map(|of_resource| (policy(of_resource), policy(of_resource)));
    let change = prop_oneof![
        3 => Just(None),
        1 => under("Action", ACTIONS).prop_map(Some),
        1 => under("Resource", RESOURCES).prop_map(Some),
        2 => some_of(&["x", "y", "*"]).prop_map(|values| Some(("values".to_owned(), values))),
    ];
    let changes = prop::collection::vec((any::<bool>(), change), 4);
    (both, changes, any::<bool>()).prop_map(|((first, other), changes, mixed)| {
        let of = |policy: &Value| policy["Statement"].as_array().unwrap().clone();
        let mut second = Vec::new();
        for (mut statement, (kept, change)) in of(&first).into_iter().zip(changes) {
            match change {
                _ if !kept => continue,
                None => {}
                Some((name, values)) if name == "values" => {
                    statement = with_values(statement, &values)
                }
                Some((name, some)) => {
                    let fields = statement.as_object_mut().unwrap();
                    fields.retain(|key, _| {
                        key.trim_start_matches("Not") != name.trim_start_matches("Not")
                    });
                    fields.insert(name, some);
                }
            }
            second.push(statement);
        }
        if mixed {
            second.extend(of(&other));
        }
        (first, json!({"Version": "2012-10-17", "Statement": second}))
    })
}

fn check(before: &Value, after: &Value) -> [bool; 3] {
    let (a, b) = (Document::of(before).unwrap(), Document::of(after).unwrap());
    let proven = [
        adds_nothing(&a, &b),
        lifts_no_denial(&a, &b),
        narrows(&a, &b),
    ]
    .map(|r| r.is_ok());
    let [adds_nothing, lifts_none, _] = proven;
    for reading in [Reading::Wide, Reading::Narrow] {
        for request in requests() {
            let (was, is) = (
                said(before, &request, reading),
                said(after, &request, reading),
            );
            let granted = |(allows, denies): (bool, bool)| allows && !denies;
            let asked = (
                request.principal,
                request.action,
                request.resource,
                request.context,
            );
            assert!(
                !adds_nothing || !granted(is) || granted(was),
                "{before} → {after} adds {asked:?}"
            );
            assert!(
                !lifts_none || !was.1 || is.1,
                "{before} → {after} lifts the denial of {asked:?}"
            );
        }
    }
    proven
}

/// For the long run: `QUELL_POLICY_CASES=200000`.
fn cases() -> u32 {
    let wanted = std::env::var_os("QUELL_POLICY_CASES");
    wanted.map_or(300, |n| n.to_str().unwrap().parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_proven_holds_for_every_request((before, after) in pair()) {
        check(&before, &after);
    }

    #[test]
    fn a_policy_is_no_wider_than_itself_and_loses_by_every_statement_taken_or_denied((first, _) in pair(), at in 0..4usize) {
        let document = Document::of(&first).unwrap();
        prop_assert_eq!(narrows(&document, &document), Ok(()));
        let mut less = first.clone();
        let statements = less["Statement"].as_array_mut().unwrap();
        if at < statements.len() && statements[at]["Effect"] == "Allow" {
            let taken = statements.remove(at);
            prop_assert_eq!(narrows(&document, &Document::of(&less).unwrap()), Ok(()));
            let mut denied = first;
            let mut denial = taken;
            denial["Effect"] = json!("Deny");
            denied["Statement"].as_array_mut().unwrap().push(denial);
            prop_assert_eq!(narrows(&document, &Document::of(&denied).unwrap()), Ok(()));
        }
    }

    #[test]
    fn open_is_granted_whatever_the_request_and_no_never((policy, _) in pair()) {
        let document = Document::of(&policy).unwrap();
        for request in requests() {
            let grant = document.grants(request.action, request.resource);
            let (allows, denies) = said(&policy, &request, Reading::Wide);
            prop_assert!(grant != Grant::Open || (allows && !denies), "{} {}", request.action, request.resource);
            prop_assert!(grant != Grant::No || !allows || denies, "{} {}", request.action, request.resource);
        }
    }
}

/// A comparison that proves nothing would pass all of the above.
#[test]
fn what_is_plainly_narrower_is_proven() {
    let policy = |statements: Value| {
        Document::of(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
    };
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let reads = json!({"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"]});
    let apart = json!([
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::a*"},
        {"Effect": "Allow", "Action": "s3:List*", "Resource": "arn:aws:s3:::*"},
    ]);
    let mfa = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    let not_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    let no_iam = json!({"Effect": "Deny", "Action": "iam:*", "Resource": "*"});
    for (wide, narrow) in [
        (json!([all]), json!([reads])),
        (apart, json!([reads])),
        (json!([all]), json!([mfa])),
        (json!([all]), json!([not_iam])),
        (json!([not_iam]), json!([reads])),
        (json!([all]), json!([all, no_iam])),
        (json!([all]), json!([])),
    ] {
        assert_eq!(
            narrows(&policy(wide.clone()), &policy(narrow.clone())),
            Ok(()),
            "{wide} {narrow}"
        );
        assert!(
            narrows(&policy(narrow.clone()), &policy(wide.clone())).is_err(),
            "{wide} {narrow}"
        );
    }
    let kept_away = (policy(json!([all, no_iam])), policy(json!([reads])));
    assert_eq!(adds_nothing(&kept_away.0, &kept_away.1), Ok(()));
    assert!(lifts_no_denial(&kept_away.0, &kept_away.1).is_err());
    assert!(
        adds_nothing(
            &kept_away.0,
            &policy(json!([{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]))
        )
        .is_err()
    );
}

/// A document written to be slow takes no longer than one may wait for a permit.
#[test]
fn hostile_documents_are_bounded() {
    let names: Vec<String> = (0..900).map(|n| format!("{n}:*")).collect();
    let wide = json!({"Statement": {"Effect": "Allow", "Action": names, "Resource": names}});
    let document = Document::of(&wide).unwrap();
    assert!(
        narrows(&document, &document).is_err(),
        "too many pieces are not proven"
    );
    let stars = "*a".repeat(1_000);
    let one = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": stars}});
    let other = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": format!("{stars}b")}});
    let longer =
        json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "a".repeat(2_049)}});
    assert!(Document::of(&longer).is_err());
    assert!(narrows(&Document::of(&one).unwrap(), &Document::of(&other).unwrap()).is_err());
}
