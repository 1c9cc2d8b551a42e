//! Composition: settings become the parts, put together once.

use std::path::PathBuf;
use std::sync::Arc;

use quell_aws::{
    Client, Credentials, RoleToAssume, Scope, SharedCredentialsProvider, StandardChain,
};
use quell_guard::{Family, Level};
use quell_model::{Resource, RunId};
use quell_respond::{Playbook, Roles};
use quell_server::Sealing;
use quell_store::{Clock, Kind, Query, State, StoreError, SystemClock};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::audit::{Keeper, KeeperError};
use crate::brake;
use crate::claims::Claims;
use crate::config::{
    Account, AwsConfig, Config, Endpoints, SecretError, proxies, whole_environment,
};
use crate::content::Content;
use crate::http::{Hosts, Http};
use crate::orders::promotions;
use crate::place::Place;
use crate::sealing::{self, SealingError};

/// The parts.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Detections and playbooks.
    pub content: Content,
    /// Where state is kept.
    pub place: Place,
    /// The state store.
    pub state: Arc<dyn State>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Which runs this process carries.
    pub claims: Arc<Claims>,
    /// What the secrets of API keys are sealed with.
    pub sealing: Arc<Sealing>,
    /// AWS, when there are credentials.
    pub aws: Option<Client>,
    /// Servers that are not of AWS.
    pub(crate) http: Http,
    /// Rung when records came in.
    pub records: Notify,
    /// Rung when there is a run to look at, or a signal for one.
    pub runs: Arc<Notify>,
    /// Says when everything stops.
    pub stop: CancellationToken,
}

