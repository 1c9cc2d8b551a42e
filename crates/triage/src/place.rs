//! Where the findings of a record belong.

use std::collections::BTreeMap;

use quell_model::{
    Finding, Incident, IncidentId, IncidentStatus, Resource, Severity, Timestamp, Told,
};

use crate::cause::{Cause, Trouble};

/// Findings from this severity on open an incident alone.
const OPENS_ALONE: Severity = Severity::Medium;
/// Weaker findings of one principal open one together when they are of so many different detections …
const KINDS_MIN: usize = 4;
/// … and when these, each counted once, weigh so much.
const WEIGHT_MIN: u32 = 8;

/// What is known before the findings of a record are placed.
#[derive(Debug, Default)]
pub struct Known {
    /// The newest unresolved incident of the cause.
    pub open: Option<Incident>,
    /// Findings of the cause that no incident holds yet, not older than [`Cause::since`].
    pub waiting: Vec<Finding>,
}

/// What became of the findings of a record.
#[derive(Debug, PartialEq)]
pub enum Placed {
    /// They opened an incident, which holds those that waited too.
    Opened(Incident),
    /// They belong to one that is open, and so do those that waited.
    Joined(Incident),
    /// They are in there already, and nothing changed.
    Known(Incident),
    /// They are weak, and wait for more.
    Waiting,
}

/// Puts the findings of one record where they belong.
///
/// A finding of medium severity or worse opens an incident. Weaker ones join what is open; else they wait, until several different ones
/// of one principal add up. What a playbook answers is never weak.
///
/// The same findings twice change nothing, so a delivery that is repeated does no harm. `None` when there are no findings.
pub fn place(
    known: Known,
    cause: &Cause,
    findings: &[Finding],
    trouble: Trouble<'_>,
    received_at: Timestamp,
) -> Option<Placed> {
    let first = findings.first()?;
    let open = known
        .open
        .filter(|open| cause.takes(open, first.event_time));
    let fresh = |f: &&Finding| {
        open.as_ref()
            .is_none_or(|open| !open.findings.contains(&f.id))
    };
    let new: Vec<&Finding> = findings.iter().filter(fresh).collect();
    let waiting = known
        .waiting
        .iter()
        .filter(|w| !findings.iter().any(|f| f.id == w.id));
    let all: Vec<&Finding> = waiting.chain(new.iter().copied()).collect();
    match open {
        Some(open) if new.is_empty() => Some(Placed::Known(open)),
        Some(open) => Some(Placed::Joined(
            all.into_iter().fold(open, |i, f| join(i, f, cause)),
        )),
        None if !trouble.begins && !opens(&all) => Some(Placed::Waiting),
        None => {
            // It is called after the worst of it; the first such, when several are.
            let worst = all.iter().rev().max_by_key(|f| f.severity)?;
            let opened = opened(worst, first, cause, trouble.category, received_at);
            let rest = all.iter().filter(|f| f.id != worst.id);
            Some(Placed::Opened(rest.fold(opened, |i, f| join(i, f, cause))))
        }
    }
}

/// Whether findings that belong to one cause open an incident.
fn opens(findings: &[&Finding]) -> bool {
    if findings.iter().any(|f| f.severity >= OPENS_ALONE) {
        return true;
    }
    let kinds: BTreeMap<&str, Severity> = findings
        .iter()
        .map(|f| (f.detection.as_str(), f.severity))
        .collect();
    let weight: u32 = kinds.values().map(|severity| weight(*severity)).sum();
    kinds.len() >= KINDS_MIN && weight >= WEIGHT_MIN
}

/// What a weak finding counts: a low one as much as three that are only worth knowing.
fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Informational => 1,
        _ => 3,
    }
}

/// An incident with its worst finding. `opener` is of the record that opened it.
fn opened(
    worst: &Finding,
    opener: &Finding,
    cause: &Cause,
    category: &str,
    received_at: Timestamp,
) -> Incident {
    // The record is part of the id: opened again after a crash it is the same incident, but the next exposure of
    // the same group is another.
    let key = format!("{}|{}", cause.key(), opener.record);
    Incident {
        id: IncidentId::of(opener.event_time, &key),
        cause: cause.key().to_owned(),
        title: title(worst),
        severity: worst.severity,
        category: category.to_owned(),
        status: IncidentStatus::Open,
        status_reason: None,
        resource: subject(worst, cause).clone(),
        initiator: worst.initiator.clone().or_else(|| opener.initiator.clone()),
        actors: vec![worst.actor.clone()],
        told: vec![told(worst)],
        findings: vec![worst.id.clone()],
        finding_count: 1,
        runs: Vec::new(),
        first_event_at: worst.first_event_time,
        received_at,
        detected_at: opener.detected_at,
        acknowledged_at: None,
        contained_at: None,
        handled: None,
        disposition: None,
        resolved_at: None,
        last_event_at: worst.event_time,
        related: Vec::new(),
    }
}

