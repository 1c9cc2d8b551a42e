//! Runs: to read, to approve, to take back.

use axum::extract::{Path, Query as UrlQuery, State as Extract};
use axum::http::StatusCode;
use axum::{Extension, Json};
use quell_model::RunId;
use quell_respond::Run;
use quell_store::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::incidents::ListQuery;
use crate::keys::Action;
use crate::problem::Problem;
use crate::{Caller, Services};

pub(super) async fn list(
    Extract(services): Extract<Services>,
    UrlQuery(query): UrlQuery<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let page = services.state.list(&query.of(Kind::Run)).await?;
    let runs: Vec<Run> = page.read()?;
    Ok(Json(json!({"runs": runs, "next": page.next})))
}

pub(super) async fn show(
    Extract(services): Extract<Services>,
    Path(id): Path<RunId>,
) -> Result<Json<Run>, Problem> {
    match services.state.get(Kind::Run, id.as_str()).await? {
        Some(document) => Ok(Json(document.read()?)),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            format!("there is no run {id}"),
        )),
    }
}

pub(super) async fn undo(
    Extract(services): Extract<Services>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<RunId>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    caller.may(Action::Act)?;
    let run = services.desk.undo(&id, &caller.name()).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A yes is to one plan: its hash is part of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    plan_hash: String,
}

pub(super) async fn approve(
    Extract(services): Extract<Services>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<RunId>,
    Json(body): Json<Approve>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    caller.may(Action::Act)?;
    let run = services
        .desk
        .approve(&id, &body.plan_hash, &caller.name())
        .await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A no is to one plan too, and says why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reject {
    plan_hash: String,
    reason: String,
}

pub(super) async fn reject(
    Extract(services): Extract<Services>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<RunId>,
    Json(body): Json<Reject>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    caller.may(Action::Act)?;
    let (desk, by) = (&services.desk, caller.name());
    let run = desk.reject(&id, &body.plan_hash, &by, &body.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}
