//! `POST /api/v1/remediate`, as the second requirements document has it.

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::keys::Action;
use crate::problem::Problem;
use crate::{Caller, Remediation, Services};

/// What a run of PB-008 takes at most while nobody has to be asked: for the estimate in the answer.
const ESTIMATE_MILLIS: i64 = 120_000;

pub(super) async fn begin(
    Extract(services): Extract<Services>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.may(Action::Act)?;
    let request: Remediation = serde_json::from_slice(&body).map_err(|e| {
        let text = format!("the body: {e}. Wanted: incident_id, playbook, resource_arn, severity");
        Problem::new(StatusCode::BAD_REQUEST, "invalid", text)
    })?;
    let run = services.desk.remediate(request, &caller.name()).await?;
    let answer = json!({
        "remediation_id": run.id,
        "status": "IN_PROGRESS",
        "estimated_completion": services.clock.now().plus_millis(ESTIMATE_MILLIS),
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
