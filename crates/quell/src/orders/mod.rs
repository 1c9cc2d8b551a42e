//! What people have laid down for the guard, as it stands in the store: exceptions, freezes and approved images, and what is known of
//! why a run is there. Read anew for each decision, never from memory: what was laid down anywhere holds everywhere.

pub mod exceptions;
pub mod freezes;
pub mod images;
pub mod promotions;

use quell_evidence::Entry;
use quell_guard::{Cause, Exception, Freeze};
use quell_model::{Actor, Arn, Incident, IncidentId, Severity, Timestamp};
use quell_store::{Batch, Kind, Query, State, StoreError, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::audit;
use crate::random::{self, NoRandomness};

/// Others write it too; not for ever at the same moment.
const CONFLICTS_MAX: usize = 20;
/// Each of them is looked at for each decision, and by people now and then.
const IN_FORCE_MAX: usize = 5000;

/// Something cannot be laid down, or not be ended.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It may not be so.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes for an id.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

fn new_id(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}{}", hex::encode(random::bytes::<6>()?)))
}

/// Ends what was laid down as `kind` and `id`, tells the audit log, and answers it. `over` says whether it was in force until now, and
/// ends it; `status` is what it is listed by from then on.
async fn end<T: DeserializeOwned + Serialize>(
    state: &dyn State,
    (kind, id, status): (Kind, &str, &str),
    told: &Entry,
    over: impl Fn(&mut T) -> bool,
) -> Result<T, OrderError> {
    for _ in 0..CONFLICTS_MAX {
        let stored = state.get(kind, id).await?;
        let document =
            stored.ok_or_else(|| OrderError::NotFound(format!("{} {id}", kind.as_str())))?;
        let mut order: T = document.read()?;
        if !over(&mut order) {
            return Err(OrderError::Refused(format!("{id} has ended already")));
        }
        let update = Write::Update(document.with(status, &order)?);
        let batch = Batch::new().with(update).with(audit::write(told)?);
        match state.commit(batch).await {
            Ok(_) => return Ok(order),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (kind, id) = (kind.as_str(), id.to_owned());
    Err(StoreError::Conflict { kind, id }.into())
}

/// All documents of a kind, of one status or of all, from a moment on or from the first.
async fn all<T: DeserializeOwned>(
    state: &dyn State,
    kind: Kind,
    status: Option<&str>,
    since: Option<Timestamp>,
) -> Result<Vec<T>, StoreError> {
    let mut query = Query::all(kind).limit(Query::LIMIT_MAX);
    query.statuses = status.map(str::to_owned).into_iter().collect();
    query.since = since;
    let mut out = Vec::new();
    loop {
        let page = state.list(&query).await?;
        out.extend(page.read::<T>()?);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(out),
        }
    }
}

/// What was laid down, as it was read a moment ago. What could not be read is the error, in words.
pub struct LaidDown {
    /// Exceptions that may count now.
    pub exceptions: Result<Vec<Exception>, String>,
    /// Freezes that may last now.
    pub freezes: Result<Vec<Freeze>, String>,
    severity: Option<Severity>,
    detections: Vec<String>,
    identities: Vec<Arn>,
}

impl LaidDown {
    /// Reads it for a run of an incident.
    pub async fn read(state: &dyn State, incident: &IncidentId, now: Timestamp) -> Self {
        let told = |error: StoreError| {
            tracing::error!(%error, "what people have laid down cannot be read: nothing is changed");
            error.to_string()
        };
        let exceptions = exceptions::in_force(state, now).await.map_err(told);
        let freezes = freezes::in_force(state, now).await.map_err(told);
        let incident = match state.get(Kind::Incident, incident.as_str()).await {
            Ok(stored) => stored
                .map(|document| document.read::<Incident>())
                .transpose(),
            Err(error) => Err(error),
        };
        match incident {
            Ok(incident) => Self::of(incident.as_ref(), exceptions, freezes),
            // Which exceptions are about it cannot be known.
            Err(error) => Self::of(None, Err(told(error)), freezes),
        }
    }

    /// What was laid down, and what an incident says.
    pub(crate) fn of(
        incident: Option<&Incident>,
        exceptions: Result<Vec<Exception>, String>,
        freezes: Result<Vec<Freeze>, String>,
    ) -> Self {
        let told = incident.iter().flat_map(|incident| &incident.told);
        let actors = incident.iter().flat_map(|incident| &incident.actors);
        let initiator = incident.and_then(|incident| incident.initiator.as_ref());
        let initiator = initiator.and_then(|initiator| initiator.id.parse().ok());
        Self {
            exceptions,
            freezes,
            severity: incident.map(|incident| incident.severity),
            detections: told.map(|told| told.detection.clone()).collect(),
            identities: actors.filter_map(identity).chain(initiator).collect(),
        }
    }

    /// The detections behind the incident.
    pub fn detections(&self) -> Vec<&str> {
        self.detections.iter().map(String::as_str).collect()
    }

    /// Why the run is there. `detections` are those of [`LaidDown::detections`].
    pub fn cause<'a>(&'a self, detections: &'a [&'a str]) -> Cause<'a> {
        Cause {
            severity: self.severity,
            detections,
            identities: &self.identities,
        }
    }
}

/// The role or user behind an actor. A session counts as its role, since its name is chosen by whoever makes it.
fn identity(actor: &Actor) -> Option<Arn> {
    let of = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Arn>().ok());
    if let Some(issuer) = of(&actor.issuer_arn) {
        return Some(issuer);
    }
    let arn = of(&actor.arn)?;
    let session = arn.resource.strip_prefix("assumed-role/");
    let Some((role, _)) = session.and_then(|rest| rest.rsplit_once('/')) else {
        return Some(arn);
    };
    Some(Arn {
        service: "iam".to_owned(),
        resource: format!("role/{role}"),
        ..arn
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_as_its_role_whatever_it_calls_itself() {
        let actor = |arn: &str, issuer: Option<&str>| Actor {
            arn: Some(arn.to_owned()),
            issuer_arn: issuer.map(str::to_owned),
            ..Actor::default()
        };
        let session = "arn:aws:sts::111122223333:assumed-role/app/deploy-pipeline";
        let role = "arn:aws:iam::111122223333:role/team/app";
        let user = "arn:aws:iam::111122223333:user/eve";
        for (actor, is) in [
            (actor(session, Some(role)), role),
            (actor(session, None), "arn:aws:iam::111122223333:role/app"),
            (actor(user, None), user),
        ] {
            assert_eq!(identity(&actor).unwrap().to_string(), is);
        }
        assert_eq!(identity(&Actor::default()), None);
    }
}
