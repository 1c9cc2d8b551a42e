//! Links of many sessions, in memory.

use std::collections::BTreeMap;

use quell_model::{Event, Record, Timestamp};

use super::{Caller, Link, Links, Session, Step, Walk, caller, made};

/// So many sessions are kept; of more, those that end first are forgotten: some hours of a large organisation.
pub const CHAINS_MAX: usize = 50_000;

/// Links of many sessions, in memory: for rules that are tried on old records, and for tests.
#[derive(Debug, Default)]
pub struct Chains {
    links: BTreeMap<(String, i64), Links>,
}

impl Chains {
    /// Takes what a record says of a session that it made. Answers who had waited for it.
    pub fn take(&mut self, event: &Event, record: &Record) -> Vec<String> {
        made(event, record)
            .map(|link| self.add(link))
            .unwrap_or_default()
    }

    /// Takes a link. Answers who had waited for it.
    pub fn add(&mut self, link: Link) -> Vec<String> {
        let waiting = self.links.entry(id(&link.session)).or_default().take(link);
        if self.links.len() > CHAINS_MAX {
            self.forget();
        }
        waiting
    }

    /// Who began what ended in a call. `who` hears of it later when that is not known yet.
    pub fn resolve(&mut self, event: &Event, record: &Record, who: &str) -> Step {
        let Some(caller) = caller(event, record) else {
            return Step::Nobody;
        };
        let step = self.begun_by(caller, event.time);
        if let Step::Unknown(session) = &step {
            self.links.entry(id(session)).or_default().wait(who);
        }
        step
    }

    /// Who began what a caller did at a moment.
    pub fn begun_by(&self, caller: Caller, used: Timestamp) -> Step {
        let mut walk = match Walk::from(caller, used) {
            Ok(walk) => walk,
            Err(step) => return step,
        };
        loop {
            match walk.next(self.links.get(&id(walk.wants()))) {
                Step::Wants(_) => {}
                step => return step,
            }
        }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    fn forget(&mut self) {
        let mut ends: Vec<(Timestamp, (String, i64))> = self
            .links
            .iter()
            .map(|(id, links)| {
                let made = Timestamp::from_millis(id.1.saturating_mul(1000));
                (links.expires().unwrap_or(made), id.clone())
            })
            .collect();
        ends.sort_unstable();
        for (_, id) in ends.into_iter().take(CHAINS_MAX / 8) {
            self.links.remove(&id);
        }
    }
}

fn id(session: &Session) -> (String, i64) {
    (session.arn.clone(), session.created)
}
