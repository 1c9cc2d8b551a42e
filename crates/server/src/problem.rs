//! Errors as RFC 9457 problem documents, and as AWS's JSON protocol has them.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use quell_model::ErrorKind;
use quell_store::StoreError;
use serde_json::json;

use crate::desk::DeskError;

/// An answer that says what is wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// A short name, stable: `signature-mismatch`.
    pub(crate) name: &'static str,
    /// For a person: what is wrong, and the mend.
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            name,
            detail: detail.into(),
        }
    }

    fn of_kind(kind: ErrorKind, detail: String) -> Self {
        let (status, name) = match kind {
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            ErrorKind::Denied => (StatusCode::FORBIDDEN, "denied"),
            ErrorKind::Throttled => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Bug => (StatusCode::INTERNAL_SERVER_ERROR, "bug"),
        };
        Self::new(status, name, detail)
    }

    /// The same as AWS's JSON protocol says it.
    pub(crate) fn into_aws(self) -> Response {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED => "MissingAuthenticationTokenException",
            StatusCode::FORBIDDEN => "AccessDeniedException",
            StatusCode::TOO_MANY_REQUESTS => "ThrottlingException",
            s if s.is_server_error() => "InternalException",
            _ => "ValidationException",
        };
        let body = json!({"__type": kind, "message": self.detail}).to_string();
        (
            self.status,
            [(CONTENT_TYPE, "application/x-amz-json-1.1")],
            body,
        )
            .into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:quell:problem:{}", self.name),
            "title": self.name.replace('-', " "),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (
            self.status,
            [(CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the state store failed a request");
        Self::of_kind(error.kind(), error.to_string())
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        Self::of_kind(error.kind(), error.to_string())
    }
}
