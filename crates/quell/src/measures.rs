//! What runs of playbooks come to over a time, from what was recorded of them: never typed in, and computed in this one place.

use std::collections::BTreeMap;

use quell_model::{Incident, IncidentId, Timestamp};
use quell_respond::{Mode, Run, RunStatus, Stage};
use quell_store::{Kind, Query, State, StoreError};
use quell_triage::{Times, times};
use serde::Serialize;

/// What the responses of one playbook came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Responses {
    /// Runs that were begun: of these, each is one of the next five.
    pub(crate) runs: usize,
    /// Not ended yet, or waiting for a person.
    pub(crate) under_way: usize,
    /// They changed something, and it was read back as planned.
    pub(crate) verified: usize,
    /// All was well already, or nothing there was to be changed.
    pub(crate) nothing_to_do: usize,
    /// The guard or a person said no, or nobody said yes in time: nothing was done.
    pub(crate) refused: usize,
    /// Everything else.
    pub(crate) failed: usize,
    /// Of those verified: nobody was asked.
    pub(crate) automatic: usize,
    /// Of those verified: a person said yes to the plan.
    pub(crate) approved: usize,
    /// Of those verified: a person asked for the run by name, and had to say nothing more.
    pub(crate) manual: usize,
    /// Of those verified: taken back later.
    pub(crate) undone: usize,
    /// The share of those verified among these and those that failed; none of none.
    pub(crate) success_rate: Option<f64>,
    /// From detection to verified, of those that nobody was asked about.
    pub(crate) response_automatic: Times,
    /// The same of all that were verified: with persons, their time counts too.
    pub(crate) response: Times,
}

/// What the responses came to, by playbook. `detected_at` says when a run's incident was detected.
pub(crate) fn responses<'a>(
    runs: impl Iterator<Item = &'a Run>,
    detected_at: impl Fn(&IncidentId) -> Option<Timestamp>,
) -> BTreeMap<String, Responses> {
    let mut out: BTreeMap<String, Responses> = BTreeMap::new();
    let mut seconds: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    // What another run started is a part of that one, and what takes back is no response.
    for run in runs.filter(|run| run.mode == Mode::Respond && run.parent.is_none()) {
        let of = out.entry(run.playbook.clone()).or_default();
        of.runs += 1;
        match Ended::of(run) {
            Ended::UnderWay => of.under_way += 1,
            Ended::NothingToDo => of.nothing_to_do += 1,
            Ended::Refused => of.refused += 1,
            Ended::Failed => of.failed += 1,
            Ended::Verified => {
                of.verified += 1;
                of.undone += usize::from(run.status == RunStatus::Undone);
                let by = match (run.approvals.is_empty(), &run.requested_by) {
                    (false, _) => &mut of.approved,
                    (true, Some(_)) => &mut of.manual,
                    (true, None) => &mut of.automatic,
                };
                *by += 1;
                let from = detected_at(&run.incident);
                let took = from.zip(run.reached(Stage::Verified));
                let took = took.map(|(from, to)| quell_triage::seconds(from, to));
                let is_automatic = run.approvals.is_empty() && run.requested_by.is_none();
                let [automatic, all] = seconds.entry(run.playbook.clone()).or_default();
                automatic.extend(took.filter(|_| is_automatic));
                all.extend(took);
            }
        }
    }
    for (playbook, of) in &mut out {
        let [automatic, all] = seconds.remove(playbook).unwrap_or_default();
        of.response_automatic = times(automatic);
        of.response = times(all);
        of.success_rate = share(of.verified, of.failed);
    }
    out
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    UnderWay,
    Verified,
    NothingToDo,
    Refused,
    Failed,
}

/// Ends in which nothing was done, because somebody or something said no.
const NO: &[&str] = &["Quell.Refused", "Quell.ApprovalExpired"];

impl Ended {
    pub(crate) fn of(run: &Run) -> Self {
        let Some(outcome) = run.outcome.as_deref() else {
            return Self::UnderWay;
        };
        let has_acted = run.reached(Stage::Acted).is_some();
        match run.status {
            RunStatus::Running => Self::UnderWay,
            RunStatus::Undone => Self::Verified,
            RunStatus::Done if has_acted => Self::Verified,
            RunStatus::Done => Self::NothingToDo,
            // What an earlier stage did stays, and a person said no to the rest.
            RunStatus::Parked if NO.contains(&outcome) => Self::Refused,
            RunStatus::Parked => Self::Failed,
        }
    }
}

