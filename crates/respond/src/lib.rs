//! Playbooks: plan, permit, act, settle, verify, undo. Pure: the loops in `quell` do what it says.
//!
//! [`Playbook`] is content, checked. [`run`] is what is kept of one run, [`LogEntry`] what its log is made of, and
//! [`Flow`] its living form, which folding the log gives back. Whether a plan may be carried out is decided in
//! `quell-guard`.
//!
//! **Invariant:** no clock, no socket, no file, no random number.

mod end;
mod flow;
mod log;
mod playbook;
pub mod rights;
pub mod run;
mod taken_back;
pub mod task;
mod watch;

pub use flow::{Awaited, Begun, Flow};
pub use log::LogEntry;
pub use playbook::{INTERRUPTED, IamFacts, Levels, Playbook, Subject, document_fault};
pub use run::{Mode, Parent, Roles, Run, RunStatus, Stage, Told};
pub use watch::{Seen, Then, Watch};
