//! The world as the events tell it: what calls changed, and what a read would have answered.

use std::collections::BTreeSet;

use quell_model::{Call, Record, RecordId, Resource, Timestamp};
use quell_respond::Playbook;
use serde::Deserialize;
use serde_json::Value;

use super::security_groups::SecurityGroups;

/// A call that succeeded and changed something that a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// When it happened.
    pub(super) at: Timestamp,
    /// The record that tells it.
    pub(super) record: RecordId,
    /// CloudTrail's `eventName`.
    pub(super) name: String,
    /// Where.
    pub(super) place: Place,
    /// The members `requestParameters` and `responseElements`, as text: most are never looked at.
    pub(super) body: Box<str>,
}

/// An account and a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

/// What a read would have answered.
pub(super) enum Seen {
    /// This, as far as the events tell. What they do not tell is in the notes.
    Answer(Value),
    /// No event tells anything of it.
    Untold,
}

/// A part of AWS, put together from events.
pub(super) trait World: Send {
    /// Applies a change. Answers which things that the playbook had taken away were gone in truth by then too.
    fn apply(&mut self, change: &Change) -> Vec<String>;
    /// What a call that reads would have answered. Notes say what would have been read and no event tells.
    fn read(&self, of: &Resource, call: &Call, notes: &mut BTreeSet<String>) -> Seen;
    /// Does what a playbook plans. Answers what it takes away, by names that [`World::apply`] answers.
    fn act(&mut self, of: &Resource, call: &Call) -> Vec<String>;
    /// What a planned call would take away; it is not done.
    fn takes(&self, call: &Call) -> Vec<String>;
}

/// Which worlds a playbook looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worlds {
    security_groups: bool,
}

/// The members of a record that a change needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    event_time: Timestamp,
    #[serde(borrow)]
    event_source: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    event_name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    aws_region: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    recipient_account_id: std::borrow::Cow<'a, str>,
    #[serde(default, borrow)]
    error_code: Option<std::borrow::Cow<'a, str>>,
}

impl Worlds {
    /// Those of a playbook: none, when nobody has written one for what it is about.
    pub(super) fn of(playbook: &Playbook) -> Self {
        Self {
            security_groups: playbook.is_for("AWS::EC2::SecurityGroup"),
        }
    }

    /// An empty one.
    pub(super) fn world(self) -> Option<Box<dyn World>> {
        self.security_groups
            .then(|| Box::new(SecurityGroups::default()) as Box<dyn World>)
    }

    /// What a record changes in it.
    pub(super) fn change(self, record: &Record) -> Option<Change> {
        let text = record.body.get();
        // Nearly all records are about something else: they are not even read.
        if !self.security_groups || !text.contains("SecurityGroup") {
            return None;
        }
        let told: Told<'_> = serde_json::from_str(text).ok()?;
        let is_change = SecurityGroups::is_change(&told.event_source, &told.event_name);
        (is_change && told.error_code.is_none()).then(|| Change {
            at: told.event_time,
            record: record.id.clone(),
            name: told.event_name.into_owned(),
            place: Place {
                account: told.recipient_account_id.into_owned(),
                region: told.aws_region.into_owned(),
            },
            body: text.into(),
        })
    }
}
