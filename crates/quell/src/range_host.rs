//! The test range as a process: its Python, its start, its end.
//!
//! The range's files are built in, so that `quell range up` works from anywhere. Its packages are pinned and put
//! into a virtual environment in the cache folder, once for each set of pins.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use quell_model::sha256_hex;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use crate::config::{RANGE_FILE, cache_folder};
use crate::output::{note, spinner};

static SOURCE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../range/quell_range");
const REQUIREMENTS: &str = include_str!("../../../range/requirements.txt");

/// A range that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// A file cannot be written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] crate::app::AppError),
    /// A program failed.
    #[error("{what} failed: {detail}")]
    Program {
        /// What was being done.
        what: String,
        /// What it said last.
        detail: String,
    },
    /// None is up.
    #[error("no range is up with this data folder (there is no {path}): `quell range up` starts one", path = .0.display())]
    None(PathBuf),
    /// It did not come up.
    #[error("the range did not come up in {0} s; QUELL_LOG=debug says more")]
    Late(u64),
}

/// What the range says of itself once it is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Info {
    /// Where every AWS call goes.
    pub endpoint: String,
    /// The accounts.
    pub accounts: Vec<RangeAccount>,
    /// The account that manages their organisation.
    #[serde(default)]
    pub management_account: Option<String>,
    /// What Quell works with.
    pub quell: Home,
    /// The process.
    pub pid: u32,
}

/// An account of the range.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RangeAccount {
    /// Twelve digits.
    pub id: String,
    /// For people.
    pub name: String,
    /// `security`, `production`, `sandbox`.
    pub environment: String,
    /// Somebody who works there.
    #[serde(default)]
    pub developer: Option<Key>,
    /// What the roles' trust policies ask for.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// An access key of the range. It opens nothing but the range.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Key {
    /// The id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
}

/// Quell's own place in the range.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Home {
    /// The security account.
    pub account: String,
    /// Its key.
    #[serde(flatten)]
    pub key: Key,
    /// The Region.
    pub region: String,
    /// What the roles ask for.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Where records come in.
    pub queues: Queues,
}

/// The queues of the two ways in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queues {
    /// EventBridge events.
    pub events: String,
    /// Notifications about CloudTrail files.
    pub trail: String,
}

/// A range that is up; it ends with this value.
pub struct Running {
    child: Child,
    /// What it says of itself.
    pub info: Info,
    settings: PathBuf,
}

const UP_SECONDS_MAX: u64 = 60;

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> RangeError {
    let path = path.to_owned();
    move |source| RangeError::File { path, source }
}

/// The Python that has the range's packages, made when it is not there yet.
///
/// # Errors
/// [`RangeError`] with what `python3` or `pip` said.
pub async fn python() -> Result<PathBuf, RangeError> {
    let pins = sha256_hex(REQUIREMENTS);
    let folder = cache_folder().join(format!("range-{}", pins.get(..16).unwrap_or(&pins)));
    let python = folder.join("bin/python");
    let done = folder.join("complete");
    if done.exists() {
        return Ok(python);
    }
    note("setting up the test range's Python packages (once, about a minute)");
    let bar = spinner("python3 -m venv");
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
        "making a virtual environment (python3 and python3-venv are wanted)",
    )
    .await?;
    let pins = folder.join("requirements.txt");
    std::fs::write(&pins, REQUIREMENTS).map_err(file(&pins))?;
    bar.set_message("pip install moto, boto3, awscli");
    run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&pins),
        "pip install",
    )
    .await?;
    std::fs::write(&done, "").map_err(file(&done))?;
    bar.finish_and_clear();
    Ok(python)
}

/// Runs a program to its end: what it said.
async fn run(command: &mut Command, what: &str) -> Result<Vec<u8>, RangeError> {
    let fail = |detail: String| RangeError::Program {
        what: what.to_owned(),
        detail,
    };
    let out = command
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|e| fail(e.to_string()))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let said = String::from_utf8_lossy(&out.stderr);
    let last: Vec<&str> = said.lines().rev().take(8).collect();
    Err(fail(last.into_iter().rev().collect::<Vec<_>>().join("\n")))
}

/// The range's own files, laid out in the cache folder.
fn source() -> Result<PathBuf, RangeError> {
    let mut files = Vec::new();
    collect(&SOURCE, &mut files);
    let all: String = files
        .iter()
        .map(|(path, text)| format!("{path}\n{text}"))
        .collect();
    let digest = sha256_hex(all);
    let root = cache_folder().join(format!(
        "range-source-{}",
        digest.get(..16).unwrap_or(&digest)
    ));
    for (path, text) in &files {
        let target = root.join("quell_range").join(path);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(file(folder))?;
        }
        std::fs::write(&target, text).map_err(file(&target))?;
    }
    Ok(root)
}

fn collect(dir: &'static Dir<'static>, out: &mut Vec<(String, &'static str)>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy();
        if let Some(text) = file.contents_utf8().filter(|_| path.ends_with(".py")) {
            out.push((path.into_owned(), text));
        }
    }
    dir.dirs().for_each(|d| collect(d, out));
}

