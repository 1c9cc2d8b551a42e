//! Records to findings to incidents to runs. A record is done in the same batch that stores what came of it, so a
//! crash repeats it whole, and the ids make the repetition harmless.

use std::sync::Arc;
use std::time::Duration;

use quell_collect::Quarantined;
use quell_guard::Level;
use quell_model::{Finding, Incident, IncidentStatus, Record};
use quell_normalize::{event, is_from_aws, resource};
use quell_respond::{Playbook, Run};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use quell_triage::{Placed, cause, place};

use crate::app::App;
use crate::begin;

/// Looked for even when nobody rang: records that another process stored.
const POLL: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 200;
/// A record that another process should have looked at is anybody's after so long.
const LEFT_LYING_MILLIS: i64 = 3_000;
/// Somebody else may write the same incident at the same moment; not for ever.
const CONFLICTS_MAX: usize = 20;

pub(super) async fn run(app: Arc<App>) {
    loop {
        match pending(&app).await {
            Ok(0) => drop(tokio::time::timeout(POLL, app.records.notified()).await),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "detection stopped for a moment");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Works off a page of pending records; answers how many there were.
async fn pending(app: &App) -> Result<usize, StoreError> {
    let query = Query::all(Kind::Record).status("pending").limit(AT_ONCE);
    let documents = mine(app, app.state.list(&query).await?.documents);
    let count = documents.len();
    // Records that nothing is said of are finished together: one sync for all of them.
    let mut quiet = Batch::new();
    for document in documents {
        match assess(app, &document)? {
            Assessed::Quiet(done) => quiet.push(Write::Update(done)),
            Assessed::Findings(findings) => store(app, document, &findings).await?,
        }
    }
    match app.state.commit(quiet).await {
        // Another process was quicker with one of them: the next round sees what is left.
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(count),
        Err(e) => Err(e),
    }
}

/// Those of the records that are this process's to look at, when several share the store. What the others leave lying is
/// everybody's: whoever is late finds a conflict, and nothing is counted twice.
fn mine(app: &App, mut pending: Vec<Document>) -> Vec<Document> {
    let ((place, of), now) = (app.claims.share(), app.clock.now());
    pending.retain(|record| {
        let number = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        let share = record.id.bytes().fold(0, number) % of.max(1);
        share == place || now.millis_since(record.at) > LEFT_LYING_MILLIS
    });
    pending
}

enum Assessed {
    Quiet(Document),
    Findings(Vec<Finding>),
}

/// What the detections say of a record.
fn assess(app: &App, document: &Document) -> Result<Assessed, StoreError> {
    let done = || Document {
        status: "done".to_owned(),
        ..document.clone()
    };
    let record: Record = match document.read() {
        Ok(record) => record,
        Err(error) => {
            // It must not hold up those behind it; what is stored stays as it is.
            tracing::error!(record = document.id, %error, "a stored record cannot be read");
            return Ok(Assessed::Quiet(Document {
                status: "quarantined".to_owned(),
                ..document.clone()
            }));
        }
    };
    if !is_from_aws(&record) {
        // An event of somebody's own source. Nothing is detected on those yet.
        return Ok(Assessed::Quiet(done()));
    }
    let event = match event(&record) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(record = document.id, %error, "a record was put aside");
            let body = record.body.get().as_bytes();
            let aside = Quarantined::new(
                record.origin.clone(),
                error.to_string(),
                body,
                record.received_at,
            );
            return Ok(Assessed::Quiet(
                document.clone().with("quarantined", &aside)?,
            ));
        }
    };
    if app.is_own(&event.actor, &event.account) {
        return Ok(Assessed::Quiet(done()));
    }
    let Some(resource) = resource(&event, &record) else {
        return Ok(Assessed::Quiet(done()));
    };
    let findings = app
        .content
        .engine
        .findings(&record, &event, &resource, app.clock.now());
    Ok(if findings.is_empty() {
        Assessed::Quiet(done())
    } else {
        Assessed::Findings(findings)
    })
}

/// Stores a record's findings, their incident, and the run that answers it: one batch.
async fn store(app: &App, document: Document, findings: &[Finding]) -> Result<(), StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let record: Record = document.read()?;
        let done = Document {
            status: "done".to_owned(),
            ..document.clone()
        };
        let mut batch = Batch::new().with(Write::Update(done));
        add_findings(app, &record, findings, &mut batch).await?;
        match app.state.commit(batch).await {
            Ok(_) => {
                app.runs.notify_one();
                return Ok(());
            }
            Err(StoreError::Conflict { kind: "record", .. }) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Err(StoreError::Conflict {
        kind: "record",
        id: document.id,
    })
}

