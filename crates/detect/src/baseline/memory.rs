//! All states of baselines, in memory, within bounds.

use std::collections::BTreeMap;

use quell_model::{Record, Timestamp};

use super::{Baselines, Fired, Peers, Profile, STATES_MAX, States, Subject};

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
