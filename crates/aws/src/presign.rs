//! Presigned URLs: a right to make one reading call, for who has no credentials.

use std::fmt;
use std::time::Duration;

use quell_model::Timestamp;

use crate::client::Inner;
use crate::error::AwsError;
use crate::execute::{Job, Ready};
use crate::protocol::Protocol;
use crate::sign::Signer;
use crate::transport::Wanted;

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
        let ready = self.prepare(job, (Wanted::Head, Duration::ZERO))?;
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
        let now = self.skews.now(&ready.host(), self.now());
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
            expires_at: held.expires_at().map_or(asked, |end| end.min(asked)),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::{Client, Config, Credentials, ReadSession, Scope, SharedCredentialsProvider};

    const START: &str = "2013-05-24T00:00:00Z";

    /// The keys, the time and the host of the example in AWS's documentation of S3's query authentication.
    fn session() -> ReadSession {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let keys = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", secret, None);
        let clock = Arc::new(|| START.parse().unwrap());
        let mut config = Config::new("us-east-1", SharedCredentialsProvider::new(keys), clock);
        config.endpoint_url = Some("http://s3.amazonaws.com".to_owned());
        config.s3.force_path_style = Some(false);
        let scope = Scope {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            role: None,
        };
        ReadSession::new(Client::new(config).unwrap(), scope)
    }

    async fn presign(
        call: (&str, &str),
        params: &Value,
        seconds: u64,
    ) -> Result<Presigned, AwsError> {
        let expires_in = Duration::from_secs(seconds);
        session().presign(call.0, call.1, params, expires_in).await
    }

    #[tokio::test]
    async fn the_documented_url_has_its_documented_signature() {
        let params = json!({"Bucket": "examplebucket", "Key": "test.txt"});
        let made = presign(("s3", "GetObject"), &params, 86_400).await.unwrap();
        let (url, query) = made.url.split_once('?').unwrap();
        assert_eq!(url, "http://examplebucket.s3.amazonaws.com/test.txt");
        let signature =
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(query.split('&').any(|pair| pair == signature), "{query}");
        assert_eq!(made.expires_at, "2013-05-25T00:00:00Z".parse().unwrap());
        assert_eq!((made.method.as_str(), made.headers.len()), ("GET", 0));
        assert!(!format!("{made:?}").contains("aeeed9"), "{made:?}");
    }

    #[tokio::test]
    async fn a_form_goes_into_the_url_and_a_document_does_not() {
        let made = presign(("sts", "GetCallerIdentity"), &json!({}), 60)
            .await
            .unwrap();
        assert!(
            made.url.contains("?Action=GetCallerIdentity&"),
            "{}",
            made.url
        );
        assert_eq!((made.method.as_str(), made.headers.len()), ("GET", 0));
        let refused = presign(("sqs", "ListQueues"), &json!({}), 60)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("without a body"), "{refused}");
    }

    #[tokio::test]
    async fn only_reading_and_only_for_seven_days() {
        let params = json!({"Bucket": "b", "Key": "k"});
        for (operation, seconds, fits) in [
            ("GetObject", 1, true),
            ("GetObject", 604_800, true),
            ("HeadObject", 60, true),
            ("GetObject", 0, false),
            ("GetObject", 604_801, false),
            ("DeleteObject", 60, false),
            ("PutObject", 60, false),
        ] {
            let made = presign(("s3", operation), &params, seconds).await;
            assert_eq!(made.is_ok(), fits, "{operation} {seconds}");
        }
    }
}