/// The parts cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder cannot be used.
    #[error("the data folder {}: {source}. Give another with --data, or make it writable", .path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The content folder cannot be read.
    #[error("the content folder: {0}")]
    Content(std::io::Error),
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// API keys cannot be sealed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// A secret that is needed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The AWS client.
    #[error(transparent)]
    Aws(#[from] Box<quell_aws::AwsError>),
    /// The hosts that playbooks may send requests to.
    #[error("respond.http_hosts: {0}")]
    Hosts(String),
    /// One half of a key is named and the other is not.
    #[error("aws.{0} is missing: name both halves of the key in quell.toml, or neither")]
    HalfAKey(&'static str),
}

impl App {
    /// Puts the parts together. Without AWS credentials everything that needs none still works.
    ///
    /// # Errors
    /// [`AppError`] names the part and the mend.
    pub async fn open(config: Config) -> Result<Arc<App>, AppError> {
        make_private_folder(&config.data)?;
        let place = Place::of(&config);
        let state = place.open().await?;
        let mut content = Content::load(config.content.as_deref()).map_err(AppError::Content)?;
        for fault in &content.faults {
            tracing::error!(%fault, "a content file is left out");
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        brake::adopt(&*state, &config.data, clock.now()).await?;
        let sealing = sealing::of(&config, &place)?;
        sealing::adopt(&*state, &sealing).await?;
        content.baselines = content
            .baselines
            .with_key(sealing::hash_key(&*state, clock.now()).await?);
        let aws = client(&config, clock.clone())?;
        let claims = Claims::new(state.clone(), clock.clone(), place.file());
        let http = Http::new(Hosts::parse(&config.respond.http_hosts).map_err(AppError::Hosts)?);
        let (records, runs) = (Notify::new(), Arc::default());
        Ok(Arc::new(App {
            config,
            content,
            place,
            state,
            clock,
            claims: Arc::new(claims),
            sealing: Arc::new(sealing),
            aws,
            http,
            records,
            runs,
            stop: CancellationToken::new(),
        }))
    }

    /// The keeper of the audit log.
    ///
    /// # Errors
    /// [`KeeperError`]: the log's signing key cannot be had.
    pub async fn keeper(&self) -> Result<Keeper, KeeperError> {
        let (state, clock) = (self.state.clone(), self.clock.clone());
        Keeper::open(state, clock, &self.sealing, &self.config.evidence.name).await
    }

    /// The account, when it is in scope.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.config.accounts.iter().find(|a| a.id == id)
    }

    /// The ids of all accounts in scope, in the order of the settings.
    pub fn account_ids(&self) -> Vec<&str> {
        self.config.accounts.iter().map(|a| &*a.id).collect()
    }

    /// The newest values of a kind, of one status or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest<T: DeserializeOwned>(
        &self,
        kind: Kind,
        status: Option<String>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = Query::all(kind).newest().limit(limit);
        query.statuses = status.into_iter().collect();
        self.state.list(&query).await?.read()
    }

    /// Whether an account is one of production. What is not known counts as that.
    pub fn is_production(account: &Account) -> bool {
        !matches!(
            account.environment.as_str(),
            "sandbox" | "development" | "test"
        )
    }

    /// How far a playbook may go in an account: the least of the playbook's own level and the installation's.
    pub fn level(&self, playbook: &Playbook, account: &Account) -> Level {
        let own = playbook.level.of(Self::is_production(account));
        own.min(self.config.respond.level_max)
    }

    /// How far a playbook goes in an account now: it acts by itself only once it was promoted here as it is, when the settings want that.
    pub async fn level_in_effect(&self, playbook: &Playbook, account: &Account) -> Level {
        let [production, elsewhere] = self.levels(playbook).await;
        match Self::is_production(account) {
            true => production,
            false => elsewhere,
        }
    }

    /// How far a playbook goes now, in production and elsewhere.
    pub async fn levels(&self, playbook: &Playbook) -> [Level; 2] {
        let wanted = self.config.respond.promotion.required;
        let may = !wanted || promotions::holds(&*self.state, playbook).await;
        let most = if may { Level::Auto } else { Level::Approve };
        let most = most.min(self.config.respond.level_max);
        [true, false].map(|production| playbook.level.of(production).min(most))
    }

    /// The roles of an account.
    pub fn roles(account: &Account, partition: &str) -> Roles {
        let arn = |name: &str| format!("arn:{partition}:iam::{}:role/{name}", account.id);
        let here = Family::ALL.into_iter();
        let here = here.filter(|family| *family != Family::Organization);
        Roles {
            read: arn(&account.read_role),
            read_organization: None,
            act: here
                .map(|family| (family, arn(&account.act_role(family))))
                .collect(),
        }
    }

    /// The roles of an account, and with them those of the organisation that it is in. The account that manages it has none: no
    /// policy binds it.
    pub fn with_organization(&self, mut roles: Roles, resource: &Resource) -> Roles {
        let organization = &self.config.organization;
        let management = organization.management_account.as_ref();
        if let Some(id) = management.filter(|id| **id != resource.account) {
            let partition = &resource.arn.partition;
            let [read, act] = organization
                .roles()
                .map(|name| format!("arn:{partition}:iam::{id}:role/{name}"));
            roles.read_organization = Some(read);
            roles.act.insert(Family::Organization, act);
        }
        roles
    }

    /// Where a call of this family is made for a run about a resource, as which role.
    pub fn scope_of(&self, family: Family, resource: &Resource, role: &str, run: &RunId) -> Scope {
        let management = self.config.organization.management_account.as_deref();
        let (account, region) = family.place(resource, management);
        Scope {
            account: account.to_owned(),
            region: region.to_owned(),
            ..self.scope(resource, role, run)
        }
    }

    /// Where a run's calls are made, as which role. The run's id is in CloudTrail with every call.
    pub fn scope(&self, resource: &Resource, role: &str, run: &RunId) -> Scope {
        let mut assume = RoleToAssume::new(role, run.as_str());
        assume.external_id = self.config.aws.external_id.clone();
        assume.source_identity = Some(run.as_str().to_owned());
        Scope {
            account: resource.account.clone(),
            region: resource.region.clone(),
            role: Some(assume),
        }
    }

    /// Names of identities that no playbook touches: those of the settings, and those that Quell itself works as.
    pub fn never_touched(&self) -> Vec<String> {
        let accounts = &self.config.accounts;
        let acting = accounts
            .iter()
            .flat_map(|a| Family::ALL.map(|family| a.act_role(family)));
        let mut names: Vec<String> = accounts.iter().map(|a| a.read_role.clone()).collect();
        names.extend(acting);
        names.extend(self.config.organization.roles());
        names.extend(self.config.respond.never_touch.names.iter().cloned());
        names
    }

    /// Whether an actor is Quell itself: what it does is not an incident.
    pub fn is_own(&self, actor: &quell_model::Actor, account: &str) -> bool {
        let issuer = actor.issuer_arn.as_deref().unwrap_or_default();
        let organization = &self.config.organization;
        if organization.management_account.as_deref() == Some(account) {
            let names = organization.roles();
            let role = issuer.split_once(&format!(":iam::{account}:role/"));
            if role.is_some_and(|(_, name)| names.iter().any(|own| own == name)) {
                return true;
            }
        }
        let Some(account) = self.account(account) else {
            return false;
        };
        ["aws", "aws-cn", "aws-us-gov"].iter().any(|partition| {
            let roles = Self::roles(account, partition);
            issuer == roles.read || roles.act.values().any(|role| role == issuer)
        })
    }

    /// Whether somebody has pulled the brake, here or in another process, or nobody can say.
    pub async fn is_halted(&self) -> bool {
        brake::is_pulled(&*self.state).await
    }
}

