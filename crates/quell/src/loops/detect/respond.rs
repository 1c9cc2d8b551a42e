//! Whether a run answers an incident.

use quell_guard::Level;
use quell_model::{Incident, IncidentStatus, Resource};
use quell_respond::Playbook;
use quell_store::{StoreError, Write};

use crate::app::App;
use crate::begin;
use crate::orders::{exceptions, images};

/// A playbook that answers, and what its run would be about.
pub(super) type Answer<'a> = (&'a Playbook, &'a Resource);

/// Begins a run, or says on the incident why none is begun. Answers what has to be stored.
pub(super) async fn respond(
    app: &App,
    incident: &mut Incident,
    answer: Option<Answer<'_>>,
) -> Result<Vec<Write>, StoreError> {
    let (playbook, resource) = match may_respond(app, incident, answer) {
        Ok(answer) => answer,
        Err(reason) => {
            incident.status_reason = Some(reason);
            return Ok(Vec::new());
        }
    };
    if let Some(words) = excepted(app, incident, playbook, resource).await {
        incident.status_reason = Some(words);
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let run = begin::respond(incident, resource, playbook, None, now);
    let run = images::told(&*app.state, run, playbook, now).await;
    incident.runs.push(run.id.clone());
    incident.acknowledged_at.get_or_insert(app.clock.now());
    incident.status = IncidentStatus::Responding;
    incident.status_reason = None;
    Ok(begin::writes(&run)?.into_iter().collect())
}

/// Why what the playbook would do is to be left undone. When that cannot be read the run begins, and the guard gives no permit.
async fn excepted(
    app: &App,
    incident: &Incident,
    playbook: &Playbook,
    resource: &Resource,
) -> Option<String> {
    let now = app.clock.now();
    let exceptions = exceptions::in_force(&*app.state, now).await.ok()?;
    let told = incident.told.iter();
    let detections: Vec<&str> = told.map(|told| told.detection.as_str()).collect();
    quell_guard::exception::excepted(&exceptions, now, &playbook.id, &detections, resource)
}

fn may_respond<'a>(
    app: &App,
    incident: &Incident,
    answer: Option<Answer<'a>>,
) -> Result<Answer<'a>, String> {
    let (playbook, resource) = answer.ok_or("no playbook answers this detection")?;
    let account_id = &resource.account;
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
    Ok((playbook, resource))
}
