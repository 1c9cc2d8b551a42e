use super::*;
use crate::clocks::{Sla, Standing, clocks};
use quell_model::{Disposition, IncidentId, IncidentStatus, Resource, Severity};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn incident(detected: i64, contained: Option<i64>, resolved: Option<i64>) -> Incident {
    Incident {
        id: IncidentId::of(at(detected), "x"),
        cause: "c".into(),
        title: "t".into(),
        severity: Severity::High,
        category: "Impact".into(),
        status: IncidentStatus::Open,
        status_reason: None,
        resource: Resource::security_group("aws", "us-east-1", "444455556666", "sg-1"),
        initiator: None,
        actors: Vec::new(),
        told: Vec::new(),
        findings: Vec::new(),
        finding_count: 1,
        runs: Vec::new(),
        first_event_at: at(0),
        received_at: at(0),
        detected_at: at(detected),
        acknowledged_at: contained.map(|c| at(c - 1)),
        contained_at: contained.map(at),
        handled: contained.map(|_| Handled::Automatically),
        disposition: None,
        resolved_at: resolved.map(at),
        last_event_at: at(0),
        related: Vec::new(),
    }
}

#[test]
fn times_are_of_those_that_have_come_so_far() {
    let mut all = [
        incident(10, Some(30), Some(40)),
        incident(20, Some(80), None),
        incident(30, None, None),
    ];
    let judged = |verdict| {
        let (by, note) = ("ann".to_owned(), String::new());
        Some(Disposition {
            verdict,
            by,
            at: at(99),
            note,
        })
    };
    all[1].disposition = judged(Verdict::True);
    all[2].disposition = judged(Verdict::False);
    let kpis = kpis(all.iter());
    assert_eq!(
        (
            kpis.detect.n,
            kpis.detect.mean_seconds,
            kpis.detect.p50_seconds
        ),
        (3, Some(20.0), Some(20.0))
    );
    assert_eq!(
        (
            kpis.contain.n,
            kpis.contain.mean_seconds,
            kpis.contain.p90_seconds
        ),
        (2, Some(40.0), Some(60.0))
    );
    assert_eq!((kpis.resolve.n, kpis.resolve.mean_seconds), (1, Some(30.0)));
    let counts = kpis.categories["Impact"];
    assert_eq!(
        counts,
        Counts {
            detections: 3,
            automatic: 2,
            manual: 1,
            false_positives: 1
        }
    );
    assert_eq!(kpis.false_positive_rate, Some(0.5));
    let none = super::kpis([].iter());
    assert_eq!(
        (
            none.detect.n,
            none.detect.mean_seconds,
            none.false_positive_rate
        ),
        (0, None, None)
    );
}

#[test]
fn a_clock_runs_from_detection_and_stops_when_its_stage_is_reached_or_all_is_over() {
    let standing =
        |incident: &Incident, now| clocks(incident, &Sla::default(), at(now)).map(|c| c.standing);
    use Standing::{Met, Missed, Overdue, Running};
    let hour = 3600;
    assert_eq!(
        standing(&incident(0, None, None), 60),
        [Running, Running, Running]
    );
    assert_eq!(
        standing(&incident(0, None, None), 2 * hour),
        [Overdue, Overdue, Running]
    );
    assert_eq!(
        standing(&incident(0, Some(2 * hour), None), 3 * hour),
        [Missed, Missed, Running]
    );
    assert_eq!(
        standing(&incident(0, Some(60), Some(4 * hour)), 5 * hour),
        [Met, Met, Met]
    );
    assert_eq!(
        standing(&incident(0, None, Some(300)), 5 * hour),
        [Met, Met, Met]
    );
}
