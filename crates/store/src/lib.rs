//! The ports for state and time, with their adapters.
//!
//! [`State`] is one small port: documents with versions, logs that only grow, and batches that happen whole or
//! not at all. Everything durable in Quell is made of these three. [`sqlite`] is the default adapter, [`postgres`] the one for
//! several processes.
//! `tests/suite` is the one conformance suite that every adapter passes.

mod clock;
mod error;
mod sql;
mod state;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::StoreError;
pub use sql::{postgres, sqlite};
pub use state::{Batch, Document, Entry, Kind, Order, Page, Query, State, Write};
