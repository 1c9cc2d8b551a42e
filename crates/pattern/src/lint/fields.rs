//! One field at a time: values that can never be, and conditions that exclude nothing.

use super::table::ENVELOPE;
use super::{Kind, Warning};
use crate::event::Scalar;
use crate::matcher::{Excluded, Matcher};
use crate::pattern::Condition;
use crate::words::wanted;

pub(super) fn check(branch: &[Condition]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = branch.iter().filter_map(impossible).collect();
    warnings.extend(branch.iter().filter_map(excludes_nothing));
    let (source, others): (Vec<_>, Vec<_>) = branch
        .iter()
        .partition(|condition| *condition.path == *"source");
    if others.iter().all(|condition| is_empty(condition)) {
        if source.iter().all(|condition| is_empty(condition)) {
            warnings.push(Warning::new(
                Kind::MatchesEverything,
                None,
                "every event matches, also those of its own targets: name a source or a detail-type",
            ));
        } else if source.iter().any(|condition| is_all_of_aws(condition)) {
            warnings.push(Warning::new(
                Kind::MatchesEverything,
                Some("source"),
                "every event of every AWS service matches: name a source or a detail-type",
            ));
        }
    }
    warnings
}

/// A field around `detail` that is asked for what it never is.
fn impossible(condition: &Condition) -> Option<Warning> {
    let path = &*condition.path;
    let always = ENVELOPE.contains(&path);
    if !always && path != "resources" {
        return None;
    }
    let never = |message: String| Some(Warning::new(Kind::NeverMatches, Some(path), message));
    let matchers = &condition.matchers;
    if always && matchers.iter().all(|m| *m == Matcher::Absent) {
        return never("every event has it, and it should be absent".to_owned());
    }
    let may_be = |m: &Matcher| is_for_text(m) || (*m == Matcher::Absent && !always);
    if !matchers.iter().any(may_be) {
        return never(format!(
            "it is always text, and the pattern wants {}: write the value in quotes",
            wanted(matchers)
        ));
    }
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let no_account = |m: &Matcher| matches!(m, Matcher::Text(text) if !is_account(text));
    if path == "account" && matchers.iter().all(no_account) {
        return never(format!(
            "an account is twelve digits, and the pattern wants {}",
            wanted(matchers)
        ));
    }
    None
}

fn is_for_text(matcher: &Matcher) -> bool {
    !matches!(
        matcher,
        Matcher::Number { .. }
            | Matcher::Numeric(_)
            | Matcher::Bool(_)
            | Matcher::Null
            | Matcher::Absent
    )
}

/// A list that accepts every value, though it does not say so, or values beside one that accepts them all.
fn excludes_nothing(condition: &Condition) -> Option<Warning> {
    let matchers = &condition.matchers;
    let path = Some(&*condition.path);
    let warn = |message: &str| Some(Warning::new(Kind::NoCondition, path, message));
    let present = matchers.contains(&Matcher::Present);
    if accepts_every_value(matchers) && matchers.contains(&Matcher::Absent) {
        return warn("it matches whether the field is there or not, whatever it is: leave it out");
    }
    if present && matchers.len() > 1 {
        return warn("{\"exists\": true} accepts every value: the others in the list add nothing");
    }
    if !present && accepts_every_value(matchers) {
        return warn(
            "what one value of the list excludes another accepts, so every value matches: \
             put all that is excluded in one anything-but",
        );
    }
    if accepts_every_number(matchers) {
        return warn("its ranges together hold every number");
    }
    None
}

fn accepts_every_value(matchers: &[Matcher]) -> bool {
    let excluded: Vec<&Excluded> = matchers
        .iter()
        .filter_map(|matcher| match matcher {
            Matcher::AnythingBut(excluded) => Some(excluded),
            _ => None,
        })
        .collect();
    let let_in_again = |excluded: &Excluded| match excluded {
        Excluded::Texts(texts) => texts.iter().all(|text| {
            let value = Scalar::Text(text);
            matchers.iter().any(|matcher| matcher.accepts(value))
        }),
        Excluded::Numbers(numbers) => numbers.iter().all(|number| {
            let text = number.to_string();
            let value = Scalar::Number(&text, Some(*number));
            matchers.iter().any(|matcher| matcher.accepts(value))
        }),
        _ => false,
    };
    matchers.contains(&Matcher::Present)
        || excluded.iter().any(|excluded| let_in_again(excluded))
        || excluded
            .iter()
            .any(|a| excluded.iter().any(|b| have_nothing_common(a, b)))
}

/// Whether no text begins (or ends) as both exclude.
fn have_nothing_common(a: &Excluded, b: &Excluded) -> bool {
    match (a, b) {
        (Excluded::Prefixes(a), Excluded::Prefixes(b)) => a.iter().all(|a| {
            b.iter()
                .all(|b| !a.starts_with(b.as_str()) && !b.starts_with(a.as_str()))
        }),
        (Excluded::Suffixes(a), Excluded::Suffixes(b)) => a.iter().all(|a| {
            b.iter()
                .all(|b| !a.ends_with(b.as_str()) && !b.ends_with(a.as_str()))
        }),
        _ => false,
    }
}

