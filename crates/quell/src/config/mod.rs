//! Configuration: defaults, then the range's own settings when one is up, then `quell.toml`, then
//! `QUELL__SECTION__KEY`, then flags. Unknown keys are errors. This is the only place that reads the environment, but
//! for AWS's own crate for credentials.

mod endpoints;
mod organization;
mod proxies;
mod secret;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::http::Hosts;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use quell_aws::{Limits, RetryMode};
use quell_guard::{ArnPattern, Family, Level};
use quell_model::OuPath;
use quell_triage::Sla;
use serde::{Deserialize, Serialize};

pub use endpoints::Endpoints;
pub use organization::OrganizationConfig;
pub use proxies::proxies;
pub use secret::{Secret, SecretError};

use crate::place::{check_url, has_password};

/// All settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where state is kept.
    pub data: PathBuf,
    /// Where content is read from instead of what is built in.
    pub content: Option<PathBuf>,
    /// The state store.
    pub store: StoreConfig,
    /// The HTTP server.
    pub server: ServerConfig,
    /// How AWS is reached.
    pub aws: AwsConfig,
    /// Where records come from.
    pub collect: CollectConfig,
    /// What is kept of what was done.
    pub evidence: EvidenceConfig,
    /// The accounts in scope. Nothing is ever done in any other.
    pub accounts: Vec<Account>,
    /// The organisation that they are in.
    pub organization: OrganizationConfig,
    /// How far responses go.
    pub respond: RespondConfig,
    /// How incidents are looked after.
    pub triage: TriageConfig,
}

/// The state store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:PATH`, or `postgres://USER@HOST:PORT/DATABASE`; the file `quell.db` in the data folder when absent.
    pub url: Option<String>,
    /// The password of the PostgreSQL user; a reference such as `env:NAME`. Without it `PGPASSWORD` and `~/.pgpass` are asked.
    pub password: Option<Secret>,
    /// What the secrets of API keys are sealed with, the same for all processes; a reference. Beside an SQLite file there is a file for it when absent.
    pub key: Option<Secret>,
}

/// What is kept of what was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceConfig {
    /// The audit log's name in its signed checkpoints. It is taken once, when the log begins.
    pub name: String,
    /// A bucket with Object Lock to which everything is copied; none by default.
    pub lock: Option<LockConfig>,
}

/// A bucket with Object Lock for the audit log and what was captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockConfig {
    /// Its name. Quell's own credentials may put objects there and need nothing else.
    pub bucket: String,
    /// What keys begin with.
    #[serde(default)]
    pub prefix: String,
    /// For so many days nobody can delete an object, or change it.
    #[serde(default = "lock_days")]
    pub days: u32,
    /// Who can lift that.
    #[serde(default)]
    pub mode: LockMode,
}

/// S3's modes of retention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LockMode {
    /// Whoever has `s3:BypassGovernanceRetention`.
    #[default]
    Governance,
    /// Nobody, not even the account's root user.
    Compliance,
}

impl LockMode {
    /// S3's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

fn lock_days() -> u32 {
    365
}

/// The HTTP server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
}

/// How AWS is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsConfig {
    /// One endpoint for every service (the range); AWS's own when absent.
    pub endpoint_url: Option<String>,
    /// Quell's home Region.
    pub region: String,
    /// Quell's own access key; a reference such as `env:NAME`. Without it the standard chain is asked.
    pub access_key_id: Option<Secret>,
    /// Its secret.
    pub secret_access_key: Option<Secret>,
    /// Its session token, if it has one.
    pub session_token: Option<Secret>,
    /// The profile of the shared files to take, and nothing else; the standard chain when absent.
    pub profile: Option<String>,
    /// What is done about «slower», besides trying again later: standard, adaptive.
    pub retry_mode: RetryMode,
    /// How fast the calls of a service may go, in one account and Region.
    pub limits: Limits,
    /// The proxy for `https:`; `HTTPS_PROXY` when absent.
    pub https_proxy: Option<String>,
    /// The proxy for `http:`; `HTTP_PROXY` when absent.
    pub http_proxy: Option<String>,
    /// What is reached without a proxy; `NO_PROXY` when absent.
    pub no_proxy: Option<String>,
    /// The external id that the roles' trust policies ask for.
    pub external_id: Option<String>,
}

