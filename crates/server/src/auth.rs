//! Who calls: every request is signed, and a request that changes something counts once.

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use quell_model::sha256_hex;
use quell_store::{Batch, Document, Kind, StoreError, Write};

use crate::keys::{AccessKey, Action, Role};
use crate::problem::Problem;
use crate::sealing::SealError;
use crate::sigv4::{SKEW_MILLIS_MAX, SignatureError};
use crate::{BODY_BYTES_MAX, Services, sigv4};

/// Where PutEvents comes in. Its records count once anyhow, and a signature tells two requests of one second apart only
/// by what they say: a client that sends the same events again must not be told that they are wrong.
const PUT_EVENTS: &str = "/";

/// Who signed the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The access key's id.
    pub key: String,
    /// What its holder may do.
    pub role: Role,
    /// Whose it is.
    pub owner: String,
}

impl Caller {
    /// The name under which what they do is recorded.
    pub fn name(&self) -> String {
        format!("{} ({})", self.owner, self.key)
    }

    /// # Errors
    /// A problem that names the role that is needed.
    pub(crate) fn may(&self, action: Action) -> Result<(), Problem> {
        if self.role.allows(action) {
            return Ok(());
        }
        let text = format!(
            "this needs a key with the role {}; this key's is {}",
            action.wanted(),
            self.role.as_str()
        );
        Err(Problem::new(StatusCode::FORBIDDEN, "denied", text))
    }
}

/// Lets signed requests through, with their [`Caller`].
pub(crate) async fn check(
    Extract(services): Extract<Services>,
    request: Request,
    next: Next,
) -> Response {
    let aws = request.headers().contains_key("x-amz-target");
    match authenticate(&services, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) if aws => problem.into_aws(),
        Err(problem) => problem.into_response(),
    }
}

async fn authenticate(services: &Services, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    if parts.headers.get("authorization").is_none() {
        // Before the body is read: a stranger's body costs us nothing.
        return Err(refused(&SignatureError::Missing));
    }
    let body = read(body).await?;
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let value = value
            .to_str()
            .map_err(|_| refused(&SignatureError::Form("a header is not text")))?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let signed = sigv4::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers,
        body: &body,
    };
    let now = services.clock.now();
    let claimed = signed.claim(now).map_err(|e| refused(&e))?;
    let key = services.state.get(Kind::AccessKey, &claimed.key_id).await?;
    let key: Option<AccessKey> = key.map(|d| d.read()).transpose()?;
    let key = key.map(|k| services.sealing.open(k)).transpose();
    let key = key.map_err(|e| unopened(&e))?;
    // An unknown key is checked against a secret that nobody has, so that it takes as long.
    let secret = key.as_ref().map_or("", |k| k.secret.as_str());
    let verified = signed.verify(&claimed, secret);
    let Some(key) = key.filter(|_| verified.is_ok()) else {
        return Err(refused(&SignatureError::Mismatch));
    };
    let caller = Caller {
        key: key.id,
        role: key.role,
        owner: key.owner,
    };
    if parts.method == Method::GET || parts.method == Method::HEAD {
        caller.may(Action::Read)?;
    } else if parts.uri.path() != PUT_EVENTS {
        count_once(services, &claimed.signature, now).await?;
    }
    parts.extensions.insert(caller);
    Ok(Request::from_parts(parts, Body::from(body)))
}

async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(all) => Ok(all.to_bytes().to_vec()),
        Err(e) if e.is::<LengthLimitError>() => {
            let text = format!("the body is larger than {BODY_BYTES_MAX} bytes: send it in parts");
            Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                text,
            ))
        }
        Err(e) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            format!("the body did not arrive: {e}"),
        )),
    }
}

/// Notes a signature as used, durably: a copy of the request is refused, also after a restart.
async fn count_once(
    services: &Services,
    signature: &str,
    now: quell_model::Timestamp,
) -> Result<(), Problem> {
    let nonce = Document::new(Kind::Nonce, sha256_hex(signature), "used", now, &())?;
    // Older ones can not be replayed any more: their date is outside the window.
    let horizon = now.plus_millis(-3 * SKEW_MILLIS_MAX);
    let batch = Batch::new()
        .with(Write::Insert(nonce))
        .with(Write::Prune(Kind::Nonce, horizon));
    match services.state.commit(batch).await {
        Ok(_) => Ok(()),
        Err(StoreError::Conflict { .. }) => {
            let text = "this very request was received before: a request that changes something counts once; sign it anew";
            Err(Problem::new(StatusCode::CONFLICT, "replayed", text))
        }
        Err(e) => Err(e.into()),
    }
}

/// The key is known here, and its secret is not: a mistake of the installation, and no fault of the caller's.
fn unopened(error: &SealError) -> Problem {
    tracing::error!(%error, "a request cannot be checked");
    let text = "this server cannot read that API key: its operator finds the reason in its log";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "key-unreadable", text)
}

fn refused(error: &SignatureError) -> Problem {
    let (status, name) = match error {
        SignatureError::Missing => (StatusCode::UNAUTHORIZED, "unsigned"),
        SignatureError::Form(_) | SignatureError::Unsigned(_) => {
            (StatusCode::FORBIDDEN, "signature-form")
        }
        SignatureError::Skew { .. } => (StatusCode::FORBIDDEN, "signature-skew"),
        SignatureError::Mismatch => (StatusCode::FORBIDDEN, "signature-mismatch"),
    };
    Problem::new(status, name, error.to_string())
}
