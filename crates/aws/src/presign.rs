//! Presigned URLs: a right to make one reading call, for who has no credentials.

use std::fmt;
use std::time::Duration;

use quell_model::Timestamp;

use crate::client::Inner;
use crate::error::AwsError;
use crate::execute::{Job, Ready};
use crate::protocol::Protocol;
use crate::sign::Signer;

/// AWS takes no longer than this: seven days.
const EXPIRES_IN_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Headers that are of no use in a presigned request, or are not signed there.
const NOT_SENT: &[&str] = &["content-type", "x-amz-checksum-mode"];

/// A call that whoever holds it can make until it expires. The URL is a secret, and is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The URL, with the signature.
    pub url: String,
    /// Headers that must be sent with it as they are.
    pub headers: Vec<(String, String)>,
    /// When it ends: after the time asked for, or with the credentials that it was signed with.
    pub expires_at: Timestamp,
}

/// Without the query, which has the signature.
impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.split_once('?').map_or("", |(shown, _)| shown);
        f.debug_struct("Presigned")
            .field("method", &self.method)
            .field("url", &shown)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Makes the URL of a reading call. Nothing is sent, but perhaps for credentials.
    pub(crate) async fn presign(
        &self,
        job: &Job<'_>,
        expires_in: Duration,
    ) -> Result<Presigned, AwsError> {
        let impossible = |what: &str| AwsError::Unwritable {
            service: job.service.to_owned(),
            operation: job.operation.to_owned(),
            what: what.to_owned(),
        };
        if expires_in < Duration::from_secs(1) || expires_in > EXPIRES_IN_MAX {
            return Err(impossible(
                "a presigned URL lasts from a second to seven days",
            ));
        }
        let ready = self.prepare(job, (0, Duration::ZERO))?;
        let (method, url) = without_body(&ready)
            .ok_or_else(|| impossible("only a call without a body can be presigned"))?;
        let headers = ready.request.headers.iter();
        let headers: Vec<(String, String)> = headers
            .filter(|(name, _)| !NOT_SENT.iter().any(|not| name.eq_ignore_ascii_case(not)))
            .cloned()
            .collect();
        let mut builder = http::Request::builder().method(method).uri(url);
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(()).map_err(|e| impossible(&e.to_string()))?;
        let held = self.credentials(job.role).await?;
        let now = self.now();
        let signer = Signer {
            credentials: Some(&held.credentials),
            service: &ready.target.signing_name,
            region: &ready.target.signing_region,
            now,
            manner: ready.target.manner,
        };
        let body = (!ready.target.manner.sends_hash).then_some(&b""[..]);
        let signed = signer.presign(request, body, expires_in);
        let signed = signed.map_err(|what| impossible(&what))?;
        let seconds = i64::try_from(expires_in.as_secs()).unwrap_or(i64::MAX);
        let asked = Timestamp::from_millis(now.millis().saturating_add(seconds * 1000));
        Ok(Presigned {
            method: method.to_owned(),
            url: signed.uri().to_string(),
            headers,
            expires_at: held.expires_at.map_or(asked, |end| end.min(asked)),
        })
    }
}

/// The method and URL of a call that needs no body: one that has none, or a form, which fits into the URL as well.
fn without_body<'r>(ready: &'r Ready<'_>) -> Option<(&'r str, String)> {
    let (request, url) = (&ready.request, &ready.target.url);
    match ready.protocol {
        Protocol::Query | Protocol::Ec2 => {
            let form = std::str::from_utf8(&request.body).ok()?;
            Some(("GET", format!("{url}?{form}")))
        }
        _ => {
            let is_bare = request.body.is_empty() && matches!(&*request.method, "GET" | "HEAD");
            is_bare.then(|| (&*request.method, url.clone()))
        }
    }
}