fn share(good: usize, bad: usize) -> Option<f64> {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let all = count(good) + count(bad);
    (all > 0.0).then(|| count(good) / all)
}

/// Nobody waits for more.
const RUNS_MAX: usize = 200_000;

/// The runs that were begun since then, of one playbook or of all, the newest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn runs_since(
    state: &dyn State,
    since: Timestamp,
) -> Result<Vec<Run>, StoreError> {
    let mut query = Query::all(Kind::Run).newest().limit(Query::LIMIT_MAX);
    query.since = Some(since);
    let mut out: Vec<Run> = Vec::new();
    loop {
        let page = state.list(&query).await?;
        out.extend(page.read::<Run>()?);
        match page.next {
            Some(next) if out.len() < RUNS_MAX => query.cursor = Some(next),
            _ => return Ok(out),
        }
    }
}

/// When the incidents of runs were detected.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn detected(
    state: &dyn State,
    runs: &[Run],
) -> Result<BTreeMap<IncidentId, Timestamp>, StoreError> {
    let mut out = BTreeMap::new();
    for run in runs {
        if out.contains_key(&run.incident) {
            continue;
        }
        if let Some(stored) = state.get(Kind::Incident, run.incident.as_str()).await? {
            let incident: Incident = stored.read()?;
            out.insert(run.incident.clone(), incident.detected_at);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_guard::Approval;
    use serde_json::json;

    fn run(status: &str, outcome: Option<&str>, timeline: &[(&str, i64)]) -> Run {
        let at = |millis: i64| Timestamp::from_millis(millis);
        let timeline: Vec<_> = timeline
            .iter()
            .map(|(stage, ms)| json!([stage, at(*ms)]))
            .collect();
        serde_json::from_value(json!({
            "id": "run-20261121-0a1b2c3d4e5f", "playbook": "PB-008", "playbookVersion": "1.0.0", "playbookDigest": "d", "mode": "respond",
            "incident": "inc-20261121-0a1b2c3d", "resource": {"arn": "arn:aws:ec2:us-east-1:444455556666:security-group/sg-1",
                "type": "AWS::EC2::SecurityGroup", "id": "sg-1"},
            "status": status, "outcome": outcome, "coversFindings": 1, "timeline": timeline,
        }))
        .unwrap()
    }

    #[test]
    fn each_run_counts_once_and_the_times_are_from_detection_to_verified() {
        let fixed = |millis| {
            run(
                "done",
                Some("fixed"),
                &[("opened", 0), ("acted", 5), ("verified", millis)],
            )
        };
        let mut approved = fixed(60_000);
        approved.approvals = vec![Approval {
            by: "ann".into(),
            at: Timestamp::EPOCH,
            plan_hash: "h".into(),
        }];
        let mut manual = fixed(8_000);
        manual.requested_by = Some("bob".into());
        let mut undone = fixed(3_000);
        undone.status = RunStatus::Undone;
        let mut back = fixed(9_000);
        back.mode = Mode::Undo;
        let runs = [
            fixed(1_000),
            fixed(2_000),
            undone,
            approved,
            manual,
            back,
            run("done", Some("already-fixed"), &[("opened", 0)]),
            run("parked", Some("Quell.Refused"), &[("opened", 0)]),
            run(
                "parked",
                Some("Quell.VerifyFailed"),
                &[("opened", 0), ("acted", 5)],
            ),
            run("parked", None, &[("opened", 0)]),
            run("running", None, &[("opened", 0)]),
        ];
        let all = responses(runs.iter(), |_| Some(Timestamp::EPOCH));
        let of = &all["PB-008"];
        assert_eq!((of.runs, of.under_way, of.verified), (10, 2, 5));
        assert_eq!((of.nothing_to_do, of.refused, of.failed), (1, 1, 1));
        assert_eq!(
            (of.automatic, of.approved, of.manual, of.undone),
            (3, 1, 1, 1)
        );
        assert_eq!(of.success_rate, Some(5.0 / 6.0));
        assert_eq!(of.response_automatic.p50_seconds, Some(2.0));
        assert_eq!(of.response_automatic.p95_seconds, Some(3.0));
        assert_eq!((of.response.n, of.response.p95_seconds), (5, Some(60.0)));
        assert!(responses([].iter(), |_| None).is_empty());
    }
}
