//! The client: one for a process, shared by every session.

use std::fmt;
use std::sync::Arc;

use quell_model::Timestamp;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::credentials::Kept;
use crate::endpoint;
use crate::error::AwsError;
use crate::execute::{Job, Safety};
use crate::model::Kind;
use crate::pace::Places;
use crate::read_only::is_read_only;
use crate::registry;
use crate::role::Scope;
use crate::session::{ChangeSession, HomeSession, ReadSession};
use crate::skew::Skews;
use crate::transport::Transport;

/// The client for any AWS call by name. A clone is the same client: connections, models, credentials and retry
/// budgets are shared. It makes no call itself: [`ReadSession`], [`ChangeSession`] and [`HomeSession`] do.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) transport: Transport,
    pub(crate) places: Places,
    pub(crate) skews: Skews,
    pub(crate) kept: Kept,
    pub(crate) home_account: OnceCell<String>,
}

/// What the model says of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationFacts {
    /// botocore's name of the service.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// Whether it only reads.
    pub is_read_only: bool,
    /// What it takes.
    pub members: Vec<MemberFacts>,
}

/// What the model says of a member of an operation's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFacts {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be given.
    pub is_required: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client. Nothing is sent, and the credentials are not asked for yet.
    ///
    /// # Errors
    /// [`AwsError::Config`] for a Region, an endpoint, a proxy or a limit that is none, or a machine without root
    /// certificates.
    pub fn new(config: Config) -> Result<Self, AwsError> {
        let wrong = |what: String| AwsError::Config { what };
        check_region(&config.region)?;
        let overridden = config.endpoint_url.iter();
        let mut plain = config.endpoint_url.is_some();
        for url in overridden.chain(config.endpoint_urls.values()) {
            plain &= check_url(url)? == "http";
        }
        if let Some(fault) = config.limits.fault() {
            return Err(wrong(fault));
        }
        let transport = Transport::new(config.timeouts.connect, plain, &config.proxies);
        let transport = transport.map_err(wrong)?;
        let places = Places::new(config.limits.clone(), config.retries.mode);
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                transport,
                places,
                skews: Skews::default(),
                kept: Kept::default(),
                home_account: OnceCell::new(),
            }),
        })
    }

    /// What the model says of an operation; services by their names in botocore or in Step Functions.
    ///
    /// # Errors
    /// [`AwsError::UnknownService`] and [`AwsError::UnknownOperation`], with the nearest name there is.
    pub fn describe(service: &str, operation: &str) -> Result<OperationFacts, AwsError> {
        let name = crate::names::sdk_service(service);
        let (model, operation) = registry::operation(name, operation)?;
        let input = operation.input.as_ref().map(|input| model.view(input));
        let required = input.map_or(&[][..], |input| input.required());
        let members = input.into_iter().flat_map(|input| input.members());
        Ok(OperationFacts {
            service: registry::SERVICES
                .iter()
                .find(|known| **known == name)
                .copied()
                .unwrap_or_default(),
            operation: &operation.name,
            is_read_only: is_read_only(name, &operation.name),
            members: members
                .map(|(name, view)| MemberFacts {
                    name,
                    kind: view.kind(),
                    is_required: required.iter().any(|r| r == name),
                })
                .collect(),
        })
    }

    /// A session that can only read.
    ///
    /// # Errors
    /// When the role cannot be assumed, or the credentials are of another account.
    pub async fn read_session(&self, scope: &Scope) -> Result<ReadSession, AwsError> {
        self.check(scope).await?;
        Ok(ReadSession::new(self.clone(), scope.clone()))
    }

    /// A session that can make the calls it is shown a permit for.
    ///
    /// # Errors
    /// As [`Client::read_session`].
    pub async fn change_session(&self, scope: &Scope) -> Result<ChangeSession, AwsError> {
        self.check(scope).await?;
        Ok(ChangeSession::new(self.clone(), scope.clone()))
    }

    /// Quell's own plumbing in its own account and Region.
    pub fn home_session(&self) -> HomeSession {
        HomeSession::new(self.clone())
    }

    /// The account of Quell's own credentials.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub async fn home_account(&self) -> Result<String, AwsError> {
        let asked = self.inner.home_account.get_or_try_init(async || {
            let job = Job {
                service: "sts",
                operation: "GetCallerIdentity",
                params: &json!({}),
                region: &self.inner.config.region,
                role: None,
                safety: Safety::Repeatable,
                deadline: None,
                idempotency_token: None,
            };
            let answer = self.inner.call(&job).await?;
            let account = answer.value.get("Account").and_then(Value::as_str);
            account
                .map(str::to_owned)
                .ok_or_else(|| AwsError::Credentials {
                    reason: "the answer of GetCallerIdentity names no account".to_owned(),
                })
        });
        asked.await.cloned()
    }

    /// A permit names an account, so a session must be known to be in the account it claims.
    async fn check(&self, scope: &Scope) -> Result<(), AwsError> {
        // Each who waits for the same credentials may have to ask for them in turn.
        let limit = self.inner.config.timeouts.operation;
        let checked = tokio::time::timeout(limit, self.check_account(scope)).await;
        checked.unwrap_or_else(|_| {
            let reason = format!("none came within {limit:?}");
            Err(AwsError::Credentials { reason })
        })
    }

    async fn check_account(&self, scope: &Scope) -> Result<(), AwsError> {
        check_region(&scope.region)?;
        let wrong = |actual: &str| {
            Err(AwsError::WrongAccount {
                asked: scope.account.clone(),
                actual: actual.to_owned(),
            })
        };
        let Some(role) = &scope.role else {
            let home = self.home_account().await?;
            return if home == scope.account {
                Ok(())
            } else {
                wrong(&home)
            };
        };
        role.check()?;
        if role.account() != scope.account {
            return wrong(&role.account());
        }
        let held = self.inner.credentials(Some(role)).await?;
        if held.account == scope.account {
            Ok(())
        } else {
            wrong(&held.account)
        }
    }
}

/// The scheme of an endpoint's URL.
fn check_url(url: &str) -> Result<String, AwsError> {
    let wrong = |what: &str| AwsError::Config {
        what: format!("{url} is no {what}"),
    };
    let uri: http::Uri = url.parse().map_err(|_| wrong("URL"))?;
    match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) if uri.host().is_some() && uri.query().is_none() => {
            Ok(scheme.to_owned())
        }
        _ => Err(wrong("http: or https: URL of a host")),
    }
}

fn check_region(region: &str) -> Result<(), AwsError> {
    if endpoint::is_region(region) {
        return Ok(());
    }
    Err(AwsError::Config {
        what: format!("«{region}» is no Region"),
    })
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }
}
