//! How a run ends, and what that means for its incident.

use quell_evidence::Hash;
use quell_model::{Handled, Incident, IncidentStatus, RunId, Timestamp, canonical_json};
use quell_respond::{Mode, Run, RunStatus, Stage, Watch};
use quell_states::Status;
use quell_store::{Batch, Document, Kind, Query, StoreError, Write};
use serde_json::{Value, json};

use super::nested;
use crate::app::App;
use crate::audit;
use crate::begin;
use crate::orders::images;
use crate::watched;

/// Others write incidents too; not for ever at the same moment.
const CONFLICTS_MAX: usize = 20;
/// An incident that needs more runs than this is looked at by a person: somebody keeps undoing the fix.
const RUNS_MAX: usize = 50;

/// The end of a run, what it means for its incident, and the next run where one is needed.
pub(super) async fn ended(
    app: &App,
    run: &mut Run,
    status: &Status,
) -> Result<Vec<Write>, StoreError> {
    let now = app.clock.now();
    run.end(status, now);
    tracing::info!(run = %run.id, status = run.status.as_str(), outcome = run.outcome, reason = run.reason, "a run ended");
    let mut writes = Vec::from_iter(give_back_lease(app, run).await?);
    let evidence = evidence(app, run, now).await?;
    let hash = evidence.as_ref().map(|(hash, _)| *hash);
    writes.push(audit::write(&audit::ended(run, hash, now))?);
    writes.extend(evidence.map(|(_, write)| write));
    writes.extend(watched(app, run, now).await?);
    match run.parent {
        // What it means for the incident is its parent's to say.
        Some(_) => writes.extend(nested::ended(run, status, now)?),
        None => {
            writes.extend(first_run(app, run).await?);
            writes.extend(incident(app, run, now).await?);
        }
    }
    Ok(writes)
}

/// What a run changed is watched from now on; what was taken back is not.
async fn watched(app: &App, run: &Run, now: Timestamp) -> Result<Vec<Write>, StoreError> {
    if run.status != RunStatus::Done || run.takes_back || !run.did_something() {
        return Ok(Vec::new());
    }
    let mut writes = Vec::from_iter(own_end(app, run, now).await?);
    let id = Watch::id(&run.playbook, &run.resource);
    let stored = app.state.get(Kind::Watch, &id).await?;
    let known: Option<Watch> = stored.as_ref().map(Document::read).transpose()?;
    let watch = match (run.mode, known) {
        (Mode::Respond, known) => {
            let playbook = app.content.playbooks.get(&run.playbook);
            // What ends by itself has an end of its own.
            let hours = playbook
                .filter(|_| writes.is_empty())
                .and_then(|playbook| playbook.containment_hours);
            Watch::of(known, run, hours, &app.config.respond.watch_seconds, now)
        }
        (Mode::Undo, Some(mut watch)) => {
            watch.end();
            watch
        }
        (Mode::Undo, None) => return Ok(writes),
    };
    writes.push(watched::write(stored, &watch)?);
    Ok(writes)
}

/// The end of what a run did, when that is taken back by itself; and that it has been.
async fn own_end(app: &App, run: &Run, now: Timestamp) -> Result<Option<Write>, StoreError> {
    if let Some(first) = &run.undo_of {
        let Some(stored) = app.state.get(Kind::Watch, first.as_str()).await? else {
            return Ok(None);
        };
        let mut watch: Watch = stored.read()?;
        watch.end();
        return watched::write(Some(stored), &watch).map(Some);
    }
    let playbook = app.content.playbooks.get(&run.playbook);
    let hours = playbook
        .filter(|playbook| run.is_containment() && playbook.ends_by_itself(run))
        .and_then(|playbook| playbook.containment_hours);
    let watch = hours.map(|hours| Watch::of_end(run, hours, now));
    watch.map(|watch| watched::write(None, &watch)).transpose()
}

