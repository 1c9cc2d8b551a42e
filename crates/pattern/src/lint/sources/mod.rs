//! What the AWS services asked for send: sources with their detail-types, and the fields of each.

mod inner;
mod pairs;

use super::table::{ANY_SERVICE, ENVELOPE, ENVELOPE_OTHER, Family};
use super::{Kind, Warning};
use crate::event::Scalar;
use crate::matcher::Matcher;
use crate::pattern::Condition;
use crate::words::wanted;

/// What one branch asks about the origin of events.
struct Asked<'b> {
    branch: &'b [Condition],
    source: Option<&'b Condition>,
    detail_type: Option<&'b Condition>,
}

pub(super) fn check(branch: &[Condition]) -> Vec<Warning> {
    let named = |path: &str| branch.iter().find(|condition| *condition.path == *path);
    let asked = Asked {
        branch,
        source: named("source"),
        detail_type: named("detail-type"),
    };
    let mut warnings = asked.letter_cases();
    warnings.extend(asked.mismatches());
    warnings.extend(asked.trail_as_source());
    warnings.extend(asked.outer_fields());
    warnings.extend(asked.inner_fields());
    warnings.extend(asked.exact_severity());
    warnings
}

fn exact_text(matcher: &Matcher) -> Option<&str> {
    match matcher {
        Matcher::Text(text) => Some(text),
        _ => None,
    }
}

/// The texts of a list that holds nothing else.
fn exact(condition: Option<&Condition>) -> Option<Vec<&str>> {
    condition?.matchers.iter().map(exact_text).collect()
}

fn accepts(condition: Option<&Condition>, text: &str) -> bool {
    let value = Scalar::Text(text);
    condition.is_none_or(|c| c.matchers.iter().any(|matcher| matcher.accepts(value)))
}

impl Family {
    fn is_sent_by(&self, source: &str) -> bool {
        self.source == source || self.source == ANY_SERVICE && source.starts_with(ANY_SERVICE)
    }
}

impl Asked<'_> {
    /// Fields beside `detail` that no event has.
    fn outer_fields(&self) -> Vec<Warning> {
        let is_inner = |c: &Condition| c.path.starts_with("detail.");
        if self.source.is_none() && self.detail_type.is_none() && !self.branch.iter().any(is_inner)
        {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for condition in self.branch {
            let first = condition.path.split('.').next().unwrap_or_default();
            let known = ENVELOPE.contains(&first) || ENVELOPE_OTHER.contains(&first);
            if !known && !condition.matchers.contains(&Matcher::Absent) {
                let message = if first.eq_ignore_ascii_case("detailType") {
                    "no event has it: EventBridge writes detail-type".to_owned()
                } else {
                    format!(
                        "no event has it beside detail: detail.{} will be meant",
                        condition.path
                    )
                };
                warnings.push(Warning::new(
                    Kind::UnknownField,
                    Some(&condition.path),
                    message,
                ));
            }
        }
        warnings
    }

    /// GuardDuty's severity has decimals: exact values let most findings pass unseen.
    fn exact_severity(&self) -> Option<Warning> {
        let asks = |path: &Option<&Condition>, name: &str| {
            exact(*path).is_some_and(|texts| texts.contains(&name))
        };
        let path = "detail.severity";
        let severity = self.branch.iter().find(|c| *c.path == *path)?;
        let numbers: Option<Vec<f64>> = severity
            .matchers
            .iter()
            .map(|matcher| match matcher {
                Matcher::Number { value, .. } => *value,
                _ => None,
            })
            .collect();
        if !asks(&self.source, "aws.guardduty") && !asks(&self.detail_type, "GuardDuty Finding") {
            return None;
        }
        let least = numbers?.into_iter().fold(f64::INFINITY, f64::min);
        let message = format!(
            "a GuardDuty severity is a number with decimals from 1.0 to 10.0, and the pattern wants only {}: \
             ask for a range, [{{\"numeric\": [\">=\", {least}]}}]",
            wanted(&severity.matchers)
        );
        Some(Warning::new(Kind::ExactSeverity, Some(path), message))
    }
}

#[cfg(test)]
mod tests;
