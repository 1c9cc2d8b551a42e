//! Looks again at what responses did: whether it stays, and whether a containment has come to its end.
//!
//! What ends by itself is taken back at its end; whatever else has come to its end is a person's to say.
//! A look is a dry run of the playbook: it reads and plans, and changes nothing. Two processes may look at the same; the batch
//! that says what follows is written once.

use std::sync::Arc;
use std::time::Duration;

use quell_model::{Incident, IncidentStatus};
use quell_respond::{Run, RunStatus, Seen, Then, Watch};
use quell_states::Status;
use quell_store::{Batch, Document, Kind, Query, StoreError, Write};

use super::runs::{Dry, dry_run_of};
use crate::app::App;
use crate::orders::images;
use crate::{begin, watched};

/// What is due is looked for so often.
const EVERY: Duration = Duration::from_secs(1);
/// What cannot be done now is tried again after this.
const PAUSE: Duration = Duration::from_secs(15);
/// So many looks at a time.
const PAGE: usize = 100;

pub(super) async fn run(app: Arc<App>) {
    loop {
        let wait = match look_at_all(&app).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::error!(%error, "what was done is not being watched for a moment");
                PAUSE
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn look_at_all(app: &App) -> Result<(), StoreError> {
    let query = Query::all(Kind::Watch).status("watching").limit(PAGE);
    for document in app.state.list(&query).await?.documents {
        if document.at > app.clock.now() {
            break;
        }
        match look(app, document).await {
            Err(StoreError::Conflict { .. }) => {}
            other => other?,
        }
    }
    Ok(())
}

async fn look(app: &App, document: Document) -> Result<(), StoreError> {
    let mut watch: Watch = document.read()?;
    if watch.ends {
        return end(app, document, watch).await;
    }
    let first = app.state.get(Kind::Run, watch.run.as_str()).await?;
    let first: Option<Run> = first.map(|d| d.read()).transpose()?;
    let playbook = app.content.playbooks.get(&watch.playbook);
    let seen = match (first, playbook) {
        (Some(first), Some(playbook)) => {
            // As the run that did it: it knows by its own id what it made.
            match dry_run_of(app, playbook, &first).await {
                Ok(Dry::Planned { .. }) => Seen::CameBack,
                Ok(Dry::Ended {
                    status: Status::Succeeded { .. },
                    ..
                }) => Seen::Holds,
                Ok(Dry::Ended { .. }) | Err(_) => Seen::Unreadable,
            }
        }
        _ => Seen::Unreadable,
    };
    let now = app.clock.now();
    let then = watch.looked(seen, &app.config.respond.watch_seconds, now);
    tracing::info!(run = %watch.run, resource = %watch.resource.arn, ?seen, ?then, "looked again at what was done");
    let mut batch = Batch::new().with(watched::write(Some(document), &watch)?);
    for write in follow(app, &watch, then).await? {
        batch.push(write);
    }
    app.state.commit(batch).await?;
    app.runs.notify_one();
    Ok(())
}

/// What a run did has come to its end, and is taken back by itself.
async fn end(app: &App, document: Document, mut watch: Watch) -> Result<(), StoreError> {
    let now = app.clock.now();
    let first = app.state.get(Kind::Run, watch.run.as_str()).await?;
    let first: Option<Run> = first.map(|d| d.read()).transpose()?;
    let incident = watch.incident.as_str();
    let incident = app.state.get(Kind::Incident, incident).await?;
    let playbook = app.content.playbooks.get(&watch.playbook);
    watch.end();
    let mut batch = Batch::new().with(watched::write(Some(document), &watch)?);
    let first = first.filter(|first| first.status == RunStatus::Done);
    if let (Some(first), Some(document)) = (first, incident) {
        let mut incident: Incident = document.read()?;
        match playbook {
            Some(playbook) => {
                let attempt = incident.runs.len();
                let run = begin::undo(&first, &incident, playbook, attempt, begin::ENDED_BY, now);
                tracing::info!(run = %run.id, first = %first.id, "what had come to its end is taken back");
                incident.runs.push(run.id.clone());
                begin::writes(&run)?
                    .into_iter()
                    .for_each(|write| batch.push(write));
            }
            None => {
                incident.status = IncidentStatus::Parked;
                incident.status_reason = Some(format!(
                    "what {} did has come to its end, and its playbook is not here any more: take it back by hand",
                    first.id
                ));
            }
        }
        let status = incident.status.as_str();
        batch.push(Write::Update(document.with(status, &incident)?));
    }
    app.state.commit(batch).await?;
    app.runs.notify_one();
    Ok(())
}

/// What becomes of the incident.
async fn follow(app: &App, watch: &Watch, then: Then) -> Result<Vec<Write>, StoreError> {
    let found = app
        .state
        .get(Kind::Incident, watch.incident.as_str())
        .await?;
    let Some(document) = found.filter(|_| then != Then::Nothing) else {
        return Ok(Vec::new());
    };
    let mut incident: Incident = document.read()?;
    let (run, now) = (&watch.run, app.clock.now());
    let mut writes = Vec::new();
    match (then, app.content.playbooks.get(&watch.playbook)) {
        (Then::RunAgain, Some(playbook)) => {
            // A run that is there already sees the same.
            if begin::at_work(&*app.state, &incident.id).await?.is_some() {
                return Ok(Vec::new());
            }
            let next = begin::respond(&incident, &watch.resource, playbook, None, now);
            let next = images::told(&*app.state, next, playbook, now).await;
            incident.runs.push(next.id.clone());
            incident.status = IncidentStatus::Responding;
            incident.status_reason = Some(format!("what {run} had done is not there any more"));
            writes.extend(begin::writes(&next)?);
        }
        (Then::AskWhetherItStays, _) => {
            incident.status = IncidentStatus::Parked;
            incident.status_reason = Some(format!(
                "the containment by {run} has come to its end: let it go with `quell undo {run}`, or keep it with `quell keep {run}`"
            ));
        }
        _ => {
            incident.status = IncidentStatus::Parked;
            incident.status_reason = Some(format!(
                "whether what {run} did is still there cannot be read"
            ));
        }
    }
    // It is not over any more, whatever was said of it.
    incident.resolved_at = None;
    let status = incident.status.as_str();
    writes.push(Write::Update(document.with(status, &incident)?));
    Ok(writes)
}
