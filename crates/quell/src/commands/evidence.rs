//! `quell evidence`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use quell_evidence::{Act, Check, Checkpoint, Entry, Report, VerifyingKey};
use quell_model::RunId;
use quell_store::Kind;
use serde_json::{Value, json};

use super::undo::person;
use super::{Failure, Global};
use crate::app::App;
use crate::audit::{self, LOG};
use crate::output::{safe, table};

/// What was captured, and the log of who did what: shown, handed out, and checked by anybody
#[derive(Subcommand)]
pub enum EvidenceCommand {
    /// The newest entries of the audit log
    List {
        /// Only those about this run, incident, key or resource
        #[arg(long)]
        about: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// What was captured for a run
    Show {
        /// Its id (run-…)
        run: RunId,
    },
    /// The public key that the log is checked with: keep it where Quell does not run
    Key,
    /// The newest signed checkpoint: keep some of them where Quell does not run
    Checkpoint,
    /// Write the whole log, with the evidence it names, into a new folder
    Export {
        /// The folder
        folder: PathBuf,
    },
    /// Check an exported folder; needs neither Quell's store nor a network (exit code 1 when something is wrong)
    Verify {
        /// The folder
        folder: PathBuf,
        /// The log's public key, as `quell evidence key` printed it
        #[arg(long)]
        key: VerifyingKey,
        /// A file with a checkpoint that was kept elsewhere: shows a log that was cut short or written anew
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
}

/// Entries read at once.
const PAGE: usize = 1000;
/// A body that is longer is not read into memory.
const BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;

impl EvidenceCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::List { about, limit } => list(global, about.as_deref(), limit).await,
            Self::Show { run } => show(global, &run).await,
            Self::Key => {
                let app = global.app().await?;
                let key = keeper(&app).await?.public().to_string();
                global.output.print(&json!({"key": key}), |_| key.clone());
                Ok(())
            }
            Self::Checkpoint => {
                let app = global.app().await?;
                let keeper = keeper(&app).await?;
                keeper.gather_all().await?;
                let checkpoint = keeper.head().await?.checkpoint;
                let value = json!({"checkpoint": checkpoint});
                global
                    .output
                    .print(&value, |_| checkpoint.trim_end().to_owned());
                Ok(())
            }
            Self::Export { folder } => export(global, &folder).await,
            Self::Verify {
                folder,
                key,
                checkpoint,
            } => verify(global, &folder, &key, &checkpoint),
        }
    }
}

async fn keeper(app: &App) -> Result<audit::Keeper, Failure> {
    app.keeper()
        .await
        .map_err(|e| Failure::Setup(e.to_string()))
}

async fn list(global: &Global, about: Option<&str>, limit: usize) -> Result<(), Failure> {
    let app = global.app().await?;
    let keeper = keeper(&app).await?;
    keeper.gather_all().await?;
    let mut end = i64::try_from(keeper.head().await?.tree.size()).unwrap_or(i64::MAX);
    let mut found: Vec<(i64, Entry)> = Vec::new();
    let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
    while end > 0 && found.len() < limit {
        let from = end.saturating_sub(page).max(0);
        let entries = app.state.read_log(LOG, from, PAGE).await?;
        for stored in entries.iter().rev().filter(|e| e.seq < end) {
            let entry = Entry::read(stored.body.as_bytes())
                .map_err(|e| Failure::Check(format!("entry {}: {e}", stored.seq)))?;
            if about.is_none_or(|about| entry.about == about) && found.len() < limit {
                found.push((stored.seq, entry));
            }
        }
        end = from;
    }
    let value: Vec<Value> = found
        .iter()
        .map(|(seq, entry)| json!({"index": seq, "entry": entry}))
        .collect();
    global.output.print(&value, |_| rows(&found));
    Ok(())
}

fn rows(found: &[(i64, Entry)]) -> String {
    if found.is_empty() {
        return "no entries".to_owned();
    }
    table(
        &["entry", "when", "act", "by", "about", "details"],
        found.iter().map(|(seq, entry)| {
            let act = serde_json::to_value(entry.act).unwrap_or_default();
            let details: String = entry.details.to_string().chars().take(160).collect();
            vec![
                seq.to_string(),
                entry.at.to_string(),
                act.as_str().unwrap_or_default().to_owned(),
                entry.by.clone(),
                entry.about.clone(),
                details,
            ]
        }),
    )
}

