//! Findings to incidents: one incident for each thing a person has to work on. Pure.
//!
//! What a playbook answers is grouped by the resource: the playbook mends that one resource. Everything else is grouped
//! by who did it, in one stretch of activity, because that is what somebody has to look into. [`place`] decides for the
//! findings of one record; [`Board`] keeps incidents in memory, for rules that are tried on old records.

mod board;
mod cause;
mod clocks;
mod kpi;
mod place;
mod visitors;

pub use board::Board;
pub use cause::{Answered, Cause, Trouble};
pub use clocks::{Clock, Sla, Standing, Targets, clocks};
pub use kpi::{Counts, INCIDENTS_MAX, Kpis, Times, kpis, seconds, times};
pub use place::{Known, Placed, place};
pub use visitors::Visitors;