async fn add_findings(
    app: &App,
    record: &Record,
    findings: &[Finding],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let Some(first) = findings.first() else {
        return Ok(());
    };
    let playbook = findings
        .iter()
        .find_map(|f| app.content.playbook_for(&f.detection));
    let category = playbook.map_or("Unauthorized Access", |p| p.category.as_str());
    let cause = cause(category, first);
    // Read first: who opens an incident of this cause after that makes this batch a conflict.
    let opening = app.state.get(Kind::Cause, &cause).await?;
    let stored = open_incident(&*app.state, &cause).await?;
    let mut incident: Option<Incident> = stored.as_ref().map(Document::read).transpose()?;
    let mut changed = false;
    for finding in findings {
        let document = Document::new(
            Kind::Finding,
            finding.id.as_str(),
            "new",
            finding.detected_at,
            finding,
        )?;
        batch.push(Write::InsertNew(document));
        incident = match place(incident.take(), finding, category, record.received_at) {
            Placed::Opened(opened) => {
                changed = true;
                batch.push(match &opening {
                    Some(before) => Write::Update(before.clone()),
                    None => Write::Insert(Document::new(
                        Kind::Cause,
                        &*cause,
                        "opened",
                        opened.detected_at,
                        &(),
                    )?),
                });
                Some(opened)
            }
            Placed::Joined(joined) => {
                changed = true;
                Some(joined)
            }
            Placed::Known(known) => Some(known),
        };
    }
    let Some(mut incident) = incident.filter(|_| changed) else {
        return Ok(());
    };
    let idle = matches!(
        incident.status,
        IncidentStatus::Open | IncidentStatus::Parked
    );
    if idle && !waits_for_a_person(&*app.state, &incident).await? {
        respond(app, &mut incident, playbook, batch)?;
    }
    push_incident(&incident, stored, batch)
}

/// Whether a run of the incident has a plan that somebody is asked about: another would only ask again.
async fn waits_for_a_person(state: &dyn State, incident: &Incident) -> Result<bool, StoreError> {
    let query = Query::all(Kind::Run)
        .parent(incident.id.as_str())
        .status("parked")
        .newest()
        .limit(1);
    match state.list(&query).await?.documents.pop() {
        Some(document) => Ok(document.read::<Run>()?.outcome.is_none()),
        None => Ok(false),
    }
}

/// The unresolved incident of a cause.
pub(crate) async fn open_incident(
    state: &dyn State,
    cause: &str,
) -> Result<Option<Document>, StoreError> {
    let query = Query::all(Kind::Incident)
        .parent(cause)
        .status("open")
        .status("responding")
        .status("parked");
    Ok(state.list(&query.newest().limit(1)).await?.documents.pop())
}

/// Adds an incident to a batch: changed, when it was read from the store, else new.
pub(crate) fn push_incident(
    incident: &Incident,
    stored: Option<Document>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let status = incident.status.as_str();
    batch.push(match stored {
        Some(document) => Write::Update(document.with(status, incident)?),
        None => {
            let id = incident.id.as_str();
            let document =
                Document::new(Kind::Incident, id, status, incident.detected_at, incident)?;
            Write::Insert(document.under(&*incident.cause))
        }
    });
    Ok(())
}

/// Begins a run, or says on the incident why none is begun.
fn respond(
    app: &App,
    incident: &mut Incident,
    playbook: Option<&Playbook>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    if let Err(reason) = may_respond(app, incident, playbook) {
        incident.status_reason = Some(reason);
        return Ok(());
    }
    let Some(playbook) = playbook else {
        return Ok(());
    };
    let run = begin::respond(incident, playbook, None, app.clock.now());
    incident.runs.push(run.id.clone());
    incident.status = IncidentStatus::Responding;
    incident.status_reason = None;
    for write in begin::writes(&run)? {
        batch.push(write);
    }
    Ok(())
}

fn may_respond(app: &App, incident: &Incident, playbook: Option<&Playbook>) -> Result<(), String> {
    let account_id = &incident.resource.arn.account;
    let playbook = playbook.ok_or("no playbook answers this detection")?;
    let account = app.account(account_id).ok_or_else(|| {
        format!("account {account_id} is not in scope: list it under [[accounts]] in quell.toml to have it looked after")
    })?;
    if app.level(playbook, account) == Level::Observe {
        return Err("the level here is «observe»".to_owned());
    }
    let age = app.clock.now().millis_since(incident.last_event_at) / 1000;
    if age > app.config.respond.event_age_seconds_max {
        return Err(format!(
            "the event is {age} s old: a person may start {} for it",
            playbook.id
        ));
    }
    if app.aws.is_none() {
        return Err("there are no AWS credentials to respond with".to_owned());
    }
    Ok(())
}