/// Where records come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectConfig {
    /// SQS queues: of EventBridge events, or of S3 notifications about CloudTrail files.
    pub queues: Vec<String>,
    /// How long one receive waits, 0 to 20 seconds.
    pub wait_seconds: u32,
    /// A folder whose files are read; `<data>/drop` when absent.
    pub folder: Option<PathBuf>,
}

/// An account in scope.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// `production`, or anything else. What is not known counts as production.
    #[serde(default = "production")]
    pub environment: String,
    /// The organisational unit that it is in, by names from the root on (`Root/Prod/Payments`).
    #[serde(default)]
    pub ou: Option<OuPath>,
    /// The role that reads.
    #[serde(default = "read_role")]
    pub read_role: String,
    /// What the names of the roles that act begin with; each ends in its family (`QuellAct-Network`, `-Compute`, `-IAM`, `-S3`,
    /// `-Data`, `-Logging`).
    #[serde(default = "act_role_prefix")]
    pub act_role_prefix: String,
}

impl Account {
    /// An account of which nothing is known but its id.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            environment: production(),
            ou: None,
            read_role: read_role(),
            act_role_prefix: act_role_prefix(),
        }
    }

    /// The name of the role that makes the calls of a family.
    pub fn act_role(&self, family: Family) -> String {
        format!("{}{}", self.act_role_prefix, family.name())
    }
}

fn production() -> String {
    "production".to_owned()
}
fn read_role() -> String {
    "QuellReader".to_owned()
}
fn act_role_prefix() -> String {
    "QuellAct-".to_owned()
}

/// How incidents are looked after.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TriageConfig {
    /// How long they may take, by severity.
    pub sla: Sla,
}

/// How far responses go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RespondConfig {
    /// No playbook goes further than this: observe, suggest, approve, auto-with-undo, auto.
    pub level_max: Level,
    /// So many changing calls in one account in one hour; more wait for a person.
    pub changes_per_account_hour: u64,
    /// So many in all accounts together.
    pub changes_per_organisation_hour: u64,
    /// So many in all accounts of an organisational unit and of those below it, by unit.
    pub changes_per_ou_hour: BTreeMap<OuPath, u64>,
    /// So many of one call in all accounts together, by call (`ec2:StopInstances`); `*` is for each call that is not named.
    pub changes_per_action_hour: BTreeMap<String, u64>,
    /// The roles and users that make things by machine: what they made is mended in the code, unless it cannot wait.
    pub pipelines: Vec<ArnPattern>,
    /// So many runs at once.
    pub runs_at_once: usize,
    /// Events older than this start nothing by themselves.
    pub event_age_seconds_max: i64,
    /// The hosts that playbooks may send HTTP requests to.
    pub http_hosts: Vec<String>,
    /// A plan waits so long for a person; then nothing is done, and the incident stays with one.
    pub approval_hours: u32,
    /// A playbook changes a resource so often within a day; then it asks, since somebody or something keeps making it so.
    pub changes_per_resource_day: usize,
    /// What a response did is looked at again after so many seconds.
    pub watch_seconds: Vec<u32>,
    /// What no playbook ever touches, beside what is compiled in.
    pub never_touch: NeverTouchConfig,
    /// What a playbook has to show before it acts by itself.
    #[serde(default)]
    pub promotion: PromotionConfig,
}

/// What a playbook has to show before it acts by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromotionConfig {
    /// Whether it has to show anything. Without it the level alone decides.
    pub required: bool,
    /// So many runs that were verified and not taken back.
    pub clean_runs: usize,
    /// A clean backtest over the stored events of so many days.
    pub backtest_days: u32,
}

impl Default for PromotionConfig {
    fn default() -> Self {
        Self {
            required: true,
            clean_runs: 3,
            backtest_days: 30,
        }
    }
}

