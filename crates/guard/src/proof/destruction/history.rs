//! What CloudTrail's event history showed of a resource, as the plan tells it: only calls that succeeded, at most 85 days back.

use quell_model::Timestamp;
use serde_json::Value;

use crate::proof::attributes::Asked;

/// How far back the history is looked through. It keeps 90 days; what happened before is not known from it.
const DAYS: i64 = 85;

/// A call that somebody made.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    pub at: Timestamp,
    said: &'a Value,
}

impl<'a> Event<'a> {
    pub(super) fn says(&self, name: &str) -> Option<&'a Value> {
        self.said.get(name)
    }
}

/// The calls of some names on this resource, apart by whether they were made before it began.
pub(super) struct History<'a> {
    /// The newest first.
    pub before: Vec<Event<'a>>,
    /// From the first event of the incident on, the oldest first.
    pub since: Vec<Event<'a>>,
    /// When it began.
    pub began: Timestamp,
}

impl<'a> History<'a> {
    /// `None` when nobody knows when it began, or when not all was read: then the history shows nothing.
    pub(super) fn of(asked: &Asked<'a>, names: &[&str]) -> Option<Self> {
        let began = asked.claim.known.since?;
        if asked.facts.get("historyIsWhole") != Some(&Value::Bool(true)) {
            return None;
        }
        let listed = asked.facts.get("history")?.as_array()?;
        let is_meant = |said: &&Value| {
            let event = said.get("event").and_then(Value::as_str);
            event.is_some_and(|event| names.contains(&event))
        };
        let read = |said: &'a Value| {
            let at = said.get("at")?.as_str()?.parse().ok()?;
            Some(Event { at, said })
        };
        let all: Option<Vec<_>> = listed.iter().filter(is_meant).map(read).collect();
        let (mut before, mut since): (Vec<_>, Vec<_>) =
            all?.into_iter().partition(|event| event.at < began);
        before.sort_by_key(|event| std::cmp::Reverse(event.at));
        since.sort_by_key(|event| event.at);
        Some(Self {
            before,
            since,
            began,
        })
    }

    /// Whether the history goes back to that moment.
    pub(super) fn reaches(&self, moment: Timestamp) -> bool {
        moment >= self.began.plus_millis(-DAYS * 86_400_000)
    }

    /// The last thing that was said of it before it began.
    pub(super) fn last(&self, name: &str) -> Option<&'a Value> {
        self.before.iter().find_map(|event| event.says(name))
    }

    /// What anybody said of it since.
    pub(super) fn says_since(&self, name: &str, value: &Value) -> bool {
        self.since
            .iter()
            .any(|event| event.says(name) == Some(value))
    }
}
