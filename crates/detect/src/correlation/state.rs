//! One group of one correlation: its hits in order of time, and the step that a hit makes.

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Correlation, Fired, GROUP_HITS_MAX, Hit, LATENESS_MILLIS, NAMED_MAX};

/// What is known of a group. It reads and writes as JSON, so it can be kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupState {
    /// By time, then by record; each record once.
    hits: Vec<Hit>,
    /// Hits before this are too late; windows that end before it are closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watermark: Option<Timestamp>,
    /// The stretches that fired and that hits may still fall into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fired: Vec<Timestamp>,
    /// The newest hit that the bound made the group forget: windows that reach back to it are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Timestamp>,
}

/// What became of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It counts.
    Counted,
    /// Its record was there already.
    Duplicate,
    /// It is more than [`LATENESS_MILLIS`] older than the newest hit of the group, or its window was closed.
    TooLate,
}

/// The state after a hit, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The state.
    pub state: GroupState,
    /// What fires.
    pub fired: Vec<Fired>,
    /// What became of the hit.
    pub fate: Fate,
}

impl GroupState {
    /// A group of which hits up to `forgotten` may have been forgotten.
    pub(super) fn after(forgotten: Option<Timestamp>) -> Self {
        Self {
            forgotten,
            ..Self::default()
        }
    }

    /// How many hits are kept.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Whether nothing is kept, so that the group need not be either.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty() && self.fired.is_empty()
    }

    /// When the newest hit happened.
    pub fn newest(&self) -> Option<Timestamp> {
        self.hits.last().map(|hit| hit.time)
    }

    /// When [`Correlation::advance`] has something to do: to close the window of the first hit whose window is open, else to
    /// drop what no window can need.
    pub(super) fn due(&self, span_millis: i64) -> Timestamp {
        let closed = |hit: &Hit| self.watermark.is_some_and(|watermark| hit.time < watermark);
        let open = self.hits.get(self.hits.partition_point(closed));
        let newest = self.newest().map(|at| at.plus_millis(span_millis));
        let fired = self
            .fired
            .iter()
            .max()
            .map(|at| at.plus_millis(span_millis));
        let needed = open.map(|hit| hit.time).or(newest.max(fired));
        needed.map_or(Timestamp::EPOCH, |at| at.plus_millis(1))
    }

    /// Puts a hit in its place; the oldest go when there are too many.
    fn insert(&mut self, hit: Hit) {
        let key = (hit.time, &hit.record);
        let at = self.hits.partition_point(|h| (h.time, &h.record) < key);
        self.hits.insert(at, hit);
        let over = self.hits.len().saturating_sub(GROUP_HITS_MAX);
        let oldest = self.hits.drain(..over).next_back();
        self.forgotten = self.forgotten.max(oldest.map(|hit| hit.time));
    }
}

impl Correlation {
    /// Takes a hit into a group.
    pub fn step(&self, mut state: GroupState, hit: Hit) -> Step {
        let step = |state, fired, fate| Step { state, fired, fate };
        if state
            .watermark
            .is_some_and(|watermark| hit.time < watermark)
        {
            return step(state, Vec::new(), Fate::TooLate);
        }
        if state.hits.iter().any(|h| h.record == hit.record) {
            return step(state, Vec::new(), Fate::Duplicate);
        }
        let time = hit.time;
        state.insert(hit);
        let mut fired = Vec::new();
        if !self.waits() {
            // Only windows that end within a timespan from here have the new hit.
            self.look(
                &mut state,
                time,
                time.plus_millis(self.span_millis),
                &mut fired,
            );
        }
        self.close(&mut state, time.plus_millis(-LATENESS_MILLIS), &mut fired);
        step(state, fired, Fate::Counted)
    }

    /// Closes the windows of a group that end before a moment, as a hit an hour later would: nothing earlier is
    /// expected any more. What waited for that fires, and what no window can need is dropped.
    pub fn advance(&self, mut state: GroupState, to: Timestamp) -> Step {
        let mut fired = Vec::new();
        self.close(&mut state, to, &mut fired);
        Step {
            state,
            fired,
            fate: Fate::Counted,
        }
    }

    fn close(&self, state: &mut GroupState, to: Timestamp, fired: &mut Vec<Fired>) {
        if state.watermark.is_some_and(|watermark| watermark >= to) {
            return;
        }
        if self.waits() {
            let from = state.watermark.unwrap_or(Timestamp::from_millis(i64::MIN));
            self.look(state, from, to.plus_millis(-1), fired);
        }
        state.watermark = Some(to);
        let needed = to.plus_millis(-self.span_millis);
        state
            .hits
            .drain(..state.hits.partition_point(|h| h.time < needed));
        state
            .fired
            .retain(|stretch| stretch.plus_millis(self.span_millis) > to);
    }

    /// Looks at the windows that end from `from` to `to`, in stretches that have not fired.
    fn look(&self, state: &mut GroupState, from: Timestamp, to: Timestamp, out: &mut Vec<Fired>) {
        let to = to.min(state.newest().unwrap_or(to));
        if self.all_fired(state, from, to) {
            return;
        }
        let begin = from.plus_millis(-self.span_millis);
        let mut tally = self.kind.tally();
        let mut first = state.hits.partition_point(|h| h.time < begin);
        let mut next = first;
        while let Some(end) = state
            .hits
            .get(next)
            .map(|h| h.time)
            .filter(|end| *end <= to)
        {
            while let Some(hit) = state.hits.get(next).filter(|h| h.time == end) {
                tally.enter(hit);
                next += 1;
            }
            let since = end.plus_millis(-self.span_millis);
            while let Some(hit) = state.hits.get(first).filter(|h| h.time < since) {
                tally.leave(hit);
                first += 1;
            }
            let stretch = self.stretch(end);
            // What is not known whole says nothing when less could be true as well.
            let unknown = self.waits() && state.forgotten.is_some_and(|f| f >= since);
            if end < from || unknown || state.fired.contains(&stretch) || !tally.holds(since) {
                continue;
            }
            state.fired.push(stretch);
            let window = state.hits.get(first..next).unwrap_or_default();
            out.push(fired(stretch, window));
        }
    }

    /// Whether no stretch is left between two moments that could fire.
    fn all_fired(&self, state: &GroupState, from: Timestamp, to: Timestamp) -> bool {
        let (first, last) = (self.stretch(from), self.stretch(to));
        let between = last.millis_since(first) / self.span_millis.max(1);
        between <= 1 && state.fired.contains(&first) && state.fired.contains(&last)
    }
}

fn fired(stretch: Timestamp, window: &[Hit]) -> Fired {
    let named = window.len().saturating_sub(NAMED_MAX);
    Fired {
        stretch,
        first: window.first().map_or(stretch, |h| h.time),
        last: window.last().map_or(stretch, |h| h.time),
        count: window.len(),
        records: window
            .iter()
            .skip(named)
            .map(|h| h.record.clone())
            .collect(),
    }
}
