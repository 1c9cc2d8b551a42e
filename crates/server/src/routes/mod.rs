//! Every address, in one table. A file here is a family of them.

mod events;
mod incidents;
mod metrics;
mod remediate;
mod runs;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::problem::Problem;
use crate::{BODY_BYTES_MAX, Services, auth};

/// The whole API.
pub fn router(services: Services) -> Router {
    let signed = Router::new()
        .route("/", post(events::put_events))
        .route("/api/v1/metrics", get(metrics::show))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::show))
        .route("/api/v1/incidents/{id}/findings", get(incidents::findings))
        .route("/api/v1/remediate", post(remediate::begin))
        .route("/api/v1/runs", get(runs::list))
        .route("/api/v1/runs/{id}", get(runs::show))
        .route("/api/v1/runs/{id}/undo", post(runs::undo))
        .route("/api/v1/runs/{id}/approve", post(runs::approve))
        .route("/api/v1/runs/{id}/reject", post(runs::reject))
        .route_layer(middleware::from_fn_with_state(
            services.clone(),
            auth::check,
        ));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(signed)
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "there is nothing at this address",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(services)
}
