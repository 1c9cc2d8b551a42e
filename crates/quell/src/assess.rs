//! What the rules say of one record: for the loop, and for rules that are tried on old records.

use quell_detect::baseline::Subject;
use quell_detect::correlation::{Correlation, Group, Hit};
use quell_detect::{Assessed as Ruled, Scratch};
use quell_model::{Event, Finding, Record, Resource, Timestamp};
use quell_normalize::chain::{Link, made};
use quell_normalize::finding::{Findings, Source, findings};
use quell_normalize::ocsf::is_configuration;
use quell_normalize::{assumption, event, is_from_aws, principal};

use crate::content::Content;

/// What came of a record. Each is exactly one of these: what was accepted is matched, unmatched or quarantined.
#[derive(Debug)]
pub enum Assessed<'e> {
    /// There is something to say or to remember of it: detections or base rules of correlations matched, it has a subject of
    /// baselines, or it made a session.
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

/// A record of which there is something to say or to remember.
#[derive(Debug)]
pub struct Matched<'e> {
    /// The record, understood.
    pub event: Event,
    /// What the detections say of it.
    pub findings: Vec<Finding>,
    /// What it is to the correlations.
    pub hits: Vec<(&'e Correlation, Group, Hit)>,
    /// What it is about and who did it, when rules matched.
    pub about: Option<(Resource, Resource)>,
    /// Whose past it is part of.
    pub subjects: Vec<Subject>,
    /// Which session it made.
    pub link: Option<Link>,
}

/// Runs the rules on a record, or reads what AWS's own detectors say in it. `is_own` says whose calls are left alone.
pub fn assess<'e>(
    content: &'e Content,
    record: &Record,
    is_own: impl Fn(&Event) -> bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Assessed<'e> {
    let envelope = record.envelope.as_ref();
    if envelope.is_some()
        && is_from_aws(envelope)
        && let Some(source) = Source::of(record)
    {
        return reported(record, source, content, now);
    }
    let ruled = content.engine.assess(record, &is_own, now, scratch);
    of_ruled(content, record, ruled, is_own, now)
}

/// What came of a record of which the rules have said what they say.
pub fn of_ruled<'e>(
    content: &'e Content,
    record: &Record,
    ruled: Ruled<'e>,
    is_own: impl Fn(&Event) -> bool,
    now: Timestamp,
) -> Assessed<'e> {
    match ruled {
        Ruled::Matched(ruled) => Assessed::Matched(Box::new(Matched {
            subjects: subjects(content, &ruled.event, record),
            link: made(&ruled.event, record),
            findings: ruled.findings,
            hits: ruled.hits,
            about: Some((ruled.resource, ruled.principal)),
            event: ruled.event,
        })),
        Ruled::Unmatched(None) => Assessed::Unmatched(None),
        Ruled::Unmatched(Some(time)) => remembered(content, record, is_own, time),
        Ruled::Quarantined(error) => {
            // From a file: looked at second, since nearly all that comes from files is CloudTrail's.
            let source = Source::of(record);
            match source.filter(|_| record.envelope.is_none()) {
                Some(source) => reported(record, source, content, now),
                // Nothing is detected on changes that AWS Config saw. They are known all the same.
                None if is_configuration(record) => Assessed::Unmatched(None),
                None => Assessed::Quarantined(error.to_string()),
            }
        }
    }
}

/// What is remembered of a record that no rule has anything to say of.
fn remembered<'e>(
    content: &Content,
    record: &Record,
    is_own: impl Fn(&Event) -> bool,
    time: Timestamp,
) -> Assessed<'e> {
    let Some(event) = event(record).ok().filter(|event| !is_own(event)) else {
        return Assessed::Unmatched(Some(time));
    };
    let subjects = subjects(content, &event, record);
    let link = made(&event, record);
    if subjects.is_empty() && link.is_none() {
        return Assessed::Unmatched(Some(time));
    }
    Assessed::Matched(Box::new(Matched {
        findings: Vec::new(),
        hits: Vec::new(),
        about: None,
        subjects,
        link,
        event,
    }))
}

/// Whose past a record is part of: its principal's, and a role's that it assumed. Without baselines nobody's is kept.
fn subjects(content: &Content, event: &Event, record: &Record) -> Vec<Subject> {
    if content.baselines.all().is_empty() {
        return Vec::new();
    }
    let of = Subject::of_principal(event, &principal(event));
    let role = assumption(event, record).map(|(role, from)| Subject::of_role(&role, &from));
    of.into_iter().chain(role).collect()
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
