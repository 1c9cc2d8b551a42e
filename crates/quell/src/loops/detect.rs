//! Records to findings to incidents to runs. A record is done in the same batch that stores what came of it, so a
//! crash repeats it whole, and the ids make the repetition harmless.

use std::sync::Arc;
use std::time::Duration;

use quell_collect::Quarantined;
use quell_detect::Scratch;
use quell_guard::Level;
use quell_model::{Event, Finding, Incident, IncidentStatus, Record};
use quell_respond::{Playbook, Run};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use quell_triage::{Cause, Known, Placed, place};

use crate::app::App;
use crate::assess::{Assessed, assess};
use crate::begin;

/// Looked for even when nobody rang: records that another process stored.
const POLL: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 200;
/// The status of a finding that waits for more of its kind.
const WAITING: &str = "waiting";
/// So many weak findings say as much as more of them would.
const WAITING_MAX: usize = 200;
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
    let mut documents = app.state.list(&query).await?.documents;
    // Two that look at the same record are no harm: whoever is late finds a conflict, and nothing is counted twice.
    documents.retain(|record| app.claims.is_for_me(&record.id, record.at));
    let count = documents.len();
    // Records that nothing is said of are finished together: one sync for all of them.
    let mut quiet = Batch::new();
    let mut scratch = Scratch::default();
    for document in documents {
        match work_off(app, &document, &mut scratch)? {
            Worked::Quiet(done) => quiet.push(Write::Update(done)),
            Worked::Findings(findings) => store(app, document, &findings).await?,
        }
    }
    match app.state.commit(quiet).await {
        // Another process was quicker with one of them: the next round sees what is left.
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(count),
        Err(e) => Err(e),
    }
}

enum Worked {
    Quiet(Document),
    Findings(Vec<Finding>),
}

/// What the detections say of a record.
fn work_off(app: &App, document: &Document, scratch: &mut Scratch) -> Result<Worked, StoreError> {
    let as_it_is = |status: &str| Document {
        status: status.to_owned(),
        ..document.clone()
    };
    let record: Record = match document.read() {
        Ok(record) => record,
        Err(error) => {
            // It must not hold up those behind it; what is stored stays as it is.
            tracing::error!(record = document.id, %error, "a stored record cannot be read");
            return Ok(Worked::Quiet(as_it_is("quarantined")));
        }
    };
    let is_own = |event: &Event| app.is_own(&event.actor, &event.account);
    let engine = &app.content.engine;
    match assess(engine, &record, is_own, app.clock.now(), scratch) {
        Assessed::Matched(_, findings) => Ok(Worked::Findings(findings)),
        Assessed::Unmatched => Ok(Worked::Quiet(as_it_is("done"))),
        Assessed::Quarantined(error) => {
            tracing::warn!(record = document.id, %error, "a record was put aside");
            let body = record.body.get().as_bytes();
            let (origin, received) = (record.origin.clone(), record.received_at);
            let aside = Quarantined::new(origin, error.to_string(), body, received);
            Ok(Worked::Quiet(document.clone().with("quarantined", &aside)?))
        }
    }
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
    let playbook = findings.iter().find_map(|f| app.content.playbook_for(f));
    let category = playbook.map(|p| p.category.as_str());
    let cause = match category {
        Some(category) => Cause::of_category(category, first),
        None => Cause::of(first),
    };
    // Read first: who opens an incident of this cause after that makes this batch a conflict.
    let opening = app.state.get(Kind::Cause, cause.key()).await?;
    let stored = open_incident(&*app.state, cause.key()).await?;
    let waiting = waiting(&*app.state, &cause, first).await?;
    let known = Known {
        open: stored.as_ref().map(Document::read).transpose()?,
        waiting: waiting
            .iter()
            .map(Document::read)
            .collect::<Result<_, _>>()?,
    };
    let Some(placed) = place(known, &cause, findings, category, record.received_at) else {
        return Ok(());
    };
    let status = match placed {
        Placed::Waiting => WAITING,
        _ => "new",
    };
    for finding in findings {
        let document = Document::new(
            Kind::Finding,
            finding.id.as_str(),
            status,
            finding.event_time,
            finding,
        )?;
        batch.push(Write::InsertNew(document.under(cause.key())));
    }
    let (mut incident, stored) = match placed {
        Placed::Opened(opened) => {
            batch.push(match opening {
                Some(before) => Write::Update(before),
                None => Write::Insert(Document::new(
                    Kind::Cause,
                    cause.key(),
                    "opened",
                    opened.detected_at,
                    &(),
                )?),
            });
            (opened, None)
        }
        Placed::Joined(joined) => (joined, stored),
        Placed::Known(_) | Placed::Waiting => return Ok(()),
    };
    for document in waiting {
        let status = "new".to_owned();
        batch.push(Write::Update(Document { status, ..document }));
    }
    let idle = matches!(
        incident.status,
        IncidentStatus::Open | IncidentStatus::Parked
    );
    if idle && !waits_for_a_person(&*app.state, &incident).await? {
        respond(app, &mut incident, playbook, batch)?;
    }
    push_incident(&incident, stored, batch)
}

/// Weak findings of a cause that no incident holds yet.
async fn waiting(
    state: &dyn State,
    cause: &Cause,
    first: &Finding,
) -> Result<Vec<Document>, StoreError> {
    let mut query = Query::all(Kind::Finding)
        .parent(cause.key())
        .status(WAITING)
        .newest()
        .limit(WAITING_MAX);
    query.since = cause.since(first.event_time);
    Ok(state.list(&query).await?.documents)
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
    let account_id = &incident.resource.account;
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