/// What no playbook ever touches, whoever approves it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverTouchConfig {
    /// Accounts in which nothing is changed: the management account, Quell's own, the log archive.
    pub accounts: Vec<String>,
    /// Roles and users, by name: those that people come in by when nothing else works.
    pub names: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: default_data(),
            content: None,
            store: StoreConfig::default(),
            server: ServerConfig {
                listen: "127.0.0.1:8480".to_owned(),
            },
            aws: AwsConfig {
                endpoint_url: None,
                region: "us-east-1".to_owned(),
                access_key_id: None,
                secret_access_key: None,
                session_token: None,
                profile: None,
                retry_mode: RetryMode::Standard,
                limits: Limits::default(),
                https_proxy: None,
                http_proxy: None,
                no_proxy: None,
                external_id: None,
            },
            collect: CollectConfig {
                queues: Vec::new(),
                wait_seconds: 10,
                folder: None,
            },
            evidence: EvidenceConfig {
                name: "quell/audit".to_owned(),
                lock: None,
            },
            accounts: Vec::new(),
            organization: OrganizationConfig::default(),
            respond: RespondConfig {
                level_max: Level::Suggest,
                changes_per_account_hour: 60,
                changes_per_organisation_hour: 300,
                changes_per_ou_hour: BTreeMap::new(),
                changes_per_action_hour: BTreeMap::from([("*".to_owned(), 120)]),
                pipelines: Vec::new(),
                runs_at_once: 32,
                event_age_seconds_max: 15 * 60,
                http_hosts: Vec::new(),
                approval_hours: 4,
                changes_per_resource_day: 2,
                watch_seconds: vec![15 * 60, 60 * 60, 24 * 60 * 60],
                never_touch: NeverTouchConfig::default(),
                promotion: PromotionConfig::default(),
            },
            triage: TriageConfig::default(),
        }
    }
}

/// The environment, read here and nowhere else.
pub fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the environment's one home"
    )]
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// All of the environment that is set and is text, for what has no fixed names.
pub fn whole_environment() -> BTreeMap<String, String> {
    let texts = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    texts.filter(|(_, value)| !value.is_empty()).collect()
}

/// Where pinned downloads are kept (the range's Python): `$XDG_CACHE_HOME/quell` or `~/.cache/quell`.
pub fn cache_folder() -> PathBuf {
    let base = environment("XDG_CACHE_HOME").map(PathBuf::from);
    base.unwrap_or_else(|| home().join(".cache")).join("quell")
}

fn default_data() -> PathBuf {
    let base = environment("XDG_DATA_HOME").map(PathBuf::from);
    base.unwrap_or_else(|| home().join(".local/share"))
        .join("quell")
}

