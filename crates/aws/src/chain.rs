//! The standard chain of credentials, by AWS's own crate: environment, profiles, web identity, SSO, a process,
//! containers, instances. That crate brings no HTTP of its own here: it goes through our transport, and with it
//! through our proxies and time-outs.

use std::sync::Arc;
use std::time::Duration;

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http_body_util::Full;
use tokio::sync::OnceCell;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::connect::Proxies;
use crate::transport::{NoAnswer, Transport, Wanted};

/// For a connection to whoever gives credentials.
const CONNECT: Duration = Duration::from_secs(3);
/// For one answer of theirs.
const ANSWER: Duration = Duration::from_secs(10);
/// For all attempts at one of them.
const OPERATION: Duration = Duration::from_secs(30);
/// Credentials are small.
const BYTES_MAX: usize = 1024 * 1024;

/// Credentials as every AWS tool finds them: from the environment, the shared files and their profiles (with
/// `role_arn`, `source_profile`, SSO and `credential_process`), a web identity, a container, an instance.
///
/// Nothing is looked at before the first call; then the whole chain each time that credentials are wanted anew, so
/// that a changed file or variable counts. The client keeps what it finds.
#[derive(Debug)]
pub struct StandardChain {
    region: String,
    profile: Option<String>,
    proxies: Proxies,
    http: OnceCell<Http>,
}

impl StandardChain {
    /// The chain, for a client in `region`. When a profile of the shared files is named it is the only place that is
    /// looked at, as with `aws --profile`. `proxies` are for whoever gives credentials, too.
    pub fn new(region: impl Into<String>, profile: Option<String>, proxies: Proxies) -> Self {
        Self {
            region: region.into(),
            profile,
            proxies,
            http: OnceCell::new(),
        }
    }

    /// The chain as a client wants it.
    pub fn into_provider(self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self)
    }

    async fn look(&self) -> provider::Result {
        let http = self.http.get_or_try_init(async || {
            let transport = Transport::new(CONNECT, false, &self.proxies);
            transport.map(|transport| Http(Arc::new(transport)))
        });
        let http = http
            .await
            .map_err(CredentialsError::invalid_configuration)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(ANSWER)
            .operation_timeout(OPERATION)
            .build();
        let region = Region::new(self.region.clone());
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http.clone())
            .with_timeout_config(timeouts);
        let found = async {
            match &self.profile {
                Some(name) => {
                    let profile = ProfileFileCredentialsProvider::builder().configure(&config);
                    profile
                        .profile_name(name)
                        .build()
                        .provide_credentials()
                        .await
                }
                None => {
                    let chain = DefaultCredentialsChain::builder().configure(config);
                    chain
                        .region(region)
                        .build()
                        .await
                        .provide_credentials()
                        .await
                }
            }
        };
        // The crate writes external ids and the arguments of processes to the log. What matters is in its answer.
        found.with_subscriber(NoSubscriber::default()).await
    }
}

impl ProvideCredentials for StandardChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.look())
    }
}

/// Our transport, as the crate wants one.
#[derive(Clone)]
struct Http(Arc<Transport>);

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http")
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connect = settings.connect_timeout().unwrap_or(CONNECT);
        let read = settings.read_timeout().unwrap_or(ANSWER);
        SharedHttpConnector::new(Exchange {
            http: self.clone(),
            limit: connect + read,
        })
    }
}

/// One exchange, within a limit.
#[derive(Debug)]
struct Exchange {
    http: Http,
    limit: Duration,
}

impl HttpConnector for Exchange {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (transport, limit) = (Arc::clone(&self.http.0), self.limit);
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let sent = transport
                .exchange(request, Wanted::Whole(BYTES_MAX), limit)
                .await;
            let answer = sent.map_err(no_answer)?.response;
            let mut response = http::Response::new(answer.body.into());
            *response.status_mut() = http::StatusCode::from_u16(answer.status).map_err(broken)?;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(broken)
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<http::Request<Full<Bytes>>, ConnectorError> {
    let request = request.try_into_http1x().map_err(broken)?;
    let (head, body) = request.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice);
    let body = body.ok_or_else(|| broken("the body is a stream"))?;
    Ok(http::Request::from_parts(head, Full::new(body)))
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}

/// Whoever does not answer is not there: the chain goes on to the next.
fn no_answer(no_answer: NoAnswer) -> ConnectorError {
    match no_answer {
        NoAnswer::NotSent(reason) | NoAnswer::Lost(reason) => {
            ConnectorError::timeout(reason.into())
        }
        NoAnswer::TooLarge(_) => broken("the answer is too large"),
    }
}
