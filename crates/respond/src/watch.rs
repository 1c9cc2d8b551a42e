//! After a response: whether what it did stays, how often it had to be done lately, and when containment ends.

use quell_model::{IncidentId, Resource, RunId, Timestamp, sha256_hex};
use serde::{Deserialize, Serialize};

use crate::run::Run;

/// What is watched of one playbook's responses about one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watch {
    /// The playbook.
    pub playbook: String,
    /// The resource.
    pub resource: Resource,
    /// The last run that changed it.
    pub run: RunId,
    /// That run's incident.
    pub incident: IncidentId,
    /// When it was changed: the latest [`Watch::FIXES_MAX`] times.
    pub fixes: Vec<Timestamp>,
    /// How often it was looked at since the last of them.
    pub looks: usize,
    /// How often in a row it could not be looked at.
    pub failed: u32,
    /// When it is looked at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When the containment ends, and a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Nobody is asked then: what this one run did is taken back. Nothing is looked at before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is to be done: what was done is there.
    Holds,
    /// The playbook would change something again.
    CameBack,
    /// The state could not be read.
    Unreadable,
}

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// The playbook runs again. When that happens too often, its guard asks a person.
    RunAgain,
    /// The containment has lasted as long as it may without a person's word.
    AskWhetherItStays,
    /// A person has to look, since nobody can read it.
    CannotBeWatched,
}

/// A response that is needed again within this time was undone by somebody or something.
const LATELY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// What cannot be read is tried again after this.
const AGAIN_MILLIS: i64 = 5 * 60 * 1000;
/// And so often.
const FAILED_MAX: u32 = 3;

impl Watch {
    /// More are not remembered: two within a day are too many.
    pub const FIXES_MAX: usize = 20;

    /// The id of the document that holds this watch. What ends by itself has one for each run: a later run about the same resource
    /// takes no end from an earlier one.
    pub fn own_id(&self) -> String {
        match self.ends {
            true => self.run.to_string(),
            false => Self::id(&self.playbook, &self.resource),
        }
    }

    /// The id of the document that holds the watch of a playbook over a resource.
    pub fn id(playbook: &str, resource: &Resource) -> String {
        sha256_hex(format!("{playbook}|{}", resource.arn))
    }

    /// A run has changed the resource. `hours`: how long a containment lasts; `looks`: after how many seconds it is looked at.
    pub fn of(
        before: Option<Self>,
        run: &Run,
        hours: Option<u32>,
        looks: &[u32],
        now: Timestamp,
    ) -> Self {
        let mut fixes = before.map(|before| before.fixes).unwrap_or_default();
        fixes.push(now);
        let over = fixes.len().saturating_sub(Self::FIXES_MAX);
        fixes.drain(..over);
        let mut watch = Self {
            playbook: run.playbook.clone(),
            resource: run.resource.clone(),
            run: run.id.clone(),
            incident: run.incident.clone(),
            fixes,
            looks: 0,
            failed: 0,
            due: None,
            until: hours
                .filter(|_| run.is_containment())
                .map(|hours| after_hours(now, hours)),
            ends: false,
        };
        watch.plan_next(looks);
        watch
    }

    /// The end of what one run did, which is taken back after so many hours.
    pub fn of_end(run: &Run, hours: u32, now: Timestamp) -> Self {
        let mut watch = Self {
            ends: true,
            ..Self::of(None, run, None, &[], now)
        };
        watch.keep(hours, now);
        watch
    }

    /// How often it was changed within the last day.
    pub fn fixes_lately(&self, now: Timestamp) -> usize {
        let lately = |at: &&Timestamp| now.millis_since(**at) < LATELY_MILLIS;
        self.fixes.iter().filter(lately).count()
    }

