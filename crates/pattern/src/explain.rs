//! Why a pattern matched an event, or what stopped it.

use std::fmt;

use crate::evaluate::holds;
use crate::event::{Event, Leaf, Value};
use crate::limits::SEEN_MAX;
use crate::matcher::Matcher;
use crate::pattern::{Branch, Condition};
use crate::words::{quote, wanted};

/// Why a pattern matched an event, or what stopped it, by the rules [`crate::Pattern`] follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    combinations: Vec<Combination>,
}

/// One way through the `$or`s of a pattern; a pattern without `$or` has exactly one.
#[derive(Debug, Clone, PartialEq)]
pub struct Combination {
    fields: Vec<Field>,
}

/// One field of a combination.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    path: String,
    wanted: String,
    stop: Option<Stop>,
    seen: Vec<Seen>,
    seen_total: usize,
}

/// A value the event has for a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    json: String,
    accepted: bool,
}

/// What stopped a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The event does not have the field.
    Missing,
    /// The event has the field, and none of its values is wanted.
    Different,
    /// The event has the field, which should be absent.
    Present,
    /// A value is wanted, but lies in another array element than the values taken for the fields before. Said too when
    /// only all fields together pass a limit.
    OtherElement,
    /// The event is past [`crate::CHOICES_MAX`] or [`crate::STEPS_MAX`].
    Limit,
}

impl Stop {
    /// One word for it, for output that scripts read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Present => "present",
            Self::OtherElement => "other-element",
            Self::Limit => "limit",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the event does not have it",
            Self::Different => "no value of it is wanted",
            Self::Present => "the event has it",
            Self::OtherElement => {
                "its wanted value is in another array element than those of the fields before"
            }
            Self::Limit => "the event has too many values to compare",
        })
    }
}

impl Explanation {
    pub(crate) fn new(branches: &[Branch], event: &Event) -> Self {
        Self {
            combinations: branches
                .iter()
                .map(|branch| Combination::new(branch, event))
                .collect(),
        }
    }

    /// The verdict, which [`crate::Pattern::matches`] gives too: whether any combination matches.
    pub fn matches(&self) -> bool {
        self.combinations.iter().any(Combination::matches)
    }

    /// Every combination, in the order of the pattern.
    pub fn combinations(&self) -> &[Combination] {
        &self.combinations
    }

    /// The combination to look at: the first that matches, else the one that the fewest fields stop.
    pub fn nearest(&self) -> Option<&Combination> {
        let stopped = |c: &&Combination| c.fields.iter().filter(|field| !field.matches()).count();
        self.combinations.iter().min_by_key(stopped)
    }
}

impl Combination {
    fn new(branch: &[Condition], event: &Event) -> Self {
        // The fields are taken in order, so the verdict on the first n is final for all that follow.
        let holds_to = |n: usize| branch.get(..n).is_some_and(|first| holds(first, event));
        let held = if holds_to(branch.len()) {
            branch.len()
        } else {
            (0..branch.len()).take_while(|at| holds_to(at + 1)).count()
        };
        let field = |(at, condition): (usize, &Condition)| {
            let stop = if at < held {
                None
            } else {
                stop(condition, event, at == held)
            };
            Field::new(condition, event, stop)
        };
        Self {
            fields: branch.iter().enumerate().map(field).collect(),
        }
    }

    /// Whether every field matches.
    pub fn matches(&self) -> bool {
        self.fields.iter().all(Field::matches)
    }

    /// The fields, in the order in which they are compared.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// What stops `condition`: by itself, or because it is the first that does `not_follow` from the fields before.
fn stop(condition: &Condition, event: &Event, not_follow: bool) -> Option<Stop> {
    let leaves = event.leaves(&condition.path);
    let accepts = |leaf: &&Leaf| {
        condition
            .matchers
            .iter()
            .any(|m| m.accepts(leaf.value.scalar()))
    };
    let only_absent = condition.matchers.iter().all(|m| *m == Matcher::Absent);
    if holds(std::slice::from_ref(condition), event) {
        return not_follow.then_some(Stop::OtherElement);
    }
    Some(if leaves.is_empty() {
        Stop::Missing
    } else if only_absent {
        Stop::Present
    } else if leaves.iter().any(accepts) {
        Stop::Limit
    } else {
        Stop::Different
    })
}

impl Field {
    fn new(condition: &Condition, event: &Event, stop: Option<Stop>) -> Self {
        let leaves = event.leaves(&condition.path);
        let see = |leaf: &&Leaf| Seen {
            json: json(&leaf.value),
            accepted: condition
                .matchers
                .iter()
                .any(|m| m.accepts(leaf.value.scalar())),
        };
        let mut seen: Vec<Seen> = leaves.iter().map(see).collect();
        seen.sort_by_key(|value| !value.accepted);
        seen.truncate(SEEN_MAX);
        Self {
            path: condition.path.to_string(),
            wanted: wanted(&condition.matchers),
            stop,
            seen,
            seen_total: leaves.len(),
        }
    }

