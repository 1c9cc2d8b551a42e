//! Incidents, to read.

use axum::Json;
use axum::extract::{Path, Query as UrlQuery, State as Extract};
use axum::http::StatusCode;
use quell_model::{Finding, Incident, IncidentId};
use quell_store::{Kind, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Services;
use crate::problem::Problem;

/// How a list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    status: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl ListQuery {
    /// The query, newest first.
    pub(super) fn of(self, kind: Kind) -> Query {
        let mut query = Query::all(kind).newest().limit(self.limit.unwrap_or(50));
        query.statuses = self.status.into_iter().collect();
        query.cursor = self.cursor;
        query
    }
}

pub(super) async fn list(
    Extract(services): Extract<Services>,
    UrlQuery(query): UrlQuery<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let page = services.state.list(&query.of(Kind::Incident)).await?;
    let incidents: Vec<Incident> = page.read()?;
    Ok(Json(json!({"incidents": incidents, "next": page.next})))
}

pub(super) async fn show(
    Extract(services): Extract<Services>,
    Path(id): Path<IncidentId>,
) -> Result<Json<Incident>, Problem> {
    Ok(Json(read(&services, &id).await?))
}

/// The findings that an incident names, first to last.
pub(super) async fn findings(
    Extract(services): Extract<Services>,
    Path(id): Path<IncidentId>,
) -> Result<Json<Value>, Problem> {
    let mut findings: Vec<Finding> = Vec::new();
    for finding in read(&services, &id).await?.findings {
        if let Some(document) = services.state.get(Kind::Finding, finding.as_str()).await? {
            findings.push(document.read()?);
        }
    }
    Ok(Json(json!({"findings": findings})))
}

async fn read(services: &Services, id: &IncidentId) -> Result<Incident, Problem> {
    match services.state.get(Kind::Incident, id.as_str()).await? {
        Some(document) => Ok(document.read()?),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            format!("there is no incident {id}"),
        )),
    }
}
