//! A log that shows when it was changed.
//!
//! Entries are lines of JSON. Over them stands a Merkle tree as RFC 6962 defines it ([`Tree`], [`inclusion`], [`consistency`]); who keeps the
//! log signs its size and root now and then ([`Checkpoint`], in the format of the C2SP specifications tlog-checkpoint and
//! signed-note, so that other tools read it too). Who holds one signed checkpoint can tell from a copy of the log whether anything
//! before it was changed, left out, put in or put elsewhere ([`Check`]), without asking whoever made the copy.
//!
//! What is too large for a line is a *body*: a file named by its SHA-256, which the entry names. Pure: no clock, no file, no randomness.

mod check;
mod checkpoint;
mod entry;
mod hash;
mod proof;
mod tree;

pub use check::{Check, Fault, Report};
pub use checkpoint::{Checkpoint, CheckpointError, KeyError, SigningKey, VerifyingKey};
pub use entry::{Act, Entry, EntryError};
pub use hash::Hash;
pub use proof::{consistency, inclusion, is_consistent, is_included};
pub use tree::{Tree, TreeError};