/// A run that waits for a person gives up its resource: whoever comes next reads the state anew. Its incident says
/// that a person has to decide.
pub(super) async fn parked(app: &App, run: &Run) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::from_iter(give_back_lease(app, run).await?);
    writes.extend(parked_incident(app, run).await?);
    Ok(writes)
}

async fn parked_incident(app: &App, run: &Run) -> Result<Option<Write>, StoreError> {
    let Some(document) = app.state.get(Kind::Incident, run.incident.as_str()).await? else {
        return Ok(None);
    };
    let mut incident: Incident = document.read()?;
    let known = incident.clone();
    park(&mut incident, run);
    if incident == known {
        return Ok(None);
    }
    let update = document.with(incident.status.as_str(), &incident)?;
    Ok(Some(Write::Update(update)))
}

fn park(incident: &mut Incident, run: &Run) {
    incident.status = IncidentStatus::Parked;
    let reason = run.reason.as_ref();
    incident.status_reason = reason.map(|r| format!("{} waits for an approval: {r}", run.id));
}

/// A nested run gives back what it took itself. Mostly it works under the lease of a run above it.
async fn give_back_lease(app: &App, run: &Run) -> Result<Option<Write>, StoreError> {
    let key = run.resource.arn.to_string();
    if run.parent.is_some() && !holds_lease(app, run).await? {
        return Ok(None);
    }
    Ok(Some(Write::Delete(Kind::Lease, key)))
}

async fn holds_lease(app: &App, run: &Run) -> Result<bool, StoreError> {
    let key = run.resource.arn.to_string();
    let held = app.state.get(Kind::Lease, &key).await?;
    let holder = held.map(|d| d.read::<RunId>()).transpose()?;
    Ok(holder.as_ref() == Some(&run.id))
}

/// So many findings, and as many of the records that they rest on, are captured with a run.
const CAPTURED_MAX: usize = 50;
/// So many entries of a run's log are captured: what was decided and called. The rest is the state machine's own.
const LOG_CAPTURED_MAX: usize = 5_000;

/// What is captured of a run: the plan with its before-image, what takes it back with the state that was read after, what was decided and
/// called, the findings and their records. With its hash, by which the audit log names it.
async fn evidence(
    app: &App,
    run: &Run,
    now: Timestamp,
) -> Result<Option<(Hash, Write)>, StoreError> {
    let Some(plan) = &run.plan else {
        return Ok(None);
    };
    let incident = app.state.get(Kind::Incident, run.incident.as_str()).await?;
    let incident: Option<Incident> = incident.map(|d| d.read()).transpose()?;
    let (findings, records) = captured(app, incident.as_ref()).await?;
    let body = json!({
        "run": run.id, "outcome": run.outcome, "reason": run.reason, "mode": run.mode, "planHash": plan.hash(), "plan": plan, "proof": run.proof,
        "undo": run.undo, "undoOf": run.undo_of, "approvals": run.approvals, "rejection": run.rejection, "requestedBy": run.requested_by, "timeline": run.timeline,
        "playbookDigest": run.playbook_digest, "log": decisions(app, run).await?, "incident": incident, "findings": findings,
        "records": records, "capturedAt": now,
    });
    let hash = Hash::of_bytes(canonical_json(&body).as_bytes());
    let sealed = json!({"sha256": hash, "evidence": body});
    let document = Document::new(Kind::Evidence, run.id.as_str(), "sealed", now, &sealed)?;
    let write = Write::InsertNew(document.under(run.incident.as_str()));
    Ok(Some((hash, write)))
}

async fn captured(
    app: &App,
    incident: Option<&Incident>,
) -> Result<(Vec<Value>, Vec<Value>), StoreError> {
    let (mut findings, mut records) = (Vec::new(), Vec::new());
    let ids = incident.iter().flat_map(|i| &i.findings);
    for id in ids.take(CAPTURED_MAX) {
        let Some(document) = app.state.get(Kind::Finding, id.as_str()).await? else {
            continue;
        };
        let finding: Value = document.read()?;
        let record = finding.get("record").and_then(Value::as_str);
        if let Some(record) = record
            && let Some(document) = app.state.get(Kind::Record, record).await?
        {
            records.push(document.read()?);
        }
        findings.push(finding);
    }
    Ok((findings, records))
}

