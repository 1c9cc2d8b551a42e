//! Which rules could match a record, found by one look at its bytes.
//!
//! From the condition of a rule follows what every record that it matches has: mostly one of some values of
//! `eventSource` and `eventName`. That is written as event patterns, which match at least the records that the rule
//! matches; the pattern crate finds the few that fit among thousands. The exact condition then decides. A rule from which
//! nothing follows is always looked at.

use std::collections::BTreeMap;

use quell_pattern::{Pattern, Scratch, Set, Snapshot};
use rsigma_eval::{CompiledDetectionItem, CompiledMatcher};
use serde_json::{Value, json};

use crate::condition::Condition;
use crate::tree::EVENT_NAME;

/// More patterns for one rule cost more than they save.
const CASES_MAX: usize = 64;

/// The rules that could match.
#[derive(Debug)]
pub(crate) struct Candidates {
    some: Snapshot<usize>,
    /// Those that are always looked at, by their places in order.
    always: Vec<usize>,
    all: Vec<usize>,
}

impl Candidates {
    /// For rules by their places, each with the patterns of which one fits every record that the rule matches; `None`
    /// where nothing is known.
    pub(crate) fn new(rules: impl Iterator<Item = (usize, Option<Vec<Pattern>>)>) -> Self {
        let (mut set, mut always, mut all) = (Set::new(), Vec::new(), Vec::new());
        for (at, patterns) in rules {
            all.push(at);
            match patterns {
                Some(patterns) => patterns
                    .into_iter()
                    .for_each(|pattern| set.add(at, pattern)),
                None => always.push(at),
            }
        }
        Self {
            some: set.snapshot(),
            always,
            all,
        }
    }

    /// The places of the rules that could match a record with these bytes.
    pub(crate) fn of(&self, record: &[u8], scratch: &mut Scratch, found: &mut Vec<usize>) {
        found.clear();
        let fits = if folds_oddly(record) {
            None
        } else {
            self.some.matching(record, scratch).ok()
        };
        match fits {
            Some(some) => {
                found.extend(some.into_iter().copied());
                if !self.always.is_empty() {
                    found.extend_from_slice(&self.always);
                    found.sort_unstable();
                }
            }
            // What the pattern crate will not read (too deep, say) is not thereby out of a rule's reach.
            None => found.extend_from_slice(&self.all),
        }
    }
}

/// Whether a record has, bare or escaped, one of the two characters whose lower case begins with a letter of ASCII
/// (U+0130 and U+212A): Sigma ignores case by lower case, patterns compare character by character.
fn folds_oddly(record: &[u8]) -> bool {
    let bare = || !record.is_ascii() && has(record, &["\u{130}", "\u{212a}"]);
    bare() || has(record, &["\\u0130", "\\u212a", "\\u212A"])
}

fn has(record: &[u8], needles: &[&str]) -> bool {
    needles
        .iter()
        .any(|needle| memchr::memmem::find(record, needle.as_bytes()).is_some())
}

/// What a value must be, without regard to case.
#[derive(Clone, Debug, PartialEq)]
enum Want {
    Equal(String),
    Prefix(String),
    Suffix(String),
    Bool(bool),
}

/// Fields with what their values must be: one of the list, for each.
type Case = BTreeMap<String, Vec<Want>>;
/// One of these is so in every record that matches; `None`: nothing is known.
type Cases = Option<Vec<Case>>;

/// The patterns of which one fits every record that a condition matches; `None` when nothing is known.
pub(crate) fn patterns(condition: &Condition) -> Option<Vec<Pattern>> {
    let cases = cases(condition)?;
    cases.into_iter().map(pattern).collect()
}

/// How a condition is too broad, when it is: it lets through every call of a service, or of all.
pub(crate) fn too_broad(condition: &Condition) -> Option<String> {
    let Some(cases) = cases(condition) else {
        return Some(
            "nothing follows from it about a record: it is looked at for every one".to_owned(),
        );
    };
    let broad = |case: &&Case| case.len() < 2 && !case.contains_key(EVENT_NAME);
    let case = cases.iter().find(broad)?;
    let field = case.keys().next()?;
    Some(format!(
        "it may match every record with one value of «{field}», whatever the call"
    ))
}

/// Whether one way to match is by a call of this name, of this service, and no other.
pub(crate) fn names(condition: &Condition, source: &str, name: &str) -> bool {
    let has = |case: &Case, field: &str, value: &str| {
        let is =
            |want: &Want| matches!(want, Want::Equal(text) if text.eq_ignore_ascii_case(value));
        case.get(field).map(|wants| wants.iter().any(is))
    };
    let cases = cases(condition).unwrap_or_default();
    cases.iter().any(|case| {
        has(case, EVENT_NAME, name) == Some(true) && has(case, "eventSource", source) != Some(false)
    })
}

fn cases(condition: &Condition) -> Cases {
    match condition {
        Condition::Any(list) => union(list),
        Condition::AtLeast(0, _) => None,
        Condition::AtLeast(_, list) => union(list),
        Condition::All(list) => list.iter().map(cases).fold(None, both),
        Condition::Item(item) => item_case(item).map(|case| vec![case]),
        Condition::Not(_) | Condition::Other(_) => None,
    }
}

fn union(list: &[Condition]) -> Cases {
    let mut out = Vec::new();
    for condition in list {
        out.extend(cases(condition)?);
    }
    (out.len() <= CASES_MAX).then_some(out)
}

