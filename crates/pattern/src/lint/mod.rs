//! Patterns that EventBridge accepts and that do not do what they were written for.

mod fields;
mod sources;
mod table;

use std::fmt;

use crate::compile::complexity;
use crate::limits::COMPLEXITY_MAX;
use crate::pattern::Pattern;
use crate::words::wanted;

/// From which complexity on a warning is given. One more wildcard adds two prefixes or more, and would be refused.
const COMPLEXITY_WARN: usize = COMPLEXITY_MAX - 2;

/// Something a pattern does that its author will not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    kind: Kind,
    path: Option<String>,
    message: String,
    suggestions: Vec<String>,
}

/// What a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// No event can match.
    NeverMatches,
    /// Every event matches, or every event of AWS.
    MatchesEverything,
    /// The pattern asks for fields that different AWS sources have, in one event.
    MixedSources,
    /// One of the sources or detail-types asked for can never match, because of a field it does not have.
    DeadSource,
    /// A `detail-type` that none of the sources sends, or a `source` that sends none of the detail-types.
    Mismatch,
    /// A field that no event asked for has.
    UnknownField,
    /// A source or detail-type in the wrong letter case.
    LetterCase,
    /// A field whose values exclude nothing, or values that add nothing.
    NoCondition,
    /// A list that a later one of the same field replaces.
    Replaced,
    /// Exact values of a severity that has decimals.
    ExactSeverity,
    /// Wildcards close to what EventBridge refuses as too complex.
    NearLimit,
}

impl Kind {
    /// A word for it, for output that scripts read.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverMatches => "never-matches",
            Self::MatchesEverything => "matches-everything",
            Self::MixedSources => "mixed-sources",
            Self::DeadSource => "dead-source",
            Self::Mismatch => "mismatch",
            Self::UnknownField => "unknown-field",
            Self::LetterCase => "letter-case",
            Self::NoCondition => "no-condition",
            Self::Replaced => "replaced",
            Self::ExactSeverity => "exact-severity",
            Self::NearLimit => "near-limit",
        }
    }
}

impl Warning {
    fn new(kind: Kind, path: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.map(str::to_owned),
            message: message.into(),
            suggestions: Vec::new(),
        }
    }

    fn suggest(mut self, pattern: String) -> Self {
        self.suggestions.push(pattern);
        self
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The field it is about, its names joined by dots, if it is about one.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// What is wrong, and why.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Patterns that do what will have been meant, as JSON; with several, one rule is needed for each. Of a pattern with
    /// `$or` they stand for the one combination the warning is about.
    pub fn suggestions(&self) -> &[String] {
        &self.suggestions
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {path}: {}", self.kind.name(), self.message),
            None => write!(f, "{}: {}", self.kind.name(), self.message),
        }
    }
}

/// What `pattern` does that its author will not have meant, each thing once.
///
/// What can match is judged by the rules [`Pattern`] follows; what AWS sends, by the event formats that the services
/// document. A source, detail-type or field that this crate does not know is not judged.
pub fn lint(pattern: &Pattern) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for branch in &pattern.branches {
        let mut found = fields::check(branch);
        found.extend(sources::check(branch));
        for warning in found {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    for replaced in &pattern.replaced {
        let message = format!(
            "is asked for twice, and only the last counts: not {}, but {}",
            wanted(&replaced.first),
            wanted(&replaced.last)
        );
        warnings.push(Warning::new(Kind::Replaced, Some(&replaced.path), message));
    }
    if let Some((path, measure)) = complexity::most(&pattern.branches)
        && measure >= COMPLEXITY_WARN
    {
        let message = format!(
            "its wildcards keep {measure} prefixes alive at once, and more than {COMPLEXITY_MAX} are refused: \
             use fewer stars, or fewer repeated characters after a star"
        );
        warnings.push(Warning::new(Kind::NearLimit, Some(path), message));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn kinds(pattern: &str) -> Vec<String> {
        let said = |w: &Warning| format!("{} {}", w.kind().name(), w.path().unwrap_or("-"));
        lint(&Pattern::parse(pattern).unwrap())
            .iter()
            .map(said)
            .collect()
    }

    #[test]
    fn a_good_pattern_has_no_warnings() {
        for pattern in [
            r#"{"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": {"severity": [{"numeric": [">=", 7]}]}}"#,
            r#"{"source": ["aws.s3"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["PutBucketAcl"]}}"#,
            r#"{"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventSource": ["iam.amazonaws.com"]}}"#,
            r#"{"account": ["123456789012"]}"#,
            r#"{"source": ["com.example"], "detail": {"anything": [1]}}"#,
            r#"{"a": [{"wildcard": "x*y"}]}"#,
        ] {
            assert_eq!(kinds(pattern), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn a_replaced_list_is_said() {
        assert_eq!(
            kinds(r#"{"a": [{"exists": true}], "a": [{"exists": false}]}"#),
            ["replaced a"]
        );
        assert_eq!(
            kinds(r#"{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}"#),
            ["replaced a"]
        );
        assert_eq!(kinds(r#"{"a": [1], "a": [1]}"#), [""; 0]);
    }

    #[test]
    fn wildcards_near_the_limit_are_said() {
        assert_eq!(
            kinds(
                r#"{"a": [{"wildcard": "*:stack/Auth/*"}, {"wildcard": "*:stack/Data/*"}, {"wildcard": "*:stack/Shared/*"}]}"#
            ),
            ["near-limit a"]
        );
    }
}
