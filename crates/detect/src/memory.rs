//! Detectors that remember: what whoever keeps their memory needs to know of them.
//!
//! A detector looks at inputs of groups (an identity, a pair of addresses, the values that a correlation groups by). What it
//! remembers of a group is its state: a value that reads and writes as JSON. It is handed the state with an input and gives
//! the next state back, and what fires. It has no clock: time is what the input says. Who keeps the states may lose the oldest of them, and says so with the
//! next state that is begun; what is forgotten may leave something out, and never makes a false finding.

use quell_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A detector that remembers.
pub trait Stateful {
    /// What it remembers of one group.
    type State: Serialize + DeserializeOwned;
    /// What it is given of a record, for one group.
    type Input;
    /// What it says.
    type Fired;

    /// What its memory is kept under: its id, and a mark that changes when what it remembers would mean something else.
    fn memory(&self) -> &str;

    /// What it knows of a group that is not kept. Groups whose newest input was not after `forgotten` may have been lost.
    fn begin(&self, forgotten: Option<Timestamp>) -> Self::State;

    /// Takes an input in: the next state, and what fires. The same input twice changes nothing.
    fn step(&self, state: Self::State, input: Self::Input) -> (Self::State, Vec<Self::Fired>);

    /// Is told that nothing before a moment (of event time) is expected any more.
    fn advance(&self, state: Self::State, to: Timestamp) -> (Self::State, Vec<Self::Fired>);

    /// How a state is kept.
    fn keeping(&self, state: &Self::State) -> Keeping;
}

/// How a state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// How much it is: the number of inputs it holds.
    pub size: usize,
    /// When the newest of them happened.
    pub newest: Option<Timestamp>,
    /// How long.
    pub until: Until,
}

/// How long a state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// No longer: there is nothing in it.
    Now,
    /// Until nothing before this moment of event time is expected any more; then it is advanced.
    Closed(Timestamp),
    /// Until nothing came for the group for so many milliseconds; then it is dropped.
    Quiet(i64),
}