    /// Somebody looked.
    pub fn looked(&mut self, seen: Seen, looks: &[u32], now: Timestamp) -> Then {
        match seen {
            Seen::Unreadable if self.failed < FAILED_MAX => {
                self.failed = self.failed.saturating_add(1);
                self.due = Some(now.plus_millis(AGAIN_MILLIS));
                Then::Nothing
            }
            Seen::Unreadable => {
                self.due = None;
                Then::CannotBeWatched
            }
            Seen::CameBack => {
                self.due = None;
                Then::RunAgain
            }
            Seen::Holds => {
                self.failed = 0;
                self.looks = self.looks.saturating_add(1);
                if self.until.is_some_and(|until| now >= until) {
                    (self.until, self.due) = (None, None);
                    return Then::AskWhetherItStays;
                }
                self.plan_next(looks);
                Then::Nothing
            }
        }
    }

    /// A person wants the containment to last so much longer.
    pub fn keep(&mut self, hours: u32, now: Timestamp) {
        let until = after_hours(now, hours);
        (self.until, self.due) = (Some(until), Some(until));
    }

    /// It was taken back: there is nothing to watch any more.
    pub fn end(&mut self) {
        (self.until, self.due) = (None, None);
    }

    /// The next moment of the plan, or the end of the containment when that comes first or nothing else does.
    fn plan_next(&mut self, looks: &[u32]) {
        let last = self.fixes.last().copied().unwrap_or_default();
        let next = looks.get(self.looks);
        let next = next.map(|seconds| last.plus_millis(i64::from(*seconds).saturating_mul(1000)));
        self.due = match (next, self.until) {
            (Some(next), Some(until)) => Some(next.min(until)),
            (next, until) => next.or(until),
        };
    }
}

fn after_hours(now: Timestamp, hours: u32) -> Timestamp {
    now.plus_millis(i64::from(hours).saturating_mul(3_600_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKS: &[u32] = &[900, 3600];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn watch(until: Option<Timestamp>) -> Watch {
        let resource = Resource::security_group("aws", "us-east-1", "444455556666", "sg-1");
        let mut watch = Watch {
            playbook: "PB-008".into(),
            resource,
            run: "run-1".parse().unwrap(),
            incident: "inc-1".parse().unwrap(),
            fixes: vec![at(0)],
            looks: 0,
            failed: 0,
            due: None,
            until,
            ends: false,
        };
        watch.plan_next(LOOKS);
        watch
    }

    #[test]
    fn a_mend_is_looked_at_as_often_as_planned() {
        let mut watch = watch(None);
        assert_eq!(watch.due, Some(at(900)));
        assert_eq!(watch.looked(Seen::Holds, LOOKS, at(901)), Then::Nothing);
        assert_eq!(watch.due, Some(at(3600)));
        assert_eq!(watch.looked(Seen::Holds, LOOKS, at(3600)), Then::Nothing);
        assert_eq!(watch.due, None);
    }

    #[test]
    fn the_end_of_a_containment_asks_and_releases_nothing() {
        let mut watch = watch(Some(at(2000)));
        assert_eq!(watch.looked(Seen::Holds, LOOKS, at(900)), Then::Nothing);
        assert_eq!(watch.due, Some(at(2000)), "before the next look");
        assert_eq!(
            watch.looked(Seen::Holds, LOOKS, at(2000)),
            Then::AskWhetherItStays
        );
        assert_eq!(watch.due, None);
        watch.keep(1, at(2100));
        assert_eq!(watch.due, Some(at(2100 + 3600)));
    }

    #[test]
    fn what_comes_back_is_answered_and_counted_and_what_cannot_be_read_is_a_persons() {
        let mut watch = watch(None);
        assert_eq!(watch.looked(Seen::CameBack, LOOKS, at(900)), Then::RunAgain);
        watch.fixes.push(at(950));
        assert_eq!(watch.fixes_lately(at(1000)), 2);
        assert_eq!(watch.fixes_lately(at(86_500)), 1);
        for _ in 0..FAILED_MAX {
            assert_eq!(
                watch.looked(Seen::Unreadable, LOOKS, at(1000)),
                Then::Nothing
            );
            assert!(watch.due.is_some());
        }
        assert_eq!(
            watch.looked(Seen::Unreadable, LOOKS, at(1000)),
            Then::CannotBeWatched
        );
    }
}
