//! What the rules say of one record: for the loop, and for rules that are tried on old records.

use quell_detect::correlation::{Correlation, Group, Hit};
use quell_detect::{About, Scratch};
use quell_model::{Event, Finding, Record, Resource, Timestamp};
use quell_normalize::finding::{Findings, Source, findings};
use quell_normalize::ocsf::is_configuration;
use quell_normalize::{LineLog, event, is_from_aws, principal, resource};

use crate::content::Content;

/// What came of a record. Each is exactly one of these: what was accepted is matched, unmatched or quarantined.
#[derive(Debug)]
pub enum Assessed<'e> {
    /// Rules matched: detections, or base rules of correlations.
    Matched(Box<Matched<'e>>),
    /// It holds findings of AWS's own detectors, at least one of which can be read.
    Reported(Reports),
    /// None did; or it is not for them to say, because it does not come from AWS or is what Quell itself did. With the
    /// moment when it happened, when it is known.
    Unmatched(Option<Timestamp>),
    /// It cannot be understood, and this is why.
    Quarantined(String),
}

/// What AWS's own detectors say in one record.
#[derive(Debug)]
pub struct Reports {
    /// Their findings.
    pub findings: Vec<Finding>,
    /// The findings that cannot be read: place and reason.
    pub faults: Vec<String>,
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

/// Runs the rules on a record, or reads what AWS's own detectors say in it. `is_own` says whose calls are left alone.
pub fn assess<'e>(
    content: &'e Content,
    record: &Record,
    is_own: impl FnOnce(&Event) -> bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Assessed<'e> {
    if !is_from_aws(record) || LineLog::is(record) {
        // An event of somebody's own source: nothing is detected on those yet. Or lines, which rules over single records are not for.
        return Assessed::Unmatched(None);
    }
    if record.envelope.is_some()
        && let Some(source) = Source::of(record)
    {
        return reported(record, source, content, now);
    }
    let event = match event(record) {
        Ok(event) => event,
        Err(error) => {
            // From a file: looked at second, since nearly all that comes from files is CloudTrail's.
            let source = Source::of(record);
            return match source.filter(|_| record.envelope.is_none()) {
                Some(source) => reported(record, source, content, now),
                // Nothing is detected on changes that AWS Config saw. They are known all the same.
                None if is_configuration(record) => Assessed::Unmatched(None),
                None => Assessed::Quarantined(error.to_string()),
            };
        }
    };
    if is_own(&event) {
        return Assessed::Unmatched(Some(event.time));
    }
    let said = content
        .engine
        .said(record, &event, || about(&event, record), now, scratch);
    if said.findings.is_empty() && said.hits.is_empty() {
        return Assessed::Unmatched(Some(event.time));
    }
    Assessed::Matched(Box::new(Matched {
        findings: said.findings,
        hits: said.hits,
        event,
    }))
}

fn reported<'e>(
    record: &Record,
    source: Source,
    content: &Content,
    now: Timestamp,
) -> Assessed<'e> {
    let Findings { found, faults } = findings(record, source, &content.guardduty, now);
    if found.is_empty() {
        return Assessed::Quarantined(faults.join("; "));
    }
    let findings = found.into_iter().map(|reported| reported.finding).collect();
    Assessed::Reported(Reports { findings, faults })
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