/// A folder that nobody else may look into.
///
/// # Errors
/// [`AppError::Data`].
pub fn make_private_folder(path: &std::path::Path) -> Result<(), AppError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|source| AppError::Data {
        path: path.to_owned(),
        source,
    })
}

/// The AWS client of the settings; none when there are no credentials.
///
/// # Errors
/// [`AppError`], for half of the credentials and for settings that make no client.
pub fn client(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Client>, AppError> {
    let aws = &config.aws;
    let Some(provider) = credentials(aws)? else {
        return Ok(None);
    };
    client_with(config, provider, clock).map(Some)
}

/// The AWS client of the settings, with credentials from elsewhere. They are asked for when a call is made.
///
/// # Errors
/// [`AppError::Aws`] for settings that make no client.
pub fn client_with(
    config: &Config,
    credentials: SharedCredentialsProvider,
    clock: Arc<dyn Clock>,
) -> Result<Client, AppError> {
    let aws = &config.aws;
    let now: quell_aws::Clock = Arc::new(move || clock.now());
    let mut made = quell_aws::Config::new(&aws.region, credentials, now);
    let endpoints = Endpoints::new(aws.endpoint_url.as_deref(), &whole_environment());
    made.endpoint_url = endpoints.url;
    made.endpoint_urls = endpoints.urls;
    made.use_fips = endpoints.use_fips;
    made.use_dual_stack = endpoints.use_dual_stack;
    made.proxies = proxies(aws);
    made.retries.mode = aws.retry_mode;
    made.limits = aws.limits.clone();
    Client::new(made).map_err(|e| AppError::Aws(Box::new(e)))
}

/// The key that the settings name, else the standard chain, which is not asked before the first call.
fn credentials(aws: &AwsConfig) -> Result<Option<SharedCredentialsProvider>, AppError> {
    let (id, secret) = match (&aws.access_key_id, &aws.secret_access_key) {
        (Some(id), Some(secret)) => (id.reveal(), secret.reveal()),
        (None, None) => {
            let chain = StandardChain::new(&aws.region, aws.profile.clone(), proxies(aws));
            return Ok(Some(chain.into_provider()));
        }
        (Some(_), None) => return Err(AppError::HalfAKey("secret_access_key")),
        (None, Some(_)) => return Err(AppError::HalfAKey("access_key_id")),
    };
    let (id, secret) = match (id, secret) {
        (Ok(id), Ok(secret)) => (id, secret),
        // Variables that are not there: Quell works without AWS. One of two is a mistake.
        (Err(SecretError::NoVariable(_)), Err(SecretError::NoVariable(_))) => return Ok(None),
        (Err(e), _) | (_, Err(e)) => return Err(e.into()),
    };
    let token = aws.session_token.as_ref().map(|t| t.reveal()).transpose()?;
    let keys = Credentials::new(id, secret, token, None, "quell.toml");
    Ok(Some(SharedCredentialsProvider::new(keys)))
}
