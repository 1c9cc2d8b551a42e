//! Why a detection matched a record, or what stopped it.

use quell_model::Record;
use quell_normalize::{Outline, Reading};
use rsigma_eval::explain::{ConditionTrace, DetectionTrace, ItemTrace, MatchReason};
use rsigma_eval::explain_rule;
use serde::Serialize;
use serde_json::Value;

use crate::engine::{Detection, Matcher};
use crate::envelope::enveloped;
use crate::tree::Tree;

/// Why a detection matched a record, or what stopped it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Whether it matched.
    pub matches: bool,
    /// The selections of the rule, and of each the fields it asks for. An event pattern has one selection without a name.
    pub clauses: Vec<Clause>,
}

/// One field that a selection asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clause {
    /// The selection's name in the rule.
    pub selection: String,
    /// Which of the selection's alternatives, from 1; 0 when it has none.
    pub alternative: usize,
    /// Whether the condition wants the selection not to match.
    pub negated: bool,
    /// The field, or empty for a search in all texts.
    pub field: String,
    /// What is wanted.
    pub wanted: String,
    /// What the record has; absent when the field is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
    /// Whether it is what is wanted.
    pub matches: bool,
    /// Why not, in words; empty when it is.
    pub stop: String,
}

impl Detection {
    /// Why it matches a record, or what stops it. `matches` is what [`crate::Engine::matching`] says.
    pub fn explain(&self, record: &Record) -> Explanation {
        let mut outline = Outline::default();
        let Ok(reading) = Reading::new(&record.body, &mut outline) else {
            return Explanation {
                matches: false,
                clauses: Vec::new(),
            };
        };
        match &self.matcher {
            Matcher::Sigma(rule) => {
                let trace = explain_rule(rule.compiled(), &Tree::new(reading));
                let mut clauses = Vec::new();
                trace
                    .conditions
                    .iter()
                    .for_each(|condition| walk(condition, false, &mut clauses));
                Explanation {
                    matches: trace.matched,
                    clauses,
                }
            }
            Matcher::Pattern(pattern) => {
                let text = enveloped(&reading, record.envelope.as_ref());
                match quell_pattern::Event::parse(text.as_bytes()) {
                    Ok(event) => of_pattern(&pattern.pattern.explain(&event)),
                    Err(_) => Explanation {
                        matches: false,
                        clauses: Vec::new(),
                    },
                }
            }
        }
    }
}

fn of_pattern(explanation: &quell_pattern::Explanation) -> Explanation {
    let fields = explanation
        .nearest()
        .map(|nearest| nearest.fields())
        .unwrap_or_default();
    let clause = |field: &quell_pattern::Field| {
        let seen = field
            .seen()
            .iter()
            .map(|seen| serde_json::from_str(seen.json()).unwrap_or_default());
        let seen: Vec<Value> = seen.collect();
        Clause {
            selection: String::new(),
            alternative: 0,
            negated: false,
            field: field.path().to_owned(),
            wanted: field.wanted().to_owned(),
            found: (!seen.is_empty()).then_some(Value::Array(seen)),
            matches: field.matches(),
            stop: field
                .stop()
                .map(|stop| stop.to_string())
                .unwrap_or_default(),
        }
    };
    Explanation {
        matches: explanation.matches(),
        clauses: fields.iter().map(clause).collect(),
    }
}

fn walk(trace: &ConditionTrace, negated: bool, out: &mut Vec<Clause>) {
    let mut selection = |name: &str, detection: &DetectionTrace| {
        let place = Place {
            selection: name,
            alternative: 0,
            negated,
        };
        place.detection(detection, out);
    };
    match trace {
        ConditionTrace::Selection {
            name, detection, ..
        } => selection(name, detection),
        ConditionTrace::Quantified { branches, .. } => {
            let mut branches: Vec<_> = branches.iter().collect();
            branches.sort_by(|a, b| a.name.cmp(&b.name));
            branches
                .into_iter()
                .for_each(|branch| selection(&branch.name, &branch.detection));
        }
        ConditionTrace::And { children, .. } | ConditionTrace::Or { children, .. } => {
            children.iter().for_each(|child| walk(child, negated, out));
        }
        ConditionTrace::Not { child, .. } => walk(child, !negated, out),
    }
}

