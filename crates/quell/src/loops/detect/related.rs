//! Incidents about different people who acted on one resource are told of each other.

use quell_detect::{Keeping, Stateful, Until};
use quell_model::{IncidentId, Timestamp};
use quell_store::{Kind, State, StoreError};
use quell_triage::Visitors;

use super::Worker;
use super::memory::Memories;
use super::placing::Placing;

/// So many incidents are remembered of all resources together.
pub(super) const VISITS_MAX: usize = 16 * 1024;

/// What is remembered of resources: whose incidents touched them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resources;

impl Stateful for Resources {
    type State = Visitors;
    type Input = (IncidentId, Timestamp);
    type Fired = IncidentId;

    fn memory(&self) -> &str {
        "triage/visitors"
    }

    /// Whoever was forgotten is not told.
    fn begin(&self, _forgotten: Option<Timestamp>) -> Visitors {
        Visitors::default()
    }

    fn step(
        &self,
        state: Visitors,
        (incident, at): (IncidentId, Timestamp),
    ) -> (Visitors, Vec<IncidentId>) {
        state.visit(&incident, at)
    }

    fn advance(&self, state: Visitors, _: Timestamp) -> (Visitors, Vec<IncidentId>) {
        (state, Vec::new())
    }

    fn keeping(&self, state: &Visitors) -> Keeping {
        Keeping {
            size: state.len(),
            newest: state.newest(),
            until: Until::Quiet(Visitors::QUIET_MILLIS),
        }
    }
}

impl Worker {
    /// Tells incidents of each other whose people acted on one resource: those of the findings that were just placed.
    pub(super) async fn relate(
        &mut self,
        store: &dyn State,
        placing: &mut Placing,
    ) -> Result<(), StoreError> {
        for visit in placing.take_visits() {
            let (group, input) = (vec![visit.resource], (visit.incident.clone(), visit.at));
            let visitors: &mut Memories<Resources> = &mut self.visitors;
            let step = visitors.step(store, &Resources, &group, input, visit.at);
            for other in step.await? {
                placing.link(visit.incident.clone(), other);
            }
        }
        Ok(())
    }
}

impl Placing {
    /// Writes down who is related to whom. Last of all: an incident that the batch changes is not read beside that.
    pub(super) async fn relate(&mut self, store: &dyn State) -> Result<(), StoreError> {
        for (one, other) in self.take_links() {
            for (id, related) in [(&one, &other), (&other, &one)] {
                if self.knows(id, related) {
                    continue;
                }
                let Some(document) = store.get(Kind::Incident, id.as_str()).await? else {
                    continue;
                };
                self.read(document.read()?, document);
                self.knows(id, related);
            }
        }
        Ok(())
    }
}
