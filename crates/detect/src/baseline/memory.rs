//! All states of baselines, in memory, within bounds.

use std::collections::BTreeMap;

use quell_model::{Record, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Baselines, DAY_MILLIS, Fired, Peers, Profile, REMEMBERED_DAYS, STATES_MAX, States, Step,
    Subject,
};
use crate::memory::{Keeping, Remembers, Until};

/// What is kept under one of a subject's keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kept {
    /// Nothing yet.
    #[default]
    Nothing,
    /// An entity's past.
    Profile(Box<Profile>),
    /// What a group has seen.
    Peers(Box<Peers>),
}

impl Remembers for Baselines {
    type State = Kept;

    fn memory(&self) -> &str {
        &self.memory
    }

    /// What was forgotten is learned anew: that is the same as never having known it.
    fn begin(&self, _forgotten: Option<Timestamp>) -> Kept {
        Kept::Nothing
    }

    fn keeping(&self, state: &Kept) -> Keeping {
        let (size, newest) = match state {
            Kept::Nothing => (0, None),
            Kept::Profile(profile) => (profile.size(), Some(profile.newest())),
            Kept::Peers(peers) => (peers.size(), Some(peers.newest())),
        };
        Keeping {
            size,
            newest,
            until: Until::Quiet(REMEMBERED_DAYS * DAY_MILLIS),
        }
    }
}

impl Baselines {
    /// As [`Baselines::step`], for whoever keeps states one by one: they come and go in the order of [`Subject::keys`]. Answers the next
    /// states, each with whether it changed, and what fires.
    pub fn step_kept(
        &self,
        kept: Vec<Kept>,
        record: &Record,
        at: Timestamp,
        subject: &Subject,
    ) -> (Vec<(Kept, bool)>, Vec<Fired>) {
        let mut states = States::default();
        for (n, kept) in kept.into_iter().enumerate() {
            match kept {
                Kept::Profile(profile) if n == 0 => states.entity = Some(*profile),
                Kept::Peers(peers) if n > 0 => states.peers.push(Some(*peers)),
                _ if n > 0 => states.peers.push(None),
                _ => {}
            }
        }
        let Step {
            states,
            changed,
            fired,
        } = self.step(states, record, at, subject);
        let entity = states
            .entity
            .map_or(Kept::Nothing, |p| Kept::Profile(Box::new(p)));
        let peers = states.peers.into_iter();
        let peers = peers.map(|peers| peers.map_or(Kept::Nothing, |p| Kept::Peers(Box::new(p))));
        (
            std::iter::once(entity).chain(peers).zip(changed).collect(),
            fired,
        )
    }
}

/// The states of baselines, in memory: for rules that are tried on old records, and for tests.
///
/// It keeps at most [`STATES_MAX`] entities and groups. Beyond that the eighth that was quiet longest (by event time) is forgotten: those are learned
/// anew, and nothing fires because of it.
#[derive(Debug, Default)]
pub struct Memory {
    entities: BTreeMap<String, Profile>,
    peers: BTreeMap<String, Peers>,
}

impl Memory {
    /// Takes a record of a subject; answers what fires.
    pub fn step(
        &mut self,
        baselines: &Baselines,
        record: &Record,
        at: Timestamp,
        subject: &Subject,
    ) -> Vec<Fired> {
        let key = format!("{:?} {}", subject.kind, subject.entity);
        let states = States {
            entity: self.entities.remove(&key),
            peers: subject
                .peers
                .iter()
                .map(|group| self.peers.remove(group))
                .collect(),
        };
        let step = baselines.step(states, record, at, subject);
        self.entities
            .extend(step.states.entity.map(|profile| (key, profile)));
        let peers = subject.peers.iter().zip(step.states.peers);
        self.peers
            .extend(peers.filter_map(|(group, state)| Some((group.clone(), state?))));
        forget(&mut self.entities, Profile::newest);
        forget(&mut self.peers, Peers::newest);
        step.fired
    }

    /// How many entities and groups are kept.
    pub fn len(&self) -> usize {
        self.entities.len() + self.peers.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn forget<S>(states: &mut BTreeMap<String, S>, newest: impl Fn(&S) -> Timestamp) {
    if states.len() <= STATES_MAX / 2 {
        return;
    }
    let mut ages: Vec<(Timestamp, String)> = states
        .iter()
        .map(|(key, state)| (newest(state), key.clone()))
        .collect();
    ages.sort_unstable();
    for (_, key) in ages.into_iter().take(STATES_MAX / 16) {
        states.remove(&key);
    }
}
