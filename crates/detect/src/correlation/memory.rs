//! Correlations as detectors that remember: their groups can be kept by whoever keeps states.

use quell_model::Timestamp;

use super::{Correlation, Fired, GroupState, Hit, LATENESS_MILLIS};
use crate::memory::{Keeping, Stateful, Until};

impl Stateful for Correlation {
    type State = GroupState;
    type Input = Hit;
    type Fired = Fired;

    fn memory(&self) -> &str {
        &self.memory
    }

    fn begin(&self, forgotten: Option<Timestamp>) -> GroupState {
        GroupState::after(forgotten)
    }

    fn step(&self, state: GroupState, hit: Hit) -> (GroupState, Vec<Fired>) {
        let step = Correlation::step(self, state, hit);
        (step.state, step.fired)
    }

    fn advance(&self, state: GroupState, to: Timestamp) -> (GroupState, Vec<Fired>) {
        let step = Correlation::advance(self, state, to);
        (step.state, step.fired)
    }

    fn keeping(&self, state: &GroupState) -> Keeping {
        let until = if state.is_empty() {
            Until::Now
        } else if self.waits() {
            Until::Closed(state.due(self.span_millis))
        } else {
            // Whatever shares a window with a hit happens within a timespan of it, and is here an hour later.
            Until::Quiet(self.span_millis.saturating_add(LATENESS_MILLIS))
        };
        Keeping {
            size: state.len(),
            newest: state.newest(),
            until,
        }
    }
}