/// What an incident is about: the resource, or who did all of it.
fn subject<'a>(finding: &'a Finding, cause: &Cause) -> &'a Resource {
    match cause {
        Cause::Resource(_) => &finding.resource,
        // What another product says of a user is about the user, whoever acted.
        Cause::Principal(_) if finding.report.is_some() => &finding.resource,
        Cause::Principal(_) => &finding.principal,
    }
}

fn title(finding: &Finding) -> String {
    format!("{}: {}", finding.title, finding.resource.id)
}

fn told(finding: &Finding) -> Told {
    Told {
        detection: finding.detection.clone(),
        severity: finding.severity,
        outsider: finding.outsider,
        part: finding.report.as_ref().and_then(|report| report.part),
    }
}

/// The latest of each, so many at most.
fn keep_latest<T: PartialEq>(list: &mut Vec<T>, one: T, max: usize) {
    list.retain(|known| *known != one);
    list.push(one);
    let over = list.len().saturating_sub(max);
    list.drain(..over);
}

fn join(mut incident: Incident, finding: &Finding, cause: &Cause) -> Incident {
    keep_latest(
        &mut incident.actors,
        finding.actor.clone(),
        Incident::ACTORS_MAX,
    );
    keep_latest(&mut incident.told, told(finding), Incident::TOLD_MAX);
    if incident.initiator.is_none() {
        incident.initiator = finding.initiator.clone();
    }
    if incident.findings.len() < Incident::FINDINGS_MAX {
        incident.findings.push(finding.id.clone());
    }
    incident.finding_count = incident.finding_count.saturating_add(1);
    // What somebody did is called after the worst of it.
    if finding.severity > incident.severity && matches!(cause, Cause::Principal(_)) {
        incident.title = title(finding);
    }
    incident.severity = incident.severity.max(finding.severity);
    incident.first_event_at = incident.first_event_at.min(finding.first_event_time);
    incident.last_event_at = incident.last_event_at.max(finding.event_time);
    incident
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Answered;
    use quell_model::{Actor, FindingId, Product, RecordId};

    fn finding(detection: &str, event: &str, group: &str, severity: Severity) -> Finding {
        let record = RecordId::of_name("111122223333", event);
        let resource = Resource::security_group("aws", "us-east-1", "111122223333", group);
        let eve = "arn:aws:iam::111122223333:user/eve".parse().unwrap();
        let principal = Resource::new(eve, "AWS::IAM::User", "eve");
        Finding {
            id: FindingId::of(detection, &record, group),
            detection: detection.into(),
            title: format!("Title of {detection}"),
            severity,
            product: Product::Quell,
            records: vec![record.clone()],
            record_count: 1,
            record,
            event_name: "E".into(),
            first_event_time: Timestamp::from_millis(10),
            event_time: Timestamp::from_millis(10),
            detected_at: Timestamp::from_millis(20),
            resource,
            principal,
            actor: Actor {
                kind: "IAMUser".into(),
                ..Actor::default()
            },
            attack: vec![],
            sample: false,
            outsider: false,
            explanation: None,
            initiator: None,
            report: None,
        }
    }

    const NONE: Trouble<'_> = Trouble {
        category: "Unauthorized Access",
        answered: Answered::No,
        begins: false,
    };

    fn put(
        open: Option<Incident>,
        waiting: &[Finding],
        finding: &Finding,
        category: Option<&str>,
    ) -> Placed {
        let trouble = Trouble {
            category: category.unwrap_or("Unauthorized Access"),
            answered: match category {
                Some(_) => Answered::Resource,
                None => Answered::No,
            },
            begins: category.is_some(),
        };
        let cause = Cause::of(trouble, finding);
        let known = Known {
            open,
            waiting: waiting.to_vec(),
        };
        place(
            known,
            &cause,
            std::slice::from_ref(finding),
            trouble,
            Timestamp::from_millis(15),
        )
        .unwrap()
    }

    fn high(detection: &str, event: &str) -> Finding {
        finding(detection, event, "sg-1", Severity::High)
    }

    #[test]
    fn one_cause_one_incident_whatever_says_it_and_however_often() {
        let Placed::Opened(first) = put(None, &[], &high("sigma", "e1"), Some("c")) else {
            panic!()
        };
        assert_eq!(first.title, "Title of sigma: sg-1");
        assert_eq!(
            put(Some(first.clone()), &[], &high("sigma", "e1"), Some("c")),
            Placed::Known(first.clone())
        );
        let second = put(Some(first.clone()), &[], &high("pattern", "e1"), Some("c"));
        let Placed::Joined(joined) = second else {
            panic!("{second:?}")
        };
        assert_eq!((joined.id, joined.finding_count), (first.id.clone(), 2));
        let Placed::Opened(again) = put(None, &[], &high("sigma", "e1"), Some("c")) else {
            panic!()
        };
        assert_eq!(again.id, first.id, "replayed after a crash it is the same");
        let Placed::Opened(later) = put(None, &[], &high("sigma", "e2"), Some("c")) else {
            panic!()
        };
        assert_ne!(later.id, first.id);
    }

    #[test]
    fn what_one_principal_does_is_one_incident_called_after_the_worst() {
        let medium = finding("a", "e1", "sg-1", Severity::Medium);
        let Placed::Opened(first) = put(None, &[], &medium, None) else {
            panic!()
        };
        assert_eq!(
            (first.resource.id.as_str(), first.severity),
            ("eve", Severity::Medium)
        );
        let other = finding("b", "e2", "sg-2", Severity::Critical);
        let Placed::Joined(joined) = put(Some(first.clone()), &[], &other, None) else {
            panic!()
        };
        assert_eq!(joined.title, "Title of b: sg-2");
        let mut tomorrow = finding("b", "e3", "sg-2", Severity::High);
        tomorrow.event_time = Timestamp::from_millis(10 + 5 * 60 * 60 * 1000);
        let Placed::Opened(next) = put(Some(joined), &[], &tomorrow, None) else {
            panic!()
        };
        assert_ne!(next.id, first.id);
    }

    #[test]
    fn weak_findings_wait_join_and_add_up_only_when_they_differ() {
        let low = |detection: &str, event: &str| finding(detection, event, "sg-1", Severity::Low);
        assert_eq!(put(None, &[], &low("a", "e1"), None), Placed::Waiting);
        let same: Vec<Finding> = (0..50).map(|n| low("a", &format!("e{n}"))).collect();
        assert_eq!(
            put(None, &same, &low("a", "e99"), None),
            Placed::Waiting,
            "however often"
        );
        let waiting = [low("a", "e1"), low("b", "e2"), low("c", "e3")];
        let Placed::Opened(opened) = put(None, &waiting, &low("d", "e4"), None) else {
            panic!()
        };
        assert_eq!(opened.finding_count, 4);
        let Placed::Joined(joined) = put(Some(opened), &[], &low("a", "e5"), None) else {
            panic!()
        };
        assert_eq!(joined.finding_count, 5);
        let Placed::Opened(with) = put(None, &waiting, &high("x", "e6"), None) else {
            panic!()
        };
        assert_eq!(
            (with.finding_count, with.severity),
            (4, Severity::High),
            "what came before is part of it"
        );
        let record = [
            low("z", "e7"),
            finding("y", "e7", "sg-1", Severity::High),
            low("x", "e7"),
        ];
        let known = Known::default();
        let cause = Cause::of(NONE, &record[0]);
        let placed = place(known, &cause, &record, NONE, Timestamp::from_millis(15));
        let Some(Placed::Opened(named)) = placed else {
            panic!()
        };
        assert_eq!(
            (named.title.as_str(), named.finding_count),
            ("Title of y: sg-1", 3)
        );
        let faint = |d: &str| finding(d, d, "sg-1", Severity::Informational);
        let waiting: Vec<Finding> = ["a", "b", "c", "d", "e", "f"].map(faint).to_vec();
        assert_eq!(put(None, &waiting, &faint("g"), None), Placed::Waiting);
    }

    #[test]
    fn what_a_service_does_is_grouped_by_what_it_did_it_to() {
        let mut by_aws = high("a", "e1");
        by_aws.actor.kind = "AWSService".into();
        let other = Finding {
            resource: Resource::security_group("aws", "us-east-1", "111122223333", "sg-2"),
            ..by_aws.clone()
        };
        assert_ne!(Cause::of(NONE, &by_aws), Cause::of(NONE, &other));
        let Placed::Opened(opened) = put(None, &[], &by_aws, None) else {
            panic!()
        };
        assert_eq!(opened.resource.id, "sg-1");
    }

    #[test]
    fn one_who_began_it_in_several_accounts_is_one_incident() {
        let eve = "arn:aws:iam::111122223333:user/eve";
        let initiator = quell_model::Initiator {
            kind: quell_model::InitiatorKind::User,
            id: eve.into(),
            label: "user eve of 111122223333".into(),
            account: Some("111122223333".into()),
            hops: Vec::new(),
        };
        // By a role of another account, of which it is known who began its session; and directly, as it was before.
        let mut far = finding("a", "1", "sg-1", Severity::High);
        let role = "arn:aws:iam::444455556666:role/ops".parse().unwrap();
        far.principal = Resource::new(role, "AWS::IAM::Role", "ops");
        let unknown = Cause::of(NONE, &far);
        far.initiator = Some(initiator.clone());
        let near = finding("b", "2", "sg-2", Severity::High);
        let cause = Cause::of(NONE, &far);
        assert_eq!(cause, Cause::of(NONE, &near));
        assert_ne!(cause, unknown);
        let opened = place(
            Known::default(),
            &cause,
            std::slice::from_ref(&near),
            NONE,
            Timestamp::default(),
        );
        let Some(Placed::Opened(open)) = opened else {
            panic!("{opened:?}");
        };
        assert_eq!(open.initiator, None);
        let known = Known {
            open: Some(open),
            waiting: Vec::new(),
        };
        let joined = place(known, &cause, &[far], NONE, Timestamp::default());
        let Some(Placed::Joined(joined)) = joined else {
            panic!("{joined:?}");
        };
        assert_eq!(joined.initiator, Some(initiator));
        assert_eq!(joined.finding_count, 2);
    }
}