/// Starts a range and writes the settings with which `quell serve` finds it.
///
/// # Errors
/// [`RangeError`].
pub async fn up(data: &Path, port: u16, more: &[String]) -> Result<Running, RangeError> {
    let python = python().await?;
    let source = source()?;
    let folder = data.join("range");
    crate::app::make_private_folder(&folder)?;
    let ready = folder.join("info.json");
    drop(std::fs::remove_file(&ready));
    let log = folder.join("range.log");
    let out = std::fs::File::create(&log).map_err(file(&log))?;
    let child = Command::new(&python)
        .args([
            "-m",
            "quell_range",
            "up",
            "--port",
            &port.to_string(),
            "--ready-file",
        ])
        .arg(&ready)
        .args(more)
        .env("PYTHONPATH", &source)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(out)
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|e| RangeError::Program {
        what: "starting the range".to_owned(),
        detail: e.to_string(),
    })?;
    let info = wait_ready(&mut child, &ready, &log).await?;
    let settings = data.join(RANGE_FILE);
    write_settings(&folder, &settings, &info)?;
    Ok(Running {
        child,
        info,
        settings,
    })
}

/// Attacks the range that is up with a data folder, as its own `attack` command does; what that says of it.
///
/// # Errors
/// [`RangeError::None`] when none is up, and what the attack said when it failed.
pub async fn attack(
    data: &Path,
    playbook: &str,
    account: Option<&str>,
) -> Result<serde_json::Value, RangeError> {
    let info = data.join("range/info.json");
    if !info.exists() {
        return Err(RangeError::None(info));
    }
    let mut command = Command::new(python().await?);
    command
        .args(["-m", "quell_range", "attack", playbook, "--info"])
        .arg(&info)
        .env("PYTHONPATH", source()?)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(account) = account {
        command.args(["--account", account]);
    }
    let said = run(&mut command, "the attack").await?;
    serde_json::from_slice(&said).map_err(|e| RangeError::Program {
        what: "reading what the attack said".to_owned(),
        detail: e.to_string(),
    })
}

async fn wait_ready(child: &mut Child, ready: &Path, log: &Path) -> Result<Info, RangeError> {
    for _ in 0..UP_SECONDS_MAX * 20 {
        if let Ok(text) = std::fs::read_to_string(ready) {
            let read = serde_json::from_str(&text);
            return read.map_err(|e| RangeError::Program {
                what: "reading the range's info".into(),
                detail: e.to_string(),
            });
        }
        if let Ok(Some(status)) = child.try_wait() {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(8).collect();
            let detail = format!(
                "{status}: {}",
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
            return Err(RangeError::Program {
                what: "the range".to_owned(),
                detail,
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(RangeError::Late(UP_SECONDS_MAX))
}

/// Settings that point everything at the range: a layer under `quell.toml`, there while the range is.
fn write_settings(folder: &Path, path: &Path, info: &Info) -> Result<(), RangeError> {
    let secret = |name: &str, value: &str| {
        let target = folder.join(name);
        std::fs::write(&target, value).map_err(file(&target))?;
        Ok::<String, RangeError>(format!("file:{}", target.display()))
    };
    let id = secret("access_key_id", &info.quell.key.access_key_id)?;
    let key = secret("secret_access_key", &info.quell.key.secret_access_key)?;
    let accounts: Vec<toml::Value> = info
        .accounts
        .iter()
        .filter(|a| a.id != info.quell.account)
        .map(|a| toml::Value::Table(toml::toml! { id = (a.id.clone()) name = (a.name.clone()) environment = (a.environment.clone()) }))
        .collect();
    let mut table = toml::toml! {
        [collect]
        wait_seconds = 1

        [respond]
        level_max = "auto-with-undo"
        changes_per_account_hour = 1000000
        promotion.required = false
    };
    let mut aws = toml::Table::new();
    for (name, value) in [
        ("endpoint_url", Some(info.endpoint.clone())),
        ("region", Some(info.quell.region.clone())),
        ("access_key_id", Some(id)),
        ("secret_access_key", Some(key)),
        ("external_id", info.quell.external_id.clone()),
    ] {
        if let Some(value) = value {
            aws.insert(name.to_owned(), value.into());
        }
    }
    table.insert("aws".to_owned(), aws.into());
    table.insert("accounts".to_owned(), accounts.into());
    if let Some(id) = &info.management_account {
        let organization = toml::toml! { management_account = (id.clone()) };
        table.insert("organization".to_owned(), organization.into());
    }
    if let Some(collect) = table.get_mut("collect").and_then(toml::Value::as_table_mut) {
        let queues = vec![
            info.quell.queues.events.clone(),
            info.quell.queues.trail.clone(),
        ];
        collect.insert("queues".to_owned(), queues.into());
    }
    let text = format!("# Written by `quell range up`; removed when the range ends.\n{table}");
    std::fs::write(path, text).map_err(file(path))
}

impl Running {
    /// Ends it.
    pub async fn down(mut self) {
        drop(std::fs::remove_file(&self.settings));
        drop(self.child.kill().await);
    }

    /// Waits until it ends by itself, which it should not.
    pub async fn ended(&mut self) {
        drop(self.child.wait().await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.settings));
    }
}
