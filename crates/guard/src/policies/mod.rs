//! Policies of AWS's access management, and whether one grants anything that another does not.
//!
//! A small comparison of our own, without a solver. It is sound and not complete: what it calls proven holds for every
//! request that there can be, and what it does not understand it does not prove. Identity policies, trust policies and
//! resource policies are all [`Document`]s.
//!
//! * [`adds_nothing`]: whatever the second allows when it stands alone, the first allows too;
//! * [`lifts_no_denial`]: whatever the first denies, the second denies too. Others may allow what only this denial kept away;
//! * [`narrows`]: both. To put the second in the place of the first then grants nothing new to anybody, whatever
//!   other policies say.
//! * [`keeps_conditioned`]: what the first allows under a condition, the second allows still.
//!
//! Where AWS does not say exactly what a wildcard matches (whether a `*` goes over a colon in an ARN), a proof holds for
//! both readings.

mod compare;
mod condition;
mod document;
mod grants;
mod pattern;
#[cfg(test)]
mod property_tests;

pub use compare::{Excess, adds_nothing, keeps_conditioned, lifts_no_denial, narrows};
pub use document::{DOCUMENT_BYTES_MAX, Document, Effect, Statement, Unreadable};
pub use grants::Grant;
