//! Which rules could match a record, by its call.
//!
//! From the condition of a rule follows what every record that it matches has: mostly one of some values of `eventName`
//! or `eventSource`. Rules are found by these, with a look at two fields of the record. The exact condition then decides. A rule from
//! which nothing of that kind follows is always looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;
use quell_model::plain_name;
use quell_normalize::{Kind, Part, Reading, Top};
use rsigma_eval::{CompiledDetectionItem, CompiledMatcher};
use serde_json::Value;

use crate::condition::Condition;
use crate::tree::EVENT_NAME;

/// More ways to match than this cost more than they save.
const CASES_MAX: usize = 64;

/// The field that says which service was called.
const EVENT_SOURCE: &str = "eventSource";

/// The rules that could match.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// By a name of a call in lower case, with or without its version.
    by_name: ByText,
    /// By a service in lower case.
    by_source: ByText,
    /// Those that are always looked at.
    always: Vec<Group>,
    all: Group,
}

type ByText = HashMap<String, Vec<Group>, RandomState>;

/// Rules that are looked at together, by their places in order.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// A question to which each of them wants yes.
    pub(crate) guard: Option<usize>,
    pub(crate) rules: Vec<usize>,
}

impl Candidates {
    /// For rules in order: the ways in which a record can match, `None` where nothing is known, and a question to which the rule
    /// wants yes.
    pub(crate) fn new(rules: impl Iterator<Item = (Cases, Option<usize>)>) -> Self {
        let mut out = Self::default();
        for (at, (cases, guard)) in rules.enumerate() {
            out.all.rules.push(at);
            match cases.as_deref().and_then(places) {
                Some(places) => {
                    for (by_name, text) in places {
                        let map = match by_name {
                            true => &mut out.by_name,
                            false => &mut out.by_source,
                        };
                        // Those of a name are few, and the name is what they ask first.
                        let guard = guard.filter(|_| !by_name);
                        add(map.entry(text).or_default(), guard, at);
                    }
                }
                None => add(&mut out.always, guard, at),
            }
        }
        out
    }

    /// Gives `each` group that has rules which could match a record; a rule may come several times. `lower` is memory that is
    /// used again.
    pub(crate) fn of(
        &self,
        record: &Reading<'_>,
        lower: &mut String,
        mut each: impl FnMut(&Group),
    ) {
        let (name, source) = (record.top(Top::EventName), record.top(Top::EventSource));
        // One of several is enough for a rule, and an array can hold them.
        let is_array = |part: &Option<Part<'_>>| part.is_some_and(|p| p.kind() == Kind::Array);
        if is_array(&name) || is_array(&source) {
            return each(&self.all);
        }
        if let Some(name) = name.and_then(|part| part.string()) {
            find(&self.by_name, &name, lower, &mut each);
            let plain = plain_name(&name);
            if plain.len() < name.len() {
                find(&self.by_name, plain, lower, &mut each);
            }
        }
        if let Some(source) = source.and_then(|part| part.string()) {
            find(&self.by_source, &source, lower, &mut each);
        }
        self.always.iter().for_each(each);
    }
}

fn add(groups: &mut Vec<Group>, guard: Option<usize>, rule: usize) {
    match groups.iter_mut().find(|group| group.guard == guard) {
        Some(group) => group.rules.push(rule),
        None => groups.push(Group {
            guard,
            rules: vec![rule],
        }),
    }
}

fn find(map: &ByText, text: &str, lower: &mut String, each: impl FnMut(&Group)) {
    lower.clear();
    if text.is_ascii() {
        lower.push_str(text);
        lower.make_ascii_lowercase();
    } else {
        lower.push_str(&text.to_lowercase());
    }
    let found = map.get(lower.as_str()).into_iter().flatten();
    found.for_each(each);
}

/// Where a rule is to be found: by names of calls (`true`) and by services; `None` when one of its ways is by neither.
pub(crate) fn places(cases: &[Case]) -> Option<BTreeSet<(bool, String)>> {
    let mut out = BTreeSet::new();
    for case in cases {
        let texts = |field: &str| -> Option<Vec<String>> {
            let equal = |want: &Want| match want {
                Want::Equal(text) => Some(text.to_lowercase()),
                _ => None,
            };
            case.get(field)?.iter().map(equal).collect()
        };
        let (by_name, texts) = match (texts(EVENT_NAME), texts(EVENT_SOURCE)) {
            (Some(names), _) => (true, names),
            (None, Some(sources)) => (false, sources),
            (None, None) => return None,
        };
        out.extend(texts.into_iter().map(|text| (by_name, text)));
    }
    Some(out)
}

/// What a value must be, without regard to case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Want {
    Equal(String),
    Prefix(String),
    Suffix(String),
    Bool(bool),
}

/// Fields with what their values must be: one of the list, for each.
pub(crate) type Case = BTreeMap<String, Vec<Want>>;
/// One of these is so in every record that matches; `None`: nothing is known.
pub(crate) type Cases = Option<Vec<Case>>;

/// The ways in which a record matches an event pattern that asks this of the record.
pub(crate) fn cases_of_pattern(detail: &Value) -> Cases {
    let texts = |field: &str| -> Option<Vec<Want>> {
        let text = |value: &Value| value.as_str().map(|text| Want::Equal(text.to_owned()));
        detail.get(field)?.as_array()?.iter().map(text).collect()
    };
    let fields = [EVENT_NAME, EVENT_SOURCE].into_iter();
    let case: Case = fields
        .filter_map(|field| Some((field.to_owned(), texts(field)?)))
        .collect();
    (!case.is_empty()).then(|| vec![case])
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
pub(crate) fn cases(condition: &Condition) -> Cases {
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
