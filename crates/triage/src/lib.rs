//! Findings to incidents: one incident for each cause. Pure.

use quell_model::{Finding, Incident, IncidentId, IncidentStatus};

/// What groups findings into one incident: the same kind of trouble on the same resource.
pub fn cause(category: &str, finding: &Finding) -> String {
    format!("{category}|{}", finding.resource.arn)
}

/// What became of a finding.
#[derive(Debug, PartialEq)]
pub enum Placed {
    /// It opened an incident.
    Opened(Incident),
    /// It belongs to one that is open.
    Joined(Incident),
    /// It is in there already, and nothing changed.
    Known(Incident),
}

/// Puts a finding where it belongs: into `open`, the unresolved incident of its cause, or into a new one.
///
/// The same finding twice changes nothing, so a delivery that is repeated does no harm.
pub fn place(
    open: Option<Incident>,
    finding: &Finding,
    category: &str,
    received_at: quell_model::Timestamp,
) -> Placed {
    match open {
        Some(incident) if incident.findings.contains(&finding.id) => Placed::Known(incident),
        Some(incident) => Placed::Joined(join(incident, finding)),
        None => Placed::Opened(opened(finding, category, received_at)),
    }
}

fn opened(finding: &Finding, category: &str, received_at: quell_model::Timestamp) -> Incident {
    let cause = cause(category, finding);
    // The record is part of the id: opened again after a crash it is the same incident, but the next exposure of
    // the same group is another.
    let id = IncidentId::of(finding.event_time, &format!("{cause}|{}", finding.record));
    Incident {
        id,
        cause,
        title: format!("{}: {}", finding.title, finding.resource.id),
        severity: finding.severity,
        category: category.to_owned(),
        status: IncidentStatus::Open,
        status_reason: None,
        resource: finding.resource.clone(),
        findings: vec![finding.id.clone()],
        finding_count: 1,
        runs: Vec::new(),
        first_event_at: finding.event_time,
        received_at,
        detected_at: finding.detected_at,
        resolved_at: None,
        last_event_at: finding.event_time,
    }
}

fn join(mut incident: Incident, finding: &Finding) -> Incident {
    if incident.findings.len() < Incident::FINDINGS_MAX {
        incident.findings.push(finding.id.clone());
    }
    incident.finding_count = incident.finding_count.saturating_add(1);
    incident.severity = incident.severity.max(finding.severity);
    incident.first_event_at = incident.first_event_at.min(finding.event_time);
    incident.last_event_at = incident.last_event_at.max(finding.event_time);
    incident
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::{Actor, FindingId, RecordId, Resource, Severity, Timestamp};

    fn finding(detection: &str, event: &str, group: &str) -> Finding {
        let record = RecordId::of_name("111122223333", event);
        let resource = Resource::security_group("aws", "us-east-1", "111122223333", group);
        Finding {
            id: FindingId::of(detection, &record, group),
            detection: detection.into(),
            title: "Open to the world".into(),
            severity: Severity::High,
            record,
            event_name: "E".into(),
            event_time: Timestamp::from_millis(10),
            detected_at: Timestamp::from_millis(20),
            resource,
            actor: Actor::default(),
            attack: vec![],
        }
    }

    #[test]
    fn one_cause_one_incident_whatever_says_it_and_however_often() {
        let received = Timestamp::from_millis(15);
        let Placed::Opened(first) = place(None, &finding("sigma", "e1", "sg-1"), "c", received)
        else {
            panic!()
        };
        assert_eq!(
            place(
                Some(first.clone()),
                &finding("sigma", "e1", "sg-1"),
                "c",
                received
            ),
            Placed::Known(first.clone())
        );
        let second = place(
            Some(first.clone()),
            &finding("pattern", "e1", "sg-1"),
            "c",
            received,
        );
        let Placed::Joined(joined) = second else {
            panic!("{second:?}")
        };
        assert_eq!((joined.id, joined.finding_count), (first.id.clone(), 2));
        let Placed::Opened(again) = place(None, &finding("sigma", "e1", "sg-1"), "c", received)
        else {
            panic!()
        };
        assert_eq!(again.id, first.id, "replayed after a crash it is the same");
        let Placed::Opened(later) = place(None, &finding("sigma", "e2", "sg-1"), "c", received)
        else {
            panic!()
        };
        assert_ne!(later.id, first.id);
    }
}
