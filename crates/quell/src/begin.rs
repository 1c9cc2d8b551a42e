//! How runs begin: by themselves, because a person asked, to take one back, or only in imagination.

use std::collections::BTreeMap;

use quell_model::{Incident, IncidentId, Resource, RunId, Timestamp};
use quell_respond::{Mode, Parent, Playbook, Run, RunStatus, Stage, Told};
use quell_store::{Document, Kind, Query, State, StoreError, Write};

use crate::audit;
use crate::runner::wake;

/// A run about a resource that answers an incident. Its id is the claim: the same incident and ordinal give the same run.
pub fn respond(
    incident: &Incident,
    resource: &Resource,
    playbook: &Playbook,
    requested_by: Option<String>,
    now: Timestamp,
) -> Run {
    let cause = format!("{}#{}", incident.id, incident.runs.len());
    let arn = resource.arn.to_string();
    let id = RunId::of(
        incident.detected_at,
        &playbook.id,
        playbook.major(),
        &arn,
        &cause,
    );
    let mut run = blank(id, incident, resource, playbook, Mode::Respond);
    run.requested_by = requested_by;
    run.note(Stage::Opened, now);
    run
}

/// The run that is at work for an incident, or has a plan that a person is asked about: there is one at a time.
///
/// # Errors
/// [`StoreError`].
pub async fn at_work(state: &dyn State, incident: &IncidentId) -> Result<Option<Run>, StoreError> {
    let query = Query::all(Kind::Run).parent(incident.as_str());
    let query = query.status("running").status("parked").newest();
    let runs: Vec<Run> = state.list(&query).await?.read()?;
    let is_open = |run: &Run| run.status == RunStatus::Running || run.outcome.is_none();
    Ok(runs.into_iter().find(is_open))
}

/// A run that takes another back.
pub fn undo(
    first: &Run,
    incident: &Incident,
    playbook: &Playbook,
    attempt: usize,
    by: &str,
    now: Timestamp,
) -> Run {
    let cause = format!("undo {}#{attempt}", first.id);
    let arn = first.resource.arn.to_string();
    let id = RunId::of(now, &playbook.id, playbook.major(), &arn, &cause);
    let mut run = blank(id, incident, &first.resource, playbook, Mode::Undo);
    run.requested_by = Some(by.to_owned());
    run.undo = first.undo.clone();
    run.undo_of = Some(first.id.clone());
    run.note(Stage::Opened, now);
    run
}

/// Who asked for a run that takes back what has come to its end.
pub const ENDED_BY: &str = "policy:end";

/// Who asked for a run that takes back what a failed one had done.
pub const TAKEN_BACK_BY: &str = "policy:take-back";

/// A run that takes back what the last stage of another had done when a step of it failed.
pub fn taking_back(failed: &Run, incident: &Incident, playbook: &Playbook, now: Timestamp) -> Run {
    let attempt = incident.runs.len();
    let mut run = undo(failed, incident, playbook, attempt, TAKEN_BACK_BY, now);
    run.undo = Some(failed.stage_undo());
    run.takes_back = true;
    run
}

/// A run that a task of another one starts, on the same resource. Its id is the claim: the same task, or the same name
/// given by the same run, gives the same run.
pub fn nested(parent: &Run, playbook: &Playbook, nest: Parent, now: Timestamp) -> Run {
    let name = nest.execution.name();
    let claim = name.map_or_else(|| nest.task.to_string(), |name| format!("name {name}"));
    let cause = format!("nested in {}: {claim}", parent.id);
    let arn = parent.resource.arn.to_string();
    let opened = parent.reached(Stage::Opened).unwrap_or_default();
    let id = RunId::of(opened, &playbook.id, playbook.major(), &arn, &cause);
    let (incident, resource) = (parent.incident.clone(), parent.resource.clone());
    let mut run = unbegun(id, incident, resource, playbook, Mode::Respond);
    run.told = parent.told.clone();
    run.covers_findings = parent.covers_findings;
    run.requested_by = parent.requested_by.clone();
    run.parent = Some(nest);
    run.note(Stage::Opened, now);
    run
}

/// A run that belongs to no incident and is never stored: for a dry run.
pub fn imagined(playbook: &Playbook, resource: Resource, now: Timestamp) -> Run {
    let arn = resource.arn.to_string();
    let id = RunId::of(now, &playbook.id, playbook.major(), &arn, "dry run");
    unbegun(
        id,
        IncidentId::of(now, "dry run"),
        resource,
        playbook,
        Mode::Respond,
    )
}

fn blank(
    id: RunId,
    incident: &Incident,
    resource: &Resource,
    playbook: &Playbook,
    mode: Mode,
) -> Run {
    let mut run = unbegun(id, incident.id.clone(), resource.clone(), playbook, mode);
    run.covers_findings = incident.finding_count;
    run.told = Told::of(incident);
    run
}

fn unbegun(
    id: RunId,
    incident: IncidentId,
    resource: Resource,
    playbook: &Playbook,
    mode: Mode,
) -> Run {
    Run {
        id,
        playbook: playbook.id.clone(),
        playbook_version: playbook.version.clone(),
        playbook_digest: playbook.digest.clone(),
        mode,
        incident,
        resource,
        status: RunStatus::Running,
        outcome: None,
        reason: None,
        covers_findings: 0,
        requested_by: None,
        approvals: Vec::new(),
        rejection: None,
        asked: None,
        plan: None,
        proof: None,
        timeline: Vec::new(),
        undo: None,
        unanswered: BTreeMap::new(),
        earlier: None,
        undo_of: None,
        takes_back: false,
        told: Told::default(),
        parent: None,
        children: BTreeMap::new(),
    }
}

/// What stores a new run, that it is to be begun, and who began it.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn writes(run: &Run) -> Result<[Write; 3], StoreError> {
    let at = run.reached(Stage::Opened).unwrap_or_default();
    let document = Document::new(Kind::Run, run.id.as_str(), run.status.as_str(), at, run)?
        .under(run.incident.as_str());
    let wake = wake::first(&run.id, &run.resource.account, at)?;
    let told = audit::write(&audit::begun(run, at))?;
    Ok([Write::InsertNew(document), wake, told])
}
