//! What a Sigma rule does that will not be meant: that it can never fire, or fires for almost everything.

mod fields;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Diagnostic, nearest};
use rsigma_parser::{ConditionExpr, Detection, DetectionItem, Quantifier, SigmaRule, SigmaValue};
use serde::Serialize;

use crate::candidates::too_broad;
use crate::condition::Condition;
use crate::content::{DetectionFile, Language};
use crate::limits::collect;
use crate::sigma;
use crate::tree::EVENT_NAME;

/// What is doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// No call or event of the service has this name.
    UnknownName,
    /// No CloudTrail record has this field.
    UnknownField,
    /// Two things are wanted that are never true together.
    Contradiction,
    /// It matches every call of a service, or more.
    TooBroad,
}

/// One doubt about a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// What is doubtful.
    pub kind: WarningKind,
    /// The selection, or empty for the whole rule.
    pub selection: String,
    /// What it is, in words.
    pub message: String,
    /// What was perhaps meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The calls that services have.
pub trait Calls {
    /// The names of all calls of the service that CloudTrail calls `source` (`iam.amazonaws.com`); `None` when the
    /// service is not known.
    fn calls(&self, source: &str) -> Option<BTreeSet<String>>;
}

impl DetectionFile {
    /// The doubts about a Sigma rule. An event pattern has a linter of its own, in the pattern crate.
    ///
    /// # Errors
    /// The faults of a rule that does not load.
    pub fn lint(&self, calls: &dyn Calls) -> Result<Vec<Warning>, Vec<Diagnostic>> {
        self.load()?;
        match Language::of(&self.path) {
            Some((Language::Sigma, _)) => {}
            _ => return Ok(Vec::new()),
        }
        let rule = sigma::parse(self).map_err(|fault| vec![fault])?;
        let compiled = sigma::compile(&rule, self).map_err(|fault| vec![fault])?;
        let mut found = Vec::new();
        names::check(&rule, calls, &mut found);
        fields::check(&rule, &mut found);
        contradictions(&rule, &mut found);
        found.extend(too_broad(&Condition::of(&compiled)).map(|message| Warning {
            kind: WarningKind::TooBroad,
            selection: String::new(),
            message,
            help: Some("name the calls in eventName, and their service in eventSource".to_owned()),
        }));
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// The items of each selection, by its name in order.
fn items(rule: &SigmaRule) -> BTreeMap<&str, Vec<&DetectionItem>> {
    let named = rule.detection.named.iter();
    let list = named.map(|(name, detection)| {
        let mut items = Vec::new();
        collect(detection, &mut items);
        (name.as_str(), items)
    });
    list.collect()
}

/// The texts of an item whose values are compared as they stand, in lower case; `None` when any is something else.
fn exact(item: &DetectionItem) -> Option<BTreeSet<String>> {
    let plain = |value: &SigmaValue| match value {
        SigmaValue::String(text) => Some(text.as_plain()?.to_lowercase()),
        SigmaValue::Bool(value) => Some(value.to_string()),
        SigmaValue::Integer(value) => Some(value.to_string()),
        SigmaValue::Float(_) | SigmaValue::Null => None,
    };
    let compared = item.field.modifiers.is_empty();
    item.values
        .iter()
        .map(plain)
        .collect::<Option<_>>()
        .filter(|_| compared)
}

/// Fields that have one value at most, so that two lists without a common value contradict each other.
const SINGLE: [&str; 6] = [
    "eventSource",
    EVENT_NAME,
    "errorCode",
    "userIdentity.type",
    "awsRegion",
    "eventType",
];

fn contradictions(rule: &SigmaRule, found: &mut Vec<Warning>) {
    for condition in &rule.detection.conditions {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        required(condition, rule, false, &mut wanted, &mut unwanted);
        for (at, (name, item)) in wanted.iter().enumerate() {
            for (other_name, other) in wanted.iter().skip(at + 1) {
                if let Some(why) = excludes(item, other) {
                    found.push(contradiction(
                        name,
                        format!("{why}; «{other_name}» is wanted too"),
                    ));
                }
            }
        }
        for (name, detection) in unwanted {
            if swallows(detection, &wanted) {
                found.push(contradiction(name, "it is wanted that this does not match, and whatever else is wanted always matches it".to_owned()));
            }
        }
    }
}

fn contradiction(selection: &str, message: String) -> Warning {
    Warning {
        kind: WarningKind::Contradiction,
        selection: selection.to_owned(),
        message,
        help: None,
    }
}

type Wanted<'a> = Vec<(&'a str, &'a DetectionItem)>;

/// What every match has (`wanted`), and what none may have.
fn required<'a>(
    condition: &ConditionExpr,
    rule: &'a SigmaRule,
    negated: bool,
    wanted: &mut Wanted<'a>,
    unwanted: &mut Vec<(&'a str, &'a Detection)>,
) {
    let mut selection = |name: &'a str, detection: &'a Detection| match detection {
        detection if negated => unwanted.push((name, detection)),
        Detection::AllOf(items) => wanted.extend(items.iter().map(|item| (name, item))),
        _ => {}
    };
    match condition {
        ConditionExpr::Identifier(wanted) => {
            if let Some((name, detection)) = rule.detection.named.get_key_value(wanted) {
                selection(name, detection);
            }
        }
        ConditionExpr::Selector {
            quantifier,
            pattern,
        } => {
            let all = matches!(quantifier, Quantifier::All);
            let any = matches!(quantifier, Quantifier::Any | Quantifier::Count(1));
            if (all && !negated) || (any && negated) {
                let named = rule
                    .detection
                    .named
                    .iter()
                    .filter(|(name, _)| pattern.matches_detection_name(name));
                named.for_each(|(name, detection)| selection(name, detection));
            }
        }
        ConditionExpr::And(list) if !negated => list
            .iter()
            .for_each(|c| required(c, rule, false, wanted, unwanted)),
        ConditionExpr::Or(list) if negated => list
            .iter()
            .for_each(|c| required(c, rule, true, wanted, unwanted)),
        ConditionExpr::Not(inner) => required(inner, rule, !negated, wanted, unwanted),
        ConditionExpr::And(_) | ConditionExpr::Or(_) => {}
    }
}

/// Why two items never match together.
fn excludes(a: &DetectionItem, b: &DetectionItem) -> Option<String> {
    let field = a.field.name.as_deref()?;
    if b.field.name.as_deref() != Some(field) {
        return None;
    }
    let absent = |item: &DetectionItem| match item.field.modifiers.as_slice() {
        [] => item
            .values
            .iter()
            .all(|v| matches!(v, SigmaValue::Null))
            .then_some(true),
        [rsigma_parser::Modifier::Exists] => match item.values.first() {
            Some(SigmaValue::Bool(there)) => Some(!there),
            _ => None,
        },
        _ => None,
    };
    match (absent(a), absent(b)) {
        (Some(x), Some(y)) if x != y => {
            return Some(format!("«{field}» is to be there and not to be there"));
        }
        (Some(true), None) if exact(b).is_some() => {
            return Some(format!("«{field}» is to be absent and to have a value"));
        }
        (None, Some(true)) if exact(a).is_some() => {
            return Some(format!("«{field}» is to be absent and to have a value"));
        }
        _ => {}
    }
    let (x, y) = (exact(a)?, exact(b)?);
    (SINGLE.contains(&field) && x.is_disjoint(&y))
        .then(|| format!("«{field}» has no value that both lists allow"))
}

/// Whether whatever has all that is wanted also matches `detection`.
fn swallows(detection: &Detection, wanted: &Wanted<'_>) -> bool {
    match detection {
        Detection::AllOf(items) => items
            .iter()
            .all(|item| wanted.iter().any(|(_, has)| implies(has, item))),
        Detection::AnyOf(list) => list.iter().any(|detection| swallows(detection, wanted)),
        _ => false,
    }
}

fn implies(has: &DetectionItem, item: &DetectionItem) -> bool {
    if has == item {
        return true;
    }
    let same = has.field.name == item.field.name;
    match (exact(has), exact(item)) {
        (Some(has), Some(item)) => same && !has.is_empty() && has.is_subset(&item),
        _ => false,
    }
}

/// A help text with the word that was perhaps meant.
fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|meant| format!("did you mean «{meant}»?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Few;

    impl Calls for Few {
        fn calls(&self, source: &str) -> Option<BTreeSet<String>> {
            let names: &[&str] = match source {
                "iam.amazonaws.com" => &["CreateUser", "DeleteUser", "CreateAccessKey"],
                "lambda.amazonaws.com" => &["UpdateFunctionCode"],
                "signin.amazonaws.com" => return None,
                _ => return None,
            };
            Some(names.iter().map(|name| (*name).to_owned()).collect())
        }
    }

    fn kinds(detection: &str) -> Vec<(WarningKind, String)> {
        let text = format!(
            "title: t\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n{detection}\nlevel: low\n"
        );
        let file = DetectionFile {
            path: "a.yml".into(),
            text,
        };
        let found = file.lint(&Few).unwrap();
        found
            .into_iter()
            .map(|w| (w.kind, w.help.unwrap_or(w.message)))
            .collect()
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for detection in [
            "  a:\n    eventSource: iam.amazonaws.com\n    eventName: [CreateUser, CreateAccessKey]\n  failed:\n    errorCode|exists: true\n  condition: a and not failed",
            "  a:\n    eventSource: lambda.amazonaws.com\n    eventName|startswith: UpdateFunctionCode20150331\n  condition: a",
            "  a:\n    eventSource: signin.amazonaws.com\n    eventName: ConsoleLogin\n    additionalEventData.MFAUsed: 'No'\n  condition: a",
            "  a:\n    eventSource: unheard.amazonaws.com\n    eventName: Anything\n    requestParameters.any.thing: 1\n  condition: a",
            "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n  b:\n    errorCode: [null, '']\n  condition: a and b",
        ] {
            assert_eq!(kinds(detection), [], "{detection}");
        }
    }

    #[test]
    fn what_can_never_fire_is_named() {
        for (detection, kind, says) in [
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUsr\n  condition: a",
                WarningKind::UnknownName,
                "«CreateUser»",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName|startswith: Purge\n  condition: a",
                WarningKind::UnknownName,
                "Purge",
            ),
            (
                "  a:\n    eventSource: iam\n    eventName: CreateUser\n  condition: a",
                WarningKind::UnknownName,
                "iam.amazonaws.com",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n    eventname: x\n  condition: a",
                WarningKind::UnknownField,
                "«eventName»",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n    userIdentity.typ: Root\n  condition: a",
                WarningKind::UnknownField,
                "«userIdentity.type»",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n  b:\n    eventName: DeleteUser\n  condition: a and b",
                WarningKind::Contradiction,
                "both lists",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n  b:\n    eventName: [CreateUser, DeleteUser]\n  condition: a and not b",
                WarningKind::Contradiction,
                "always",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n    eventName: CreateUser\n    errorCode: null\n  b:\n    errorCode|exists: true\n  condition: a and b",
                WarningKind::Contradiction,
                "not to be there",
            ),
            (
                "  a:\n    eventSource: iam.amazonaws.com\n  condition: a",
                WarningKind::TooBroad,
                "eventName",
            ),
            (
                "  a:\n    userAgent|contains: curl\n  condition: a",
                WarningKind::TooBroad,
                "eventName",
            ),
            (
                "  a:\n    eventName: CreateUser\n  condition: not a",
                WarningKind::TooBroad,
                "eventName",
            ),
        ] {
            let found = kinds(detection);
            assert!(
                found
                    .iter()
                    .any(|(k, text)| *k == kind && text.contains(says)),
                "{detection}: {found:?}"
            );
        }
    }
}
