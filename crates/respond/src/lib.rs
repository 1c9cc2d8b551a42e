//! Playbooks: plan, permit, act, settle, verify, undo. Pure: the loops in `quell` do what it says.
//!
//! [`Playbook`] is content, checked. [`run`] is the log-driven life of one run. Whether a plan may be carried out is
//! decided in `quell-guard`.
//!
//! **Invariant:** no clock, no socket, no file, no random number.

mod playbook;
pub mod run;
pub mod task;

pub use playbook::{IamFacts, Levels, Playbook, document_fault};
pub use run::{Flow, LogEntry, Mode, Next, Roles, Run, RunStatus, Stage};
