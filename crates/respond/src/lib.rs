//! Playbooks: guard, plan, permit, act, settle, verify, undo. Pure: the loops in `quell` do what it says.
//!
//! [`Playbook`] is content, checked. [`run`] is the log-driven life of one run. [`guard::decide`] alone makes a
//! [`Permit`], and only for a plan that [`proof::prove`] accepts.
//!
//! **Invariant:** no clock, no socket, no file, no random number.

pub mod addresses;
pub mod guard;
mod permit;
mod playbook;
pub mod proof;
pub mod run;

pub use guard::{Approval, Decision, Level, Situation, decide};
pub use permit::{NotPermitted, Permit, sdk_call};
pub use playbook::{IamFacts, Levels, Playbook, StepFact, document_fault};
pub use run::{Flow, LogEntry, Mode, Next, Roles, Run, RunStatus, Stage};
