//! What the rules say of one record: one way for the loop, for rules that are tried on old records, and for the bench.

use quell_model::{Event, Finding, Record, RecordId, Resource, Timestamp};
use quell_normalize::{
    EventError, LineLog, Outline, Reading, event_ref, is_from_aws, principal, resource,
};
use serde_json::Value;

use crate::correlation::{About, Correlation, Group, Hit};
use crate::engine::{Engine, Scratch, Subject, Work};

/// A record that came, and was read.
#[derive(Debug)]
pub struct Came<'t> {
    /// Its id.
    pub id: RecordId,
    /// When Quell received it.
    pub received_at: Timestamp,
    /// The EventBridge envelope around it.
    pub envelope: Option<&'t Value>,
    /// The record itself.
    pub reading: Reading<'t>,
}

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
    /// The resource that the call changed, else the principal.
    pub resource: Resource,
    /// Who did it, as a resource.
    pub principal: Resource,
}

impl Engine {
    /// Runs the rules on a record. `is_own` says whose calls are left alone; it is asked of what rules matched.
    pub fn assess<'e>(
        &'e self,
        record: &Record,
        is_own: impl FnOnce(&Event) -> bool,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Assessed<'e> {
        let Scratch { outline, work } = scratch;
        match Reading::new(&record.body, outline) {
            Ok(reading) => {
                let came = Came {
                    id: record.id.clone(),
                    received_at: record.received_at,
                    envelope: record.envelope.as_ref(),
                    reading,
                };
                self.look(came, is_own, now, work)
            }
            Err(error) => Assessed::Quarantined(error),
        }
    }

    /// As [`Engine::assess`], for a record that was read where it stands.
    pub fn assess_read<'e>(
        &'e self,
        record: Came<'_>,
        is_own: impl FnOnce(&Event) -> bool,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Assessed<'e> {
        self.look(record, is_own, now, &mut scratch.work)
    }

    fn look<'e>(
        &'e self,
        record: Came<'_>,
        is_own: impl FnOnce(&Event) -> bool,
        now: Timestamp,
        work: &mut Work,
    ) -> Assessed<'e> {
        let body = record.reading.body().raw();
        let is_of_lines = record.envelope.is_none() && LineLog::is_body(body);
        if is_of_lines || !is_from_aws(record.envelope) {
            // An event of somebody's own source: nothing is detected on those yet. Or lines, which rules over single records are not for.
            return Assessed::Unmatched(None);
        }
        let event = event_ref(&record.reading);
        let event = event.and_then(|event| event.is_of(record.envelope).map(|()| event));
        let event = match event {
            Ok(event) => event,
            Err(error) => return Assessed::Quarantined(error),
        };
        let mut subject = Subject::new(record.reading, record.envelope);
        let matched = self.speaking(&mut subject, work);
        if matched.is_empty() {
            return Assessed::Unmatched(Some(event.time));
        }
        let event = event.owned(record.id, record.received_at);
        if is_own(&event) {
            return Assessed::Unmatched(Some(event.time));
        }
        let (resource, principal) = resources(&event, &record.reading);
        let said = self.said(&matched, &subject, &event, (&resource, &principal), now);
        if said.findings.is_empty() && said.hits.is_empty() {
            return Assessed::Unmatched(Some(event.time));
        }
        Assessed::Matched(Box::new(Matched {
            findings: said.findings,
            hits: said.hits,
            resource,
            principal,
            event,
        }))
    }
}

/// What the event of a record is about, for what is said of several records of which it is the last.
///
/// # Errors
/// [`EventError`] when the record is too large to be read.
pub fn about(event: &Event, record: &Record) -> Result<About, EventError> {
    let mut outline = Outline::default();
    let reading = Reading::new(&record.body, &mut outline)?;
    let (resource, principal) = resources(event, &reading);
    Ok(About::new(event, resource, principal))
}

/// The resource that findings on an event are about, and who did it.
fn resources(event: &Event, record: &Reading<'_>) -> (Resource, Resource) {
    let principal = principal(event);
    let resource = resource(event, record).unwrap_or_else(|| principal.clone());
    (resource, principal)
}