    /// Its names, joined by dots: `detail.state`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the pattern asks of it, in words.
    pub fn wanted(&self) -> &str {
        &self.wanted
    }

    /// Whether it matches.
    pub fn matches(&self) -> bool {
        self.stop.is_none()
    }

    /// What stopped it, if it does not match.
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// The values the event has for it, the accepted first, at most [`crate::SEEN_MAX`].
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// How many values the event has for it.
    pub fn seen_total(&self) -> usize {
        self.seen_total
    }
}

impl Seen {
    /// The value, as JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether the pattern accepts it for this field.
    pub fn accepted(&self) -> bool {
        self.accepted
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Text(text) => quote(text),
        Value::Number { text, .. } => text.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn explain(pattern: &str, event: &str) -> Explanation {
        let event = Event::parse(event.as_bytes()).unwrap();
        Pattern::parse(pattern).unwrap().explain(&event)
    }

    /// `path stop` of each field of the nearest combination.
    fn stops(pattern: &str, event: &str) -> Vec<String> {
        let explanation = explain(pattern, event);
        let fields = explanation.nearest().unwrap().fields();
        let said = |field: &Field| {
            let stop = field.stop().map_or("ok", Stop::name);
            format!("{} {stop}", field.path())
        };
        fields.iter().map(said).collect()
    }

    #[test]
    fn every_stop_is_named() {
        assert_eq!(
            stops(
                r#"{"a": [1], "b": [1], "c": [1], "d": [{"exists": false}], "e": [1, {"exists": false}]}"#,
                r#"{"a": 1, "b": [2, 3], "d": 1, "e": 2}"#
            ),
            [
                "a ok",
                "b different",
                "c missing",
                "d present",
                "e different"
            ]
        );
        let arrays = r#"{"d": [{"a": 1}, {"b": 2}]}"#;
        assert_eq!(
            stops(r#"{"d": {"a": [1], "b": [2]}}"#, arrays),
            ["d.a ok", "d.b other-element"]
        );
        assert_eq!(
            stops(r#"{"d": {"a": [1], "b": [{"exists": false}]}}"#, arrays),
            ["d.a ok", "d.b ok"],
            "absent in the element of a"
        );
    }

    #[test]
    fn says_what_it_saw_and_what_it_wanted() {
        let explanation = explain(
            r#"{"a": [{"prefix": "x"}, 5]}"#,
            r#"{"a": ["y", "xy", null]}"#,
        );
        let field = &explanation.combinations()[0].fields()[0];
        assert!(explanation.matches() && field.matches());
        assert_eq!(
            field.wanted(),
            r#"text that begins with "x" or the number 5"#
        );
        let seen: Vec<_> = field
            .seen()
            .iter()
            .map(|s| (s.json(), s.accepted()))
            .collect();
        assert_eq!(seen, [("\"xy\"", true), ("\"y\"", false), ("null", false)]);
    }

    #[test]
    fn many_values_are_counted_not_shown() {
        let event = format!(r#"{{"a": [{}1]}}"#, "0,".repeat(500));
        let explanation = explain(r#"{"a": [1]}"#, &event);
        let field = &explanation.combinations()[0].fields()[0];
        assert_eq!((field.seen().len(), field.seen_total()), (SEEN_MAX, 501));
        assert_eq!(field.seen()[0].json(), "1");
    }

    #[test]
    fn the_nearest_combination_is_the_one_to_look_at() {
        let pattern = r#"{"s": [1], "$or": [{"a": [1], "b": [1]}, {"c": [1]}]}"#;
        assert_eq!(stops(pattern, r#"{"s": 1}"#), ["c missing", "s ok"]);
        assert_eq!(
            stops(pattern, r#"{"s": 1, "a": 1, "b": 1}"#),
            ["a ok", "b ok", "s ok"]
        );
        assert_eq!(explain(pattern, r#"{"s": 1}"#).combinations().len(), 2);
    }
}