fn home() -> PathBuf {
    environment("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The range's own settings, in the data folder while a range is up.
pub const RANGE_FILE: &str = "range.toml";

/// Settings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown, or a value wrong.
    #[error("{0}")]
    Wrong(Box<figment::Error>),
    /// The file that was named is not there.
    #[error("there is no file {}", .0.display())]
    NoFile(PathBuf),
    /// There is no such key.
    #[error("there is no setting «{key}»{}", .meant.as_ref().map(|m| format!("; did you mean «{m}»?")).unwrap_or_default())]
    Unknown {
        /// The key asked for.
        key: String,
        /// The nearest there is.
        meant: Option<String>,
    },
    /// A value is of the right type and makes no sense.
    #[error("{key}: {message}")]
    Senseless {
        /// The key.
        key: &'static str,
        /// Why.
        message: String,
    },
}

/// Reads the settings. `file` must exist when it is named; `./quell.toml` is taken when it is there.
///
/// # Errors
/// [`ConfigError`] names the key, where the value came from, and what was wanted.
pub fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Config, ConfigError> {
    let figment = layers(file, data)?;
    let config: Config = figment
        .extract()
        .map_err(|e| ConfigError::Wrong(Box::new(e)))?;
    for account in &config.accounts {
        if !is_account(&account.id) {
            let message = format!("«{}» is not twelve digits", account.id);
            return Err(ConfigError::Senseless {
                key: "accounts.id",
                message,
            });
        }
    }
    if let Some(message) = config.organization.fault() {
        let key = "organization.management_account";
        return Err(ConfigError::Senseless { key, message });
    }
    check_proxies(&config.aws)?;
    if let Some(Err(message)) = config.store.url.as_deref().map(check_url) {
        let message = message.to_owned();
        return Err(ConfigError::Senseless {
            key: "store.url",
            message,
        });
    }
    check_orders(&config.respond)?;
    let key = "respond.http_hosts";
    Hosts::parse(&config.respond.http_hosts)
        .map_err(|message| ConfigError::Senseless { key, message })?;
    Ok(config)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whom and what budgets and pipelines name.
fn check_orders(respond: &RespondConfig) -> Result<(), ConfigError> {
    for name in respond.changes_per_action_hour.keys() {
        let is_call = name.split_once(':').is_some_and(|(service, operation)| {
            !service.is_empty() && operation.starts_with(|c: char| c.is_ascii_uppercase())
        });
        if name != "*" && !is_call {
            return Err(ConfigError::Senseless {
                key: "respond.changes_per_action_hour",
                message: format!(
                    "«{name}» is no call: write one as ec2:StopInstances, or * for the rest"
                ),
            });
        }
    }
    for pattern in &respond.pipelines {
        let arn = pattern.parts();
        let is_identity = arn.resource.starts_with("role/") || arn.resource.starts_with("user/");
        if arn.service != "iam" || !is_identity {
            return Err(ConfigError::Senseless {
                key: "respond.pipelines",
                message: format!(
                    "«{pattern}» is no role or user: write it as arn:aws:iam::444455556666:role/deploy-*, a session by its role"
                ),
            });
        }
    }
    Ok(())
}

/// A file that names a proxy is read by many; its password is not for them.
fn check_proxies(aws: &AwsConfig) -> Result<(), ConfigError> {
    let named = [
        ("aws.https_proxy", &aws.https_proxy),
        ("aws.http_proxy", &aws.http_proxy),
    ];
    for (key, url) in named {
        if url.as_ref().is_some_and(|url| url.contains('@')) {
            let message = "a proxy with a password is named by the environment (HTTPS_PROXY, HTTP_PROXY), not here".to_owned();
            return Err(ConfigError::Senseless { key, message });
        }
    }
    Ok(())
}

fn layers(file: Option<&Path>, data: Option<&Path>) -> Result<Figment, ConfigError> {
    if let Some(missing) = file.filter(|f| !f.exists()) {
        return Err(ConfigError::NoFile(missing.to_owned()));
    }
    let file = file.map_or_else(|| PathBuf::from("quell.toml"), Path::to_owned);
    let above = |base: Figment| {
        let figment = base
            .merge(Toml::file(&file))
            .merge(Env::prefixed("QUELL__").split("__"));
        match data {
            Some(data) => figment.merge(Serialized::default("data", data)),
            None => figment,
        }
    };
    // Where the range's settings stand depends on the data folder, which the other layers name.
    let defaults = || Figment::from(Serialized::defaults(Config::default()));
    let data: PathBuf = above(defaults())
        .extract_inner("data")
        .map_err(|e| ConfigError::Wrong(Box::new(e)))?;
    Ok(above(defaults().merge(Toml::file(data.join(RANGE_FILE)))))
}

/// The keys of secrets: what stands there is shown only when it is a reference.
const SECRETS: &[&str] = &[
    "aws.access_key_id",
    "aws.secret_access_key",
    "aws.session_token",
    "store.password",
    "store.key",
];
/// The keys of URLs: with a password in it, one is not shown.
const URLS: &[&str] = &["aws.https_proxy", "aws.http_proxy"];

/// Where a setting came from and what it is, for `quell config explain`.
///
/// # Errors
/// [`ConfigError`] when there is no such key.
pub fn explain(
    file: Option<&Path>,
    data: Option<&Path>,
    key: &str,
) -> Result<(String, String), ConfigError> {
    let figment = layers(file, data)?;
    let value: figment::value::Value = figment.find_value(key).map_err(|_| unknown(key))?;
    let from = match figment.find_metadata(key) {
        Some(m) if matches!(m.source, None | Some(figment::Source::File(_))) => m
            .source
            .as_ref()
            .map_or_else(|| m.name.to_string(), |s| format!("{} ({s})", m.name)),
        // The defaults' source is a line of our own code, which says nothing to anybody.
        _ => "the built-in default".to_owned(),
    };
    let mut shown = serde_json::to_string(&value).unwrap_or_default();
    let is_secret =
        SECRETS.contains(&key) && !Secret::reference(shown.trim_matches('"')).is_reference();
    let names_password = key == "store.url" && has_password(&shown);
    if is_secret || names_password || (URLS.contains(&key) && shown.contains('@')) {
        shown = "«hidden»".to_owned();
    }
    Ok((shown, from))
}

fn unknown(key: &str) -> ConfigError {
    let known: Vec<String> = serde_json::to_value(Config::default())
        .ok()
        .and_then(|v| v.as_object().cloned())
        .into_iter()
        .flatten()
        .flat_map(|(section, value)| match value.as_object() {
            Some(keys) => keys.keys().map(|k| format!("{section}.{k}")).collect(),
            None => vec![section],
        })
        .collect();
    let meant = quell_model::nearest(key, known.iter().map(String::as_str)).map(str::to_owned);
    ConfigError::Unknown {
        key: key.to_owned(),
        meant,
    }
}

#[cfg(test)]
mod tests;
