//! What is known of how one session came to be.

use std::collections::BTreeSet;

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Caller, Link, Session};

/// Records of sessions of one role, one name and one second: two for each session. More are not believed.
const RECORDS_MAX: usize = 16;
/// So many wait to hear who began a session.
const WAITING_MAX: usize = 64;
/// Clocks of two services differ a little, and a call that began in time may be recorded after.
const GRACE_MILLIS: i64 = 5 * 60 * 1000;

/// How the sessions of one role, one name and one second came to be: what every record says of it. What follows from that is worked out when it
/// is asked for, so it does not matter in which order records come, or how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    links: Vec<Link>,
    /// There were more than are kept: nothing is believed.
    #[serde(default)]
    too_many: bool,
    /// Who asked before there was an answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<String>,
}

impl Links {
    /// Takes what a record says. Answers who had waited for it, when it is news.
    pub fn take(&mut self, link: Link) -> Vec<String> {
        let by_record = |known: &Link| known.record.cmp(&link.record);
        let Err(at) = self.links.binary_search_by(by_record) else {
            return Vec::new();
        };
        if self.links.len() >= RECORDS_MAX {
            self.too_many = true;
            return Vec::new();
        }
        self.links.insert(at, link);
        std::mem::take(&mut self.waiting)
    }

    /// The link of a session that was used at a moment; `None` when there is none, or when two would fit.
    pub(super) fn of(&self, session: &Session, used: Timestamp) -> Option<&Link> {
        if self.too_many {
            return None;
        }
        let key = &session.access_key;
        let is_its = |link: &&&Link| link.session.access_key == *key;
        let (its, keyless): (Vec<&Link>, Vec<&Link>) = self
            .links
            .iter()
            .filter(|link| is_its(&link) || link.session.access_key.is_none())
            .partition(|link| is_its(&link));
        let (foreign, known): (Vec<&Link>, Vec<&Link>) =
            its.into_iter().partition(|link| link.is_foreign());
        // What the role's account saw of the caller holds for what the caller's account says.
        let fits = |link: &&Link| foreign.iter().all(|f| f.fits(link));
        if !known.iter().all(fits) {
            return None;
        }
        // One that does not say which session it is of needs the other account's word for it.
        let keyless = keyless.into_iter().filter(|link| !link.is_foreign());
        let keyless = keyless.filter(|link| !foreign.is_empty() && fits(link));
        let all: Vec<&Link> = known.into_iter().chain(keyless).collect();
        let parents: BTreeSet<String> = all
            .iter()
            .map(|link| format!("{:?}", link.parent))
            .collect();
        let link = all.into_iter().min_by_key(|link| &link.record)?;
        let lasts = used.millis() <= link.expires.millis() + GRACE_MILLIS;
        (parents.len() == 1 && lasts).then_some(link)
    }

    /// Notes who wants to hear of it. More than so many are not noted.
    pub fn wait(&mut self, who: &str) {
        if self.waiting.len() < WAITING_MAX && !self.waiting.iter().any(|w| w == who) {
            self.waiting.push(who.to_owned());
        }
    }

    /// How many records say something.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Until when the last of its sessions lasts.
    pub fn expires(&self) -> Option<Timestamp> {
        self.links.iter().map(|link| link.expires).max()
    }
}

impl Link {
    fn is_foreign(&self) -> bool {
        matches!(self.parent, Caller::Foreign { .. })
    }

    /// Whether two records may be of one call: the caller's account and id, and the id that AWS gives both, are the same.
    fn fits(&self, other: &Link) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        agree(&self.parent_account, &other.parent_account)
            && agree(&self.parent_id, &other.parent_id)
            && agree(&self.shared, &other.shared)
    }
}
