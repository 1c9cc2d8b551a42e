//! What the detections say of one record: for the loop, and for rules that are tried on old records.

use quell_detect::{Engine, Scratch};
use quell_model::{Event, Finding, Record, Timestamp};
use quell_normalize::{EventError, event, is_from_aws, principal, resource};

/// What came of a record. Each is exactly one of these: what was accepted is matched, unmatched or quarantined.
#[derive(Debug)]
pub enum Assessed {
    /// Detections matched: at least one finding.
    Matched(Box<Event>, Vec<Finding>),
    /// None did; or it is not for them to say, because it does not come from AWS or is what Quell itself did.
    Unmatched,
    /// It cannot be understood, and this is why.
    Quarantined(EventError),
}

/// Runs the detections on a record. `is_own` says whose calls are left alone.
pub fn assess(
    engine: &Engine,
    record: &Record,
    is_own: impl FnOnce(&Event) -> bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Assessed {
    if !is_from_aws(record) {
        // An event of somebody's own source. Nothing is detected on those yet.
        return Assessed::Unmatched;
    }
    let event = match event(record) {
        Ok(event) => event,
        Err(error) => return Assessed::Quarantined(error),
    };
    if is_own(&event) {
        return Assessed::Unmatched;
    }
    let about = || {
        let principal = principal(&event);
        let resource = resource(&event, record).unwrap_or_else(|| principal.clone());
        (resource, principal)
    };
    let findings = engine.findings(record, &event, about, now, scratch);
    if findings.is_empty() {
        return Assessed::Unmatched;
    }
    Assessed::Matched(Box::new(event), findings)
}