/// What is known when both are so. Each alone would do, so nothing is lost when they do not fit together.
fn both(a: Cases, b: Cases) -> Cases {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (known, None) | (None, known) => return known,
    };
    if a.len() * b.len() > CASES_MAX {
        let names = |cases: &[Case]| {
            cases
                .iter()
                .filter(|case| case.contains_key(EVENT_NAME))
                .count()
        };
        return Some(if names(&b) * a.len() > names(&a) * b.len() {
            b
        } else {
            a
        });
    }
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
    Some(pairs.map(|(a, b)| merged(a, b)).collect())
}

fn merged(a: &Case, b: &Case) -> Case {
    let mut out = a.clone();
    for (field, wants) in b {
        match out.get_mut(field) {
            // Both lists hold: the shorter says more.
            Some(known) if known.len() <= wants.len() => {}
            Some(known) => known.clone_from(wants),
            None => drop(out.insert(field.clone(), wants.clone())),
        }
    }
    out
}

fn item_case(item: &CompiledDetectionItem) -> Option<Case> {
    let field = item.field.as_ref().filter(|_| item.exists.is_none())?;
    let simple = field
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-:".contains(&b));
    let named = field.split('.').all(|name| !name.is_empty());
    let wants = wants(&item.matcher).filter(|_| simple && named)?;
    // A version behind a name is not part of it: the end of a name may stand before the end of the text.
    let ends = wants.iter().any(|want| matches!(want, Want::Suffix(_)));
    (field != EVENT_NAME || !ends).then(|| Case::from([(field.clone(), wants)]))
}

fn wants(matcher: &CompiledMatcher) -> Option<Vec<Want>> {
    let any = |list: &[CompiledMatcher]| {
        let each: Option<Vec<Vec<Want>>> = list.iter().map(wants).collect();
        Some(each?.concat())
    };
    let one = |want: Want| Some(vec![want]);
    match matcher {
        CompiledMatcher::Exact { value, .. } if is_text(value) => one(Want::Equal(value.clone())),
        CompiledMatcher::StartsWith { value, .. } if begins_text(value) => {
            one(Want::Prefix(value.clone()))
        }
        CompiledMatcher::EndsWith { value, .. } if ends_text(value) => {
            one(Want::Suffix(value.clone()))
        }
        CompiledMatcher::BoolEq(wanted) => {
            let words = if *wanted {
                ["true", "1", "yes"]
            } else {
                ["false", "0", "no"]
            };
            let words = words.map(|word| Want::Equal(word.to_owned()));
            Some([vec![Want::Bool(*wanted)], words.to_vec()].concat())
        }
        CompiledMatcher::AnyOf(list) => any(list),
        // Whether all or any are wanted: one of them is so either way.
        CompiledMatcher::CaseInsensitiveGroup { children, .. } => any(children),
        CompiledMatcher::AllOf(list) => list.iter().find_map(wants),
        _ => None,
    }
}

/// Whether only a text can be equal: numbers and truth values are compared with texts by their own text.
fn is_text(value: &str) -> bool {
    !value.is_empty()
        && value.is_ascii()
        && value.parse::<f64>().is_err()
        && !WORDS.contains(&value)
}

/// What truth values, and numbers beyond all floats, are as texts.
const WORDS: [&str; 3] = ["true", "false", "inf"];

fn begins_text(value: &str) -> bool {
    let number = value.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    is_text(value) && !number && !WORDS.iter().any(|word| word.starts_with(value))
}

fn ends_text(value: &str) -> bool {
    let number = value.ends_with(|c: char| c.is_ascii_digit());
    is_text(value) && !number && !WORDS.iter().any(|word| word.ends_with(value))
}

/// An event pattern for a case: `eventSource` and `eventName`, and where no name is known one field more.
///
/// Never two fields that could lie in one array: Sigma does not ask for the same element, and patterns do.
fn pattern(case: Case) -> Option<Pattern> {
    let named = case.contains_key(EVENT_NAME);
    let top = |field: &str| field == EVENT_NAME || field == "eventSource";
    let mut others = case
        .iter()
        .filter(|(field, _)| !top(field))
        .collect::<Vec<_>>();
    others.sort_by_key(|(_, wants)| wants.len());
    let other = others.into_iter().take(usize::from(!named));
    let fields = case.iter().filter(|(field, _)| top(field)).chain(other);
    let mut text = serde_json::Map::new();
    for (field, wants) in fields {
        let values = wants.iter().flat_map(|want| written(field, want)).collect();
        text.insert(field.clone(), Value::Array(values));
    }
    Pattern::parse(&Value::Object(text).to_string()).ok()
}

fn written(field: &str, want: &Want) -> Vec<Value> {
    let folded = |text: &str| json!({"equals-ignore-case": text});
    match want {
        // With a version behind it, which is a date of this century.
        Want::Equal(text) if field == EVENT_NAME => {
            vec![
                folded(text),
                json!({"prefix": folded(&format!("{text}20"))}),
            ]
        }
        Want::Equal(text) => vec![folded(text)],
        Want::Prefix(text) => vec![json!({"prefix": folded(text)})],
        Want::Suffix(text) => vec![json!({"suffix": folded(text)})],
        Want::Bool(value) => vec![json!(value)],
    }
}
