//! What the rules say of one record: for the loop, and for rules that are tried on old records.

use quell_detect::correlation::{Correlation, Group, Hit};
use quell_detect::{About, Engine, Scratch};
use quell_model::{Event, Finding, Record, Resource, Timestamp};
use quell_normalize::{EventError, event, is_from_aws, principal, resource};

/// What came of a record. Each is exactly one of these: what was accepted is matched, unmatched or quarantined.
#[derive(Debug)]
pub enum Assessed<'e> {
    /// Rules matched: detections, or base rules of correlations.
    Matched(Box<Matched<'e>>),
    /// None did; or it is not for them to say, because it does not come from AWS or is what Quell itself did. With the
    /// moment when it happened, when it is known.
    Unmatched(Option<Timestamp>),
    /// It cannot be understood, and this is why.
    Quarantined(EventError),
}

/// A record that rules matched.
#[derive(Debug)]
pub struct Matched<'e> {
    /// The record, understood.
    pub event: Event,
    /// What the detections say of it.
    pub findings: Vec<Finding>,
    /// What it is to the correlations.
    pub hits: Vec<(&'e Correlation, Group, Hit)>,
}

/// Runs the rules on a record. `is_own` says whose calls are left alone.
pub fn assess<'e>(
    engine: &'e Engine,
    record: &Record,
    is_own: impl FnOnce(&Event) -> bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Assessed<'e> {
    if !is_from_aws(record) {
        // An event of somebody's own source. Nothing is detected on those yet.
        return Assessed::Unmatched(None);
    }
    let event = match event(record) {
        Ok(event) => event,
        Err(error) => return Assessed::Quarantined(error),
    };
    if is_own(&event) {
        return Assessed::Unmatched(Some(event.time));
    }
    let said = engine.said(record, &event, || about(&event, record), now, scratch);
    if said.findings.is_empty() && said.hits.is_empty() {
        return Assessed::Unmatched(Some(event.time));
    }
    Assessed::Matched(Box::new(Matched {
        findings: said.findings,
        hits: said.hits,
        event,
    }))
}

/// What an event is about, for what is said of several records of which it is the last.
pub fn about_last(event: &Event, record: &Record) -> About {
    let (resource, principal) = about(event, record);
    About::new(event, resource, principal)
}

/// The resource that findings on an event are about, and who did it.
fn about(event: &Event, record: &Record) -> (Resource, Resource) {
    let principal = principal(event);
    let resource = resource(event, record).unwrap_or_else(|| principal.clone());
    (resource, principal)
}