/// Where in a rule a field is asked for.
#[derive(Clone, Copy)]
struct Place<'a> {
    selection: &'a str,
    alternative: usize,
    negated: bool,
}

impl Place<'_> {
    fn detection(self, trace: &DetectionTrace, out: &mut Vec<Clause>) {
        match trace {
            DetectionTrace::AllOf { items, .. } => {
                out.extend(items.iter().map(|item| self.item(item)))
            }
            DetectionTrace::Keywords { item, .. } => out.push(self.item(item)),
            DetectionTrace::AnyOf { branches, .. } => {
                for (branch, alternative) in branches.iter().zip(1..) {
                    Self {
                        alternative,
                        ..self
                    }
                    .detection(branch, out);
                }
            }
            DetectionTrace::And { branches, .. } => branches
                .iter()
                .for_each(|branch| self.detection(branch, out)),
            DetectionTrace::ArrayMatch {
                field,
                quantifier,
                matched,
                member_count,
                matched_count,
                ..
            } => {
                let wanted = format!("{quantifier} of its elements to match");
                let found = Some(Value::from(format!(
                    "{matched_count} of {member_count} elements match"
                )));
                out.push(self.clause(
                    field,
                    wanted,
                    found,
                    *matched,
                    "its elements do not match so",
                ));
            }
            DetectionTrace::Conditional { condition, .. } => walk(condition, self.negated, out),
            DetectionTrace::Other { kind, matched } => {
                out.push(self.clause("", kind.clone(), None, *matched, "it does not match"));
            }
        }
    }

    fn item(self, item: &ItemTrace) -> Clause {
        let kind = serde_json::to_value(item.matcher).unwrap_or_default();
        let kind = kind.as_str().unwrap_or_default().replace('_', " ");
        let wanted = match &item.pattern {
            Some(pattern) => format!("{kind}: {pattern}"),
            None => kind,
        };
        let stop = match item.reason {
            MatchReason::Matched => "",
            MatchReason::FieldAbsent => "the record does not have it",
            MatchReason::ValueMismatch => "another value",
            MatchReason::CaseMismatch => "only upper and lower case differ",
            MatchReason::Existence => "there when it should not be, or the other way round",
            MatchReason::NoKeywordMatch => "no text of the record has it",
        };
        self.clause(
            item.field.as_deref().unwrap_or_default(),
            wanted,
            item.actual.clone(),
            item.matched,
            stop,
        )
    }

    fn clause(
        self,
        field: &str,
        wanted: String,
        found: Option<Value>,
        matches: bool,
        stop: &str,
    ) -> Clause {
        Clause {
            selection: self.selection.to_owned(),
            alternative: self.alternative,
            negated: self.negated,
            field: field.to_owned(),
            wanted,
            found,
            matches,
            stop: if matches {
                String::new()
            } else {
                stop.to_owned()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::content::DetectionFile;
    use crate::engine_tests::record;

    #[test]
    fn what_stopped_a_rule_is_named() {
        let text = "title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  named:\n    eventName: StopLogging\n    errorCode: null\n  ours:\n    - userIdentity.type: AWSService\n    - userAgent|contains: terraform\n  condition: named and not ours\nlevel: high\n";
        let rule = DetectionFile {
            path: "a.yml".into(),
            text: text.into(),
        }
        .load()
        .unwrap();
        let hit = rule.explain(&record(
            r#"{"eventName":"StopLogging","userAgent":"aws-cli"}"#,
        ));
        assert!(hit.matches && hit.clauses.len() == 4);
        let miss = rule.explain(&record(
            r#"{"eventName":"StopLogging","userAgent":"HashiCorp Terraform"}"#,
        ));
        assert!(!miss.matches);
        let ours = &miss.clauses[3];
        assert_eq!(
            (
                ours.selection.as_str(),
                ours.alternative,
                ours.negated,
                ours.matches
            ),
            ("ours", 2, true, true)
        );
        let other = rule.explain(&record(
            r#"{"eventName":"StartLogging","errorCode":"Denied"}"#,
        ));
        let stops: Vec<&str> = other.clauses.iter().map(|c| c.stop.as_str()).collect();
        assert_eq!(
            stops,
            [
                "another value",
                "another value",
                "the record does not have it",
                "the record does not have it"
            ]
        );
    }
}