/// What was decided and called, from the run's log.
async fn decisions(app: &App, run: &Run) -> Result<Vec<Value>, StoreError> {
    let entries = app
        .state
        .read_log(run.id.as_str(), 0, LOG_CAPTURED_MAX)
        .await?;
    let told = entries.iter().filter_map(|entry| {
        let body: Value = serde_json::from_str(&entry.body).ok()?;
        let is_input = body.get("entry").and_then(Value::as_str) == Some("input");
        (!is_input).then(|| json!({"seq": entry.seq, "at": entry.at, "entry": body}))
    });
    Ok(told.collect())
}

/// A run that was taken back says so.
async fn first_run(app: &App, run: &Run) -> Result<Option<Write>, StoreError> {
    let undone = run.undo_of.as_ref();
    let Some(first) = undone.filter(|_| run.status == RunStatus::Done) else {
        return Ok(None);
    };
    let Some(document) = app.state.get(Kind::Run, first.as_str()).await? else {
        return Ok(None);
    };
    let mut first: Run = document.read()?;
    first.note_taken_back(run.takes_back);
    let update = document.with(first.status.as_str(), &first)?;
    Ok(Some(Write::Update(update)))
}

async fn incident(app: &App, run: &Run, now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let Some(document) = app.state.get(Kind::Incident, run.incident.as_str()).await? else {
        return Ok(Vec::new());
    };
    let mut incident: Incident = document.read()?;
    let mut writes = Vec::new();
    // Findings that came after the run began may be about a state that it never read.
    let newer = incident.finding_count > run.covers_findings;
    let playbook = app.content.playbooks.get(&run.playbook);
    let error = run.outcome.as_deref().unwrap_or_default();
    let failed = run.is_to_be_taken_back();
    let again = run.mode == Mode::Respond && newer && incident.runs.len() < RUNS_MAX;
    match playbook {
        Some(playbook) if failed => {
            let back = begin::taking_back(run, &incident, playbook, now);
            incident.runs.push(back.id.clone());
            incident.status = IncidentStatus::Responding;
            incident.status_reason = Some(format!(
                "{} failed half way ({error}) and is taken back",
                run.id
            ));
            writes.extend(begin::writes(&back)?);
        }
        Some(playbook) if again => {
            let next = begin::respond(&incident, &run.resource, playbook, None, now);
            let next = images::told(&*app.state, next, playbook, now).await;
            incident.runs.push(next.id.clone());
            incident.status = IncidentStatus::Responding;
            writes.extend(begin::writes(&next)?);
        }
        _ if run.requested_by.as_deref() == Some(begin::ENDED_BY) => {
            let others = others_last(app, run).await?;
            settle_end(&mut incident, run, others, now);
        }
        _ => settle(&mut incident, run, now),
    }
    let update = document.with(incident.status.as_str(), &incident)?;
    writes.push(Write::Update(update));
    Ok(writes)
}

/// Whether what another run of the incident did still lasts, and ends by itself later.
async fn others_last(app: &App, run: &Run) -> Result<bool, StoreError> {
    let query = Query::all(Kind::Watch).parent(run.incident.as_str());
    let watches = app.state.list(&query.status("watching")).await?;
    let watches: Vec<Watch> = watches.read()?;
    let first = run.undo_of.as_ref();
    Ok(watches.iter().any(|w| w.ends && Some(&w.run) != first))
}

