//! Whatever a record is, in OCSF.

use quell_model::{Record, Timestamp};

use super::{
    OcsfEvent, is_configuration, of_cloudtrail, of_configuration, of_dns, of_finding, of_flow,
    of_web,
};
use crate::finding::{GuardDutyTypes, Source, findings};
use crate::{LineKind, LineLog};

/// What a record is in OCSF.
#[derive(Debug, Default)]
pub struct OcsfEvents {
    /// The events, in order: one, or as many as there are findings or lines in the record.
    pub events: Vec<OcsfEvent>,
    /// What could not be written: place and reason.
    pub faults: Vec<String>,
}

/// Writes a record in OCSF: lines of logs, findings of AWS's detectors, changes that AWS Config saw, else CloudTrail. `now` is
/// when findings are made.
pub fn of_record(record: &Record, types: &GuardDutyTypes, now: Timestamp) -> OcsfEvents {
    let mut out = OcsfEvents::default();
    if let Some(log) = LineLog::of(record) {
        lines(&log, record, &mut out);
        return out;
    }
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

fn lines(log: &LineLog<'_>, record: &Record, out: &mut OcsfEvents) {
    let faults = match log.kind {
        LineKind::Flow => {
            let read = log.flows(&record.origin);
            out.events.extend(read.things.iter().map(of_flow));
            read.faults
        }
        LineKind::Dns => {
            let read = log.queries();
            out.events.extend(read.things.iter().map(of_dns));
            read.faults
        }
        LineKind::Waf => {
            let read = log.requests();
            out.events.extend(read.things.iter().map(of_web));
            read.faults
        }
    };
    out.faults.extend(faults.reason());
}
