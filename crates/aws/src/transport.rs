//! One HTTP exchange: connections, time-outs, a limit on the answer's size.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::protocol::WireResponse;

/// An answer that says no has no reason to be larger.
const ERROR_BYTES_MAX: usize = 1024 * 1024;
/// Shorter than AWS's own, so that we seldom send on a connection that the other side is closing: a changing call
/// that is lost so is not sent again.
const IDLE: Duration = Duration::from_secs(10);

pub(crate) struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, or may have been.
    Lost(String),
    /// The answer has more bytes than these.
    TooLarge(usize),
}

/// How much of an answer to read.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// All of it, up to so many bytes.
    Whole(usize),
    /// All but the body, which is to come piece by piece.
    Head,
}

/// What has come of an answer.
pub(crate) struct Received {
    pub(crate) response: WireResponse,
    /// The body, when it is not in the response.
    pub(crate) rest: Option<Incoming>,
}

impl Transport {
    /// `plain` says that only `http:` is spoken, for which no root certificates are wanted.
    pub(crate) fn new(connect: Duration, plain: bool) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(connect));
        http.set_nodelay(true);
        http.enforce_http(false);
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = if plain {
            let tls = rustls::ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .map_err(|e| e.to_string())?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(tls)
        } else {
            builder
                .with_provider_and_native_roots(provider)
                .map_err(|e| format!("no root certificates: {e}"))?
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends `request` and reads as much of the answer as is wanted, within `limit`. An answer that says no is always
    /// read whole.
    pub(crate) async fn exchange(
        &self,
        request: http::Request<Full<Bytes>>,
        wanted: Wanted,
        limit: Duration,
    ) -> Result<Received, NoAnswer> {
        let whole = async {
            let response = self.client.request(request).await.map_err(no_answer)?;
            match wanted {
                Wanted::Head if response.status().is_success() => Ok(head(response)),
                Wanted::Head => read(response, ERROR_BYTES_MAX).await,
                Wanted::Whole(bytes_max) => read(response, bytes_max).await,
            }
        };
        let timed = tokio::time::timeout(limit, whole).await;
        timed.unwrap_or_else(|_| Err(NoAnswer::Lost(format!("no answer within {limit:?}"))))
    }
}

fn no_answer(error: hyper_util::client::legacy::Error) -> NoAnswer {
    let reason = chain(&error);
    if error.is_connect() {
        NoAnswer::NotSent(reason)
    } else {
        NoAnswer::Lost(reason)
    }
}

fn head(response: http::Response<Incoming>) -> Received {
    let (head, rest) = response.into_parts();
    Received {
        response: WireResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Bytes::new(),
        },
        rest: Some(rest),
    }
}

async fn read(response: http::Response<Incoming>, bytes_max: usize) -> Result<Received, NoAnswer> {
    let (head, mut body) = response.into_parts();
    let bytes_max = if head.status.is_success() {
        bytes_max
    } else {
        ERROR_BYTES_MAX
    };
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| NoAnswer::Lost(chain(&e)))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > bytes_max {
            return Err(NoAnswer::TooLarge(bytes_max));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received {
        response: WireResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body: bytes.freeze(),
        },
        rest: None,
    })
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
