//! Whatever a record is, in OCSF.

use quell_model::{Record, Timestamp};

use super::{OcsfEvent, is_configuration, of_cloudtrail, of_configuration, of_finding};
use crate::finding::{GuardDutyTypes, Source, findings};

/// What a record is in OCSF.
#[derive(Debug, Default)]
pub struct OcsfEvents {
    /// The events, in order: one, or as many as there are findings or lines in the record.
    pub events: Vec<OcsfEvent>,
    /// What could not be written: place and reason.
    pub faults: Vec<String>,
}

/// Writes a record in OCSF: findings of AWS's detectors, changes that AWS Config saw, else CloudTrail. `now` is when findings
/// are made.
pub fn of_record(record: &Record, types: &GuardDutyTypes, now: Timestamp) -> OcsfEvents {
    let mut out = OcsfEvents::default();
    if let Some(source) = Source::of(record) {
        let read = findings(record, source, types, now);
        out.events.extend(read.found.iter().map(of_finding));
        out.faults = read.faults;
        return out;
    }
    let written = match is_configuration(record) {
        true => of_configuration(record),
        false => of_cloudtrail(record),
    };
    match written {
        Ok(event) => out.events.push(event),
        Err(error) => out.faults.push(error.to_string()),
    }
    out
}