fn accepts_every_number(matchers: &[Matcher]) -> bool {
    let ranges = || {
        matchers.iter().filter_map(|matcher| match matcher {
            Matcher::Numeric(range) => Some(range),
            _ => None,
        })
    };
    let open_below = || {
        ranges()
            .filter(|range| range.bottom.is_none())
            .filter_map(|r| r.top)
    };
    let open_above = || {
        ranges()
            .filter(|range| range.top.is_none())
            .filter_map(|r| r.bottom)
    };
    open_below().any(|(top, top_in)| {
        open_above()
            .any(|(bottom, bottom_in)| bottom < top || bottom == top && (top_in || bottom_in))
    })
}

/// Whether `condition` holds for every event.
fn is_empty(condition: &Condition) -> bool {
    let matchers = &condition.matchers;
    let any_text = |matcher: &Matcher| match matcher {
        Matcher::Prefix(text) | Matcher::Suffix(text) => text.is_empty(),
        Matcher::Wildcard(wildcard) => wildcard.text() == "*",
        _ => false,
    };
    if ENVELOPE.contains(&&*condition.path) {
        accepts_every_value(matchers) || matchers.iter().any(any_text)
    } else {
        accepts_every_value(matchers) && matchers.contains(&Matcher::Absent)
    }
}

fn is_all_of_aws(condition: &Condition) -> bool {
    condition.matchers.iter().any(|matcher| match matcher {
        Matcher::Prefix(prefix) => "aws.".starts_with(prefix.as_str()),
        Matcher::Wildcard(wildcard) => matches!(&*wildcard.text(), "aws.*" | "aws*"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::tests::kinds;

    #[test]
    fn what_the_envelope_never_is() {
        for (pattern, path) in [
            (r#"{"account": [123456789012]}"#, "account"),
            (r#"{"account": ["1234"]}"#, "account"),
            (r#"{"source": [{"exists": false}]}"#, "source"),
            (r#"{"resources": [5, null]}"#, "resources"),
            (r#"{"time": [{"numeric": [">", 5]}]}"#, "time"),
        ] {
            assert_eq!(
                kinds(pattern),
                [format!("never-matches {path}")],
                "{pattern}"
            );
        }
        assert_eq!(
            kinds(r#"{"resources": [{"exists": false}]}"#),
            [""; 0],
            "it may be empty"
        );
    }

    #[test]
    fn lists_that_exclude_nothing() {
        for list in [
            r#"{"anything-but": "a"}, {"anything-but": "b"}"#,
            r#"{"anything-but": "a"}, {"anything-but": 1}"#,
            r#"{"anything-but": ["a", "b"]}, "a", "b""#,
            r#"{"anything-but": {"prefix": "a"}}, {"anything-but": {"prefix": "b"}}"#,
            r#"{"exists": true}, {"exists": false}"#,
            r#"{"exists": true}, 5"#,
            r#"{"numeric": [">=", 5]}, {"numeric": ["<", 5]}"#,
        ] {
            let pattern = format!(r#"{{"detail-type": ["x"], "detail.f": [{list}]}}"#);
            assert_eq!(kinds(&pattern), ["no-condition detail.f"], "{list}");
        }
        for list in [
            r#"{"exists": true}"#,
            r#"{"anything-but": ["a", "b"]}, {"anything-but": "a"}"#,
            r#"{"anything-but": {"prefix": "a"}}, {"anything-but": {"prefix": "ab"}}"#,
            r#"{"numeric": [">", 5]}, {"numeric": ["<", 5]}"#,
            r#"1, {"exists": false}"#,
        ] {
            let pattern = format!(r#"{{"detail-type": ["x"], "detail.f": [{list}]}}"#);
            assert_eq!(kinds(&pattern), [""; 0], "{list}");
        }
    }

    #[test]
    fn patterns_of_a_whole_bus() {
        for pattern in [
            r#"{"source": [{"prefix": ""}]}"#,
            r#"{"source": [{"exists": true}]}"#,
            r#"{"account": [{"wildcard": "*"}], "version": [{"exists": true}]}"#,
        ] {
            assert_eq!(kinds(pattern), ["matches-everything -"], "{pattern}");
        }
        assert_eq!(
            kinds(r#"{"source": [{"prefix": "aws."}]}"#),
            ["matches-everything source"]
        );
        assert_eq!(
            kinds(r#"{"source": [{"prefix": "aws."}], "detail-type": ["x"]}"#),
            [""; 0]
        );
        assert_eq!(kinds(r#"{"detail": {"a": [{"exists": true}]}}"#), [""; 0]);
    }
}
