//! Playbooks: guard, plan, permit, act, settle, verify, undo.

mod permit;

pub use permit::{NotPermitted, Permit, sdk_call};