async fn show(global: &Global, run: &RunId) -> Result<(), Failure> {
    let app = global.app().await?;
    let document = app.state.get(Kind::Evidence, run.as_str()).await?;
    let nothing = || Failure::Denied(format!("nothing was captured for {run}"));
    let sealed: Value = document.ok_or_else(nothing)?.read()?;
    global.output.print(&sealed, |sealed| {
        let text = serde_json::to_string_pretty(sealed).unwrap_or_default();
        text.lines().map(safe).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

async fn export(global: &Global, folder: &Path) -> Result<(), Failure> {
    let app = global.app().await?;
    let keeper = keeper(&app).await?;
    let details = json!({"to": folder.display().to_string()});
    let entry = audit::entry(app.clock.now(), Act::Exported, &person(), LOG, details);
    let batch = quell_store::Batch::new().with(audit::write(&entry)?);
    app.state.commit(batch).await?;
    keeper.gather_all().await?;
    let exported = audit::export(&*app.state, &keeper, folder).await;
    let exported = exported.map_err(|e| Failure::Setup(e.to_string()))?;
    let key = keeper.public().to_string();
    let value = json!({"folder": folder, "exported": exported, "key": key});
    global.output.print(&value, |_| {
        format!(
            "{} entries, {} bodies, {} checkpoints\ncheck it anywhere:  quell evidence verify {} --key {key}",
            exported.entries,
            exported.bodies,
            exported.checkpoints,
            folder.display()
        )
    });
    Ok(())
}

fn verify(
    global: &Global,
    folder: &Path,
    key: &VerifyingKey,
    others: &[PathBuf],
) -> Result<(), Failure> {
    let newest = opened(key, &folder.join("checkpoint"))?;
    let kept = files(&folder.join("checkpoints"))?;
    let others: Vec<Checkpoint> = kept
        .iter()
        .chain(others)
        .map(|path| opened(key, path))
        .collect::<Result<_, _>>()?;
    let mut check = Check::new(&newest, &others);
    entries(&mut check, &folder.join("entries.jsonl"))?;
    for path in files(&folder.join("bodies"))? {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("?");
        let bytes = read(&path, BODY_BYTES_MAX)?;
        check.body(name.strip_suffix(".json").unwrap_or(name), &bytes);
    }
    let report = check.finish();
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let value = json!({
        "log": key.name(), "entries": report.entries, "bodies": report.bodies, "checkpoints": report.checkpoints,
        "faults": faults, "checkedAgainst": {"size": newest.size, "root": newest.root},
    });
    global.output.print(&value, |_| told(&report, &faults));
    match report.is_clean() {
        true => Ok(()),
        false => Err(Failure::Check(format!(
            "the folder is not what {} signed",
            key.name()
        ))),
    }
}

fn told(report: &Report, faults: &[String]) -> String {
    let Report {
        entries,
        bodies,
        checkpoints,
        ..
    } = report;
    let counts = format!("{entries} entries, {bodies} bodies, {checkpoints} checkpoints agree");
    match faults {
        [] => format!("{counts}: nothing was changed"),
        _ => format!(
            "{counts}\n{}",
            faults
                .iter()
                .map(|f| safe(f))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Check(format!("{}: {error}", path.display()))
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let file = std::fs::File::open(path).map_err(|e| unreadable(path, e))?;
    let mut bytes = Vec::new();
    let limited = file
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes);
    match limited {
        Ok(count) if u64::try_from(count).unwrap_or(u64::MAX) > bytes_max => Err(unreadable(
            path,
            format!("it is longer than {bytes_max} bytes"),
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn opened(key: &VerifyingKey, path: &Path) -> Result<Checkpoint, Failure> {
    let bytes = read(path, 64 * 1024)?;
    let text = String::from_utf8(bytes).map_err(|e| unreadable(path, e))?;
    key.open(&text).map_err(|e| unreadable(path, e))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, e))?;
    let mut files = entries
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| unreadable(folder, e))?;
    files.sort();
    Ok(files)
}

/// Hands every line to the check. A last line without an end is one that was cut.
fn entries(check: &mut Check, path: &Path) -> Result<(), Failure> {
    let file = std::fs::File::open(path).map_err(|e| unreadable(path, e))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = Vec::new();
    let bytes_max = u64::try_from(Entry::BYTES_MAX).unwrap_or(u64::MAX);
    loop {
        line.clear();
        let mut one = (&mut reader).take(bytes_max.saturating_add(2));
        let count = one
            .read_until(b'\n', &mut line)
            .map_err(|e| unreadable(path, e))?;
        match line.split_last() {
            None if count == 0 => return Ok(()),
            Some((b'\n', entry)) => check.entry(entry),
            _ => return Err(unreadable(path, "a line is too long, or was cut")),
        }
    }
}
