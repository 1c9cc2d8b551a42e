//! One HTTP exchange: connections, time-outs, a limit on the answer's size.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderValue, PROXY_AUTHORIZATION};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connect::{Connector, Proxies, proxy_authorization};
use crate::protocol::WireResponse;

/// An answer that says no has no reason to be larger.
const ERROR_BYTES_MAX: usize = 1024 * 1024;
/// Room made for an answer before any of it has come, on its sender's word.
const RESERVED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Shorter than AWS's own, so that we seldom send on a connection that the other side is closing: a changing call
/// that is lost so is not sent again.
const IDLE: Duration = Duration::from_secs(10);

pub(crate) struct Transport {
    client: Client<Connector, Full<Bytes>>,
    proxies: Arc<Matcher>,
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
    pub(crate) fn new(connect: Duration, plain: bool, proxies: &Proxies) -> Result<Self, String> {
        let proxies = Arc::new(proxies.matcher()?);
        let connector = Connector::new(connect, plain, Arc::clone(&proxies))?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, proxies })
    }

    /// Sends `request` and reads as much of the answer as is wanted, within `limit`. An answer that says no is always
    /// read whole.
    pub(crate) async fn exchange(
        &self,
        mut request: http::Request<Full<Bytes>>,
        wanted: Wanted,
        limit: Duration,
    ) -> Result<Received, NoAnswer> {
        if let Some(authorization) = proxy_authorization(&self.proxies, request.uri()) {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization);
        }
        say_empty(&mut request);
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

/// Says that there is no body where one could be: hyper leaves it unsaid, and S3 answers 411 to that.
fn say_empty(request: &mut http::Request<Full<Bytes>>) {
    let may_have_body = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if may_have_body && request.body().is_end_stream() {
        let nothing = HeaderValue::from_static("0");
        request.headers_mut().insert(CONTENT_LENGTH, nothing);
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
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let promised = promised.min(bytes_max).min(RESERVED_BYTES_MAX);
    // What comes in one piece is not copied.
    let (mut first, mut bytes) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| NoAnswer::Lost(chain(&e)))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + bytes.len() + data.len() > bytes_max {
            return Err(NoAnswer::TooLarge(bytes_max));
        }
        if first.is_empty() && bytes.is_empty() {
            first = data;
            continue;
        }
        if bytes.is_empty() {
            bytes.reserve(promised);
            bytes.extend_from_slice(&std::mem::take(&mut first));
        }
        bytes.extend_from_slice(&data);
    }
    let body = if bytes.is_empty() {
        first
    } else {
        bytes.freeze()
    };
    Ok(Received {
        response: WireResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
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
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_could_have_a_body_says_when_it_has_none() {
        for (method, body, length) in [
            (Method::PUT, "", Some("0")),
            (Method::POST, "", Some("0")),
            (Method::PUT, "x", None),
            (Method::GET, "", None),
            (Method::DELETE, "", None),
        ] {
            let mut request = http::Request::new(Full::from(body));
            *request.method_mut() = method.clone();
            say_empty(&mut request);
            let said = request.headers().get(CONTENT_LENGTH);
            let said = said.map(|value| value.to_str().unwrap());
            assert_eq!(said, length, "{method} {body}");
        }
    }
}
