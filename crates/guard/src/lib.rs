//! The guard: whether a plan may be carried out, and the right to do it. Pure.
//!
//! [`decide`] alone makes a [`Permit`], and only for a plan that the playbook's [`Declaration`] covers and that
//! [`proof::prove`] accepts. A crate of its own, so that the AWS client knows permits without what runs playbooks.
//!
//! **Invariant:** no clock, no socket, no file, no random number.

mod addresses;
mod approval;
mod arn_pattern;
mod declaration;
pub mod exception;
mod family;
mod freeze;
mod guard;
mod never_touch;
mod orders;
mod permit;
pub mod policies;
pub mod proof;
pub mod rights;
mod session;
mod traffic;
mod verdict;

pub use approval::{APPROVAL_MILLIS, Approval, Rejection};
pub use arn_pattern::{ArnPattern, ArnPatternError};
pub use declaration::{Declaration, StepFact};
pub use exception::Exception;
pub use family::Family;
pub use freeze::Freeze;
pub use guard::{Decision, Level, PERMIT_MILLIS, Situation, decide};
pub use never_touch::NeverTouch;
pub use orders::{Budget, Cause, Orders, Place};
pub use permit::{NotPermitted, Permit};
pub use verdict::{Policies, Question, Verdict, action_group};
