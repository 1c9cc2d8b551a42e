//! Requests to servers that are not of AWS, for tasks of `http:invoke`: to the hosts that the settings allow, and to no
//! others.
//!
//! **Invariant:** no redirect is followed, no proxy is used (it would look names up itself), and no connection goes to
//! an address that is neither public nor listed, whatever a name says.

mod addresses;
mod hosts;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use quell_respond::task::{HttpAnswer, HttpRequest};
use tokio::sync::OnceCell;
use tower_service::Service;

pub(crate) use self::hosts::Hosts;

/// As long as Step Functions waits.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// As much as a state may be given; more is asked for by nobody.
const ANSWER_BYTES_MAX: usize = 256 * 1024 + 1;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The host is not allowed, or the request cannot be one; nothing was sent.
    #[error("{0}")]
    NotAllowed(String),
    /// No connection; nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// It was sent, or may have been.
    #[error("{0}")]
    Lost(String),
    /// The answer is larger than a state may be given.
    #[error("the answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// Sends requests.
pub(crate) struct Http {
    hosts: Hosts,
    timeout: Duration,
    /// Made when it is first needed: it wants the machine's root certificates.
    client: OnceCell<Client<Connector, Full<Bytes>>>,
}

impl Http {
    pub(crate) fn new(hosts: Hosts) -> Self {
        Self {
            hosts,
            timeout: TIMEOUT,
            client: OnceCell::new(),
        }
    }

    /// Whether a URL may be asked at all.
    ///
    /// # Errors
    /// [`NoAnswer::NotAllowed`] says why not.
    pub(crate) fn check(&self, url: &str) -> Result<Uri, NoAnswer> {
        let uri: Uri = url
            .parse()
            .map_err(|e| NoAnswer::NotAllowed(format!("the URL cannot be read: {e}")))?;
        self.hosts.check(&uri).map_err(NoAnswer::NotAllowed)?;
        Ok(uri)
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// [`NoAnswer`]. No text has a part of the request but its host.
    pub(crate) async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, NoAnswer> {
        let uri = self.check(&request.url)?;
        let ready = ready(request, uri)?;
        let client = self.client.get_or_try_init(|| async { self.client() });
        let client = client.await?;
        let exchange = async {
            let answer = client.request(ready).await.map_err(|e| no_answer(&e))?;
            read(answer).await
        };
        let timed = tokio::time::timeout(self.timeout, exchange).await;
        let late = || NoAnswer::Lost(format!("no answer within {:?}", self.timeout));
        timed.unwrap_or_else(|_| Err(late()))
    }

    fn client(&self) -> Result<Client<Connector, Full<Bytes>>, NoAnswer> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(self.hosts.clone()));
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.enforce_http(false);
        let provider = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|e| NoAnswer::NotSent(format!("no root certificates: {e}")))?;
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        // A connection that is kept could be closed under a request that is sent once.
        Ok(Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector))
    }
}

fn ready(request: &HttpRequest, uri: Uri) -> Result<http::Request<Full<Bytes>>, NoAnswer> {
    // What is wrong is said without the value, which may be a secret.
    let wrong = |what: &str| NoAnswer::NotAllowed(format!("{what} cannot be sent"));
    let body = Full::from(request.body.clone().unwrap_or_default());
    let mut ready = http::Request::new(body);
    *ready.uri_mut() = uri;
    *ready.method_mut() =
        Method::from_bytes(request.method.as_bytes()).map_err(|_| wrong("the method"))?;
    for (name, value) in &request.headers {
        let name: HeaderName = name
            .parse()
            .map_err(|_| wrong(&format!("the header {name}")))?;
        let value =
            HeaderValue::from_str(value).map_err(|_| wrong(&format!("the header {name}")))?;
        ready.headers_mut().append(name, value);
    }
    Ok(ready)
}

async fn read(answer: http::Response<hyper::body::Incoming>) -> Result<HttpAnswer, NoAnswer> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|e| match e.is::<http_body_util::LengthLimitError>() {
        true => NoAnswer::TooLarge,
        false => NoAnswer::Lost(chain(&*e)),
    })?;
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    Ok(HttpAnswer {
        status: head.status.as_u16(),
        reason: head
            .status
            .canonical_reason()
            .unwrap_or_default()
            .to_owned(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
    })
}

fn no_answer(error: &hyper_util::client::legacy::Error) -> NoAnswer {
    match error.is_connect() {
        true => NoAnswer::NotSent(chain(error)),
        false => NoAnswer::Lost(chain(error)),
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Looks names up, and leaves out the addresses that no request may go to.
#[derive(Clone)]
struct Resolver(Hosts);

type Looking = Pin<Box<dyn Future<Output = io::Result<std::vec::IntoIter<SocketAddr>>> + Send>>;

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Looking;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Looking {
        let hosts = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| hosts.allows(found.ip())).collect();
            if allowed.is_empty() {
                let what =
                    "the name leads to no address that is public, or listed in respond.http_hosts";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests;
