//! Which rules could match a record, by its call; and what follows from a rule's condition about the calls it matches.
//!
//! Of most rules it is known by the call's name and service alone that they do not match. Which they are is worked out once for
//! each call, and kept: logs have the same few hundred calls again and again.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use quell_normalize::{Reading, Top};
use rsigma_eval::{CompiledDetectionItem, CompiledMatcher};
use serde_json::Value;

use crate::condition::Condition;
use crate::tree::EVENT_NAME;

/// More ways to match than this are not followed.
const CASES_MAX: usize = 64;

/// The field that says which service was called.
const EVENT_SOURCE: &str = "eventSource";

/// So many calls are kept; AWS has some fifteen thousand, and an organisation uses some hundreds.
const CALLS_MAX: usize = 4 * 1024;
/// A longer name is none of AWS's: what can match it is worked out again each time.
const CALL_BYTES_MAX: usize = 256;

/// The rules that could match, by their places in order, for each call that came so far.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    rules: HashMap<String, Vec<usize>, RandomState>,
    /// The call of this record: memory that is used again.
    call: String,
    /// The rules of a call that is not kept.
    others: Vec<usize>,
}

impl Calls {
    /// Forgets all calls.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules that could match a record, of those from 0 to `count`. `could` says so of one by nothing but the record's name and service.
    pub(crate) fn of(
        &mut self,
        record: &Reading<'_>,
        count: usize,
        could: impl FnMut(&usize) -> bool,
    ) -> &[usize] {
        let plain = |top: Top| record.top(top).and_then(|part| part.plain());
        let (Some(name), Some(source)) = (plain(Top::EventName), plain(Top::EventSource)) else {
            // There are others, and odd ones: they are rare.
            self.others.clear();
            self.others.extend(0..count);
            return &self.others;
        };
        self.call.clear();
        self.call.push_str(source);
        self.call.push('\n');
        self.call.push_str(name);
        if !self.rules.contains_key(&self.call) {
            let found = (0..count).filter(could);
            if self.call.len() > CALL_BYTES_MAX {
                self.others.clear();
                self.others.extend(found);
                return &self.others;
            }
            if self.rules.len() >= CALLS_MAX {
                self.rules.clear();
            }
            self.rules.insert(self.call.clone(), found.collect());
        }
        self.rules.get(&self.call).map_or(&[], Vec::as_slice)
    }
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

/// Whether a record of this name and service could match an event pattern that asks this of the record.
pub(crate) fn could_match(detail: &Value, name: &str, source: &str) -> bool {
    let could = |field: &str, text: &str| match detail.get(field).and_then(Value::as_array) {
        Some(wanted) => wanted.iter().any(|w| w.as_str().is_none_or(|w| w == text)),
        None => true,
    };
    could(EVENT_NAME, name) && could(EVENT_SOURCE, source)
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

/// The ways in which a record matches a condition; `None` when nothing is known.
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
