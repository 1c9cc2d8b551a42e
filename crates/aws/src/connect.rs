//! How a connection comes about: straight or through a proxy, with TLS, and all of that within one time-out.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

/// The proxies between here and AWS, with the meaning that curl gives to the variables of these names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// `HTTPS_PROXY`: an `http:` URL that `https:` goes through, by `CONNECT`. May hold a name and a password.
    pub https: Option<String>,
    /// `HTTP_PROXY`: the same for `http:`.
    pub http: Option<String>,
    /// `NO_PROXY`: hosts, domains, addresses and networks that are reached directly, with commas between.
    pub none: Option<String>,
}

/// Without the URLs, which may hold passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("none", &self.none)
            .finish()
    }
}

/// Reached directly whatever is configured: this machine, and where it gets credentials on EC2, ECS and EKS.
const NEVER: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";

impl Proxies {
    /// Says which of them can be used, and how.
    pub(crate) fn matcher(&self) -> Result<Matcher, String> {
        let text = |url: &Option<String>| url.clone().unwrap_or_default();
        let none = match &self.none {
            Some(none) => format!("{none},{NEVER}"),
            None => NEVER.to_owned(),
        };
        for (what, url) in [("https", &self.https), ("http", &self.http)] {
            if url.as_ref().is_some_and(|url| !is_usable(url)) {
                return Err(format!(
                    "the proxy for {what}: is not an http: URL of a host"
                ));
            }
        }
        let matcher = Matcher::builder()
            .https(text(&self.https))
            .http(text(&self.http))
            .no(none);
        Ok(matcher.build())
    }
}

fn is_usable(url: &str) -> bool {
    let matcher = Matcher::builder().all(url.to_owned()).build();
    let proxy = matcher.intercept(&Uri::from_static("http://aws.example"));
    proxy.is_some_and(|proxy| proxy.uri().scheme_str() == Some("http"))
}

/// What goes with a request to `uri` that a proxy is to pass on as it is.
pub(crate) fn proxy_authorization(proxies: &Matcher, uri: &Uri) -> Option<HeaderValue> {
    let is_passed_on = uri.scheme_str() == Some("http");
    let proxy = is_passed_on.then(|| proxies.intercept(uri)).flatten()?;
    proxy.basic_auth().cloned()
}

type Fault = Box<dyn Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// Connects to a host, or to the proxy that stands before it.
#[derive(Clone)]
pub(crate) struct ProxyConnector {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for ProxyConnector {
    type Response = Stream;
    type Error = Fault;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        let Some(proxy) = self.proxies.intercept(&uri) else {
            return Box::pin(async move { Ok(Stream::new(tcp.call(uri).await?, false)) });
        };
        if uri.scheme_str() == Some("http") {
            let proxy = proxy.uri().clone();
            return Box::pin(async move { Ok(Stream::new(tcp.call(proxy).await?, true)) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
        if let Some(authorization) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        Box::pin(async move { Ok(Stream::new(tunnel.call(uri).await?, false)) })
    }
}

/// A connection that knows whether a proxy passes its requests on, which must then name the whole URL.
pub(crate) struct Stream {
    tcp: TokioIo<TcpStream>,
    is_passed_on: bool,
}

impl Stream {
    fn new(tcp: TokioIo<TcpStream>, is_passed_on: bool) -> Self {
        Self { tcp, is_passed_on }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.is_passed_on)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

/// Connects within a time-out that covers name, proxy and TLS.
#[derive(Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<ProxyConnector>,
    limit: Duration,
}

impl Connector {
    /// `plain` says that only `http:` is spoken, for which no root certificates are wanted.
    pub(crate) fn new(limit: Duration, plain: bool, proxies: Arc<Matcher>) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(limit));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
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
        let https = builder
            .https_or_http()
            .enable_http1()
            .wrap_connector(ProxyConnector { tcp, proxies });
        Ok(Self { https, limit })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Stream>;
    type Error = Fault;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            let timed = tokio::time::timeout(limit, connecting).await;
            timed.unwrap_or_else(|_| Err(format!("no connection within {limit:?}").into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies {
            https: Some("http://me:hush@proxy.example:3128".to_owned()),
            http: Some("proxy.example:3128".to_owned()),
            none: Some("internal.example, 10.0.0.0/8".to_owned()),
        }
    }

    #[test]
    fn a_proxy_is_used_but_where_it_must_not_be() {
        let matcher = proxies().matcher().unwrap();
        for (url, is_proxied) in [
            ("https://ec2.us-east-1.amazonaws.com", true),
            ("http://ec2.us-east-1.amazonaws.com", true),
            ("https://a.internal.example", false),
            ("https://10.1.2.3", false),
            ("http://169.254.169.254/latest", false),
            ("http://169.254.170.2", false),
            ("http://[fd00:ec2::254]/latest", false),
            ("http://localhost:5000", false),
        ] {
            let found = matcher.intercept(&url.parse().unwrap());
            assert_eq!(found.is_some(), is_proxied, "{url}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_and_no_password_is_printed() {
        for url in ["https://proxy:1", "socks5://proxy:1", "not a url", ""] {
            let proxies = Proxies {
                https: Some(url.to_owned()),
                ..Proxies::default()
            };
            assert!(proxies.matcher().is_err(), "{url}");
        }
        assert!(!format!("{:?}", proxies()).contains("hush"));
    }
}