/// What had come to its end was taken back, or could not be. What a person judged stays judged.
fn settle_end(incident: &mut Incident, run: &Run, others_last: bool, now: Timestamp) {
    let first = run.undo_of.as_ref().map_or("the run", RunId::as_str);
    match run.status {
        RunStatus::Done if others_last || incident.status != IncidentStatus::Contained => {}
        RunStatus::Done => {
            incident.status = IncidentStatus::Resolved;
            incident.resolved_at = Some(now);
            incident.status_reason = Some(format!("what {first} did has ended as planned"));
        }
        _ => {
            let (outcome, reason) = (run.outcome.as_deref(), run.reason.as_deref());
            incident.status = IncidentStatus::Parked;
            incident.status_reason = Some(format!(
                "what {first} did has come to its end and could not be taken back: {}: {}",
                outcome.unwrap_or_default(),
                reason.unwrap_or_default()
            ));
        }
    }
}

/// What a run's end means for its incident.
fn settle(incident: &mut Incident, run: &Run, now: Timestamp) {
    let why = || {
        let outcome = run.outcome.clone().unwrap_or_default();
        run.reason
            .as_ref()
            .map_or(outcome.clone(), |reason| format!("{outcome}: {reason}"))
    };
    if run.mode == Mode::Respond && run.status == RunStatus::Done {
        incident.contained_at.get_or_insert(now);
        incident.handled.get_or_insert(
            match run.requested_by.is_none() && run.approvals.is_empty() {
                true => Handled::Automatically,
                false => Handled::WithAPerson,
            },
        );
    }
    match (run.mode, run.status) {
        (Mode::Respond, RunStatus::Done) if run.is_containment() => {
            incident.status = IncidentStatus::Contained;
            incident.status_reason = run.outcome.clone();
        }
        (Mode::Respond, RunStatus::Done) => {
            incident.status = IncidentStatus::Resolved;
            incident.resolved_at = Some(now);
            incident.status_reason = run.outcome.clone();
        }
        (Mode::Undo, status) if run.takes_back => {
            incident.status = IncidentStatus::Parked;
            let first = run.undo_of.as_ref().map_or("the response", RunId::as_str);
            incident.status_reason = Some(match status {
                RunStatus::Done => {
                    format!("{first} failed half way, and what it had done was taken back")
                }
                _ => format!(
                    "{first} failed half way, and could not be taken back: {}",
                    why()
                ),
            });
        }
        // A person took the fix back: the exposure is there again, and theirs to decide on.
        (Mode::Undo, RunStatus::Done) => {
            incident.status = IncidentStatus::Parked;
            incident.resolved_at = None;
            let by = run.requested_by.as_deref().unwrap_or("somebody");
            incident.status_reason = Some(format!("the fix was undone by {by}"));
        }
        (Mode::Respond, _) => {
            incident.status = IncidentStatus::Parked;
            incident.status_reason = Some(why());
        }
        // An undo that did not happen leaves the incident as it was.
        (Mode::Undo, _) => {}
    }
}

/// The playbook that a run is pinned to is not here any more: a person has to look.
pub(super) async fn park_without_playbook(
    app: &App,
    document: Document,
    mut run: Run,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    run.status = RunStatus::Parked;
    run.outcome = Some("Quell.PlaybookChanged".to_owned());
    run.reason = Some(format!(
        "the run is pinned to {} {} as it was when it began, and that is not here any more: start it anew",
        run.playbook, run.playbook_version
    ));
    run.note(Stage::Ended, now);
    let gone = Status::Failed {
        error: run.outcome.clone(),
        cause: run.reason.clone(),
    };
    let said = nested::ended(&run, &gone, now)?;
    let lease = match holds_lease(app, &run).await? {
        true => Some(Write::Delete(Kind::Lease, run.resource.arn.to_string())),
        false => None,
    };
    for _ in 0..CONFLICTS_MAX {
        let update = document.clone().with(run.status.as_str(), &run)?;
        let mut batch = Batch::new().with(Write::Update(update));
        let with = lease.iter().chain(&said).cloned();
        with.for_each(|write| batch.push(write));
        parked_incident(app, &run)
            .await?
            .into_iter()
            .for_each(|write| batch.push(write));
        match app.state.commit(batch).await {
            Err(StoreError::Conflict {
                kind: "incident", ..
            }) => {}
            other => return other.map(drop),
        }
    }
    Ok(())
}
