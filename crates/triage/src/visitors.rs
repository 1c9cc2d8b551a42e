//! Who acted on one resource: incidents that are about different people, and may be one story.

use quell_model::{IncidentId, Timestamp};
use serde::{Deserialize, Serialize};

/// Incidents whose people acted on a resource within so long of each other are told of each other.
const NEAR_MILLIS: i64 = 4 * 60 * 60 * 1000;
/// Somebody who comes back sooner is not noted anew: a busy resource need not be written with each record.
const NOTED_MILLIS: i64 = 10 * 60 * 1000;
/// A resource that everybody uses tells nothing: so many incidents are remembered, the last.
const INCIDENTS_MAX: usize = 20;

/// The incidents whose people acted on a resource lately, and when they last did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Visitors(Vec<(IncidentId, Timestamp)>);

impl Visitors {
    /// So long somebody is remembered after whom nobody came.
    pub const QUIET_MILLIS: i64 = NEAR_MILLIS;

    /// Somebody of an incident acted on the resource `at`. Answers the incidents of others who did so lately, when this one
    /// was not there lately itself.
    #[must_use]
    pub fn visit(mut self, incident: &IncidentId, at: Timestamp) -> (Self, Vec<IncidentId>) {
        let near = |other: Timestamp| at.millis_since(other).abs() <= NEAR_MILLIS;
        let here = self.0.iter_mut().find(|(id, _)| id == incident);
        if let Some((_, last)) = here {
            let was_near = near(*last);
            if at.millis_since(*last) > NOTED_MILLIS {
                *last = at;
            }
            if was_near {
                return (self, Vec::new());
            }
        } else {
            self.0.push((incident.clone(), at));
        }
        let others = self
            .0
            .iter()
            .filter(|(id, last)| id != incident && near(*last));
        let others = others.map(|(id, _)| id.clone()).collect();
        self.0.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        let surplus = self.0.len().saturating_sub(INCIDENTS_MAX);
        self.0.drain(..surplus);
        (self, others)
    }

    /// How many incidents are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When somebody was last here.
    pub fn newest(&self) -> Option<Timestamp> {
        self.0.iter().map(|(_, last)| *last).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> IncidentId {
        IncidentId::of(Timestamp::EPOCH, &n.to_string())
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    #[test]
    fn those_who_were_here_lately_are_told_once() {
        let (visitors, others) = Visitors::default().visit(&id(1), at(0));
        assert_eq!(others, []);
        let (visitors, others) = visitors.visit(&id(2), at(30));
        assert_eq!(others, vec![id(1)]);
        let (visitors, others) = visitors.visit(&id(2), at(40));
        assert_eq!(others, [], "it is known");
        let (visitors, others) = visitors.visit(&id(3), at(260));
        assert_eq!(others, vec![id(2)], "the first was here too long ago");
        let (_, others) = visitors.visit(&id(1), at(261));
        assert_eq!(others, vec![id(2), id(3)], "and comes back");
    }

    #[test]
    fn the_last_are_remembered_when_there_are_many() {
        let mut visitors = Visitors::default();
        for n in 0..100 {
            visitors = visitors.visit(&id(n), at(n as i64)).0;
        }
        assert_eq!(visitors.len(), INCIDENTS_MAX);
        assert_eq!(visitors.newest(), Some(at(99)));
    }
}
