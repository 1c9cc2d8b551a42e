//! `quell rule backtest`.

use std::path::{Path, PathBuf};

use clap::Args;
use quell_detect::Came;
use quell_model::{Incident, Record, Severity, Timestamp};
use quell_normalize::{FileReader, Piece};
use quell_store::{Kind, Query};
use serde_json::{Value, json};

use super::records::{files, read, records_in};
use super::{Failure, Global};
use crate::content::Content;
use crate::output::table;
use crate::trial::Trial;

/// Try rules on old records: what they would have said, and what incidents would have been opened. Changes nothing
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell rule backtest logs/ --content my-content         a folder of CloudTrail files (gz too)
  quell rule backtest --stored                           the records that are stored here
  quell rule backtest logs/ --output json | jq .rules")]
pub struct Backtest {
    /// Files with records, or folders of them; - is standard input
    #[arg(required_unless_present = "stored")]
    records: Vec<PathBuf>,
    /// The records that are stored, instead of files
    #[arg(long, conflicts_with = "records")]
    stored: bool,
    /// A folder of content whose rules are tried [default: what is in force]
    #[arg(long, value_name = "FOLDER")]
    content: Option<PathBuf>,
}

impl Backtest {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = match &self.content {
            Some(folder) => Some(folder.clone()),
            None => global.settings()?.content,
        };
        let content = Content::load(folder.as_deref())
            .map_err(|e| Failure::Setup(format!("content: {e}")))?;
        let mut trial = Trial::new(&content);
        if self.stored {
            stored(global, &mut trial).await?;
        }
        let (mut reader, mut bytes) = (FileReader::default(), Vec::new());
        for path in &self.records {
            for file in files(path)? {
                read(&file, &mut bytes)?;
                match reader.read(&bytes) {
                    Some(pieces) => pieces.for_each(|piece| drop(trial.add_read(came(piece)))),
                    None => taken_apart(&file, &bytes, &mut trial),
                }
            }
        }
        let board = trial.board();
        let value = report(&content, &trial, board.incidents());
        global
            .output
            .print(&value, |_| text(&content, &trial, board.incidents()));
        match content.faults.len() {
            0 => Ok(()),
            n => Err(Failure::Check(format!(
                "{n} fault(s) in content: quell content check names them"
            ))),
        }
    }
}

fn came(piece: Piece<'_>) -> Came<'_> {
    Came {
        id: piece.name.id(),
        received_at: Timestamp::EPOCH,
        envelope: None,
        reading: piece.reading,
    }
}

/// Tries what is not simply a file as CloudTrail writes it.
fn taken_apart(file: &Path, bytes: &[u8], trial: &mut Trial<'_>) {
    let (records, faults) = records_in(file, bytes);
    records.iter().for_each(|record| drop(trial.add(record)));
    let named = |fault| format!("{}: {fault}", file.display());
    faults.into_iter().for_each(|f| trial.refuse(named(f)));
}

async fn stored(global: &Global, trial: &mut Trial<'_>) -> Result<(), Failure> {
    let app = global.app().await?;
    let mut query = Query::all(Kind::Record)
        .status("done")
        .status("pending")
        .limit(Query::LIMIT_MAX);
    loop {
        let page = app.state.list(&query).await?;
        for document in &page.documents {
            match document.read::<Record>() {
                Ok(record) => drop(trial.add(&record)),
                Err(error) => trial.refuse(error.to_string()),
            }
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// The title and severity of a detection or a correlation.
fn facts<'a>(content: &'a Content, id: &str) -> (&'a str, Severity) {
    let engine = &content.engine;
    let detection = engine.detections().iter().find(|d| d.id == id);
    let correlation = engine.correlations().iter().find(|c| c.id == id);
    let facts = detection.map(|d| (d.title.as_str(), d.severity));
    facts
        .or(correlation.map(|c| (c.title.as_str(), c.severity)))
        .unwrap_or(("", Severity::Informational))
}

fn report(content: &Content, trial: &Trial<'_>, incidents: &[Incident]) -> Value {
    let rule = |(id, count): (&String, &u64)| {
        let (title, severity) = facts(content, id);
        json!({"rule": id, "title": title, "severity": severity, "findings": count})
    };
    let incident = |i: &Incident| {
        json!({
            "title": i.title, "severity": i.severity, "cause": i.cause, "resource": i.resource, "findings": i.finding_count,
            "firstEventAt": i.first_event_at, "lastEventAt": i.last_event_at,
        })
    };
    json!({
        "records": trial.counts, "reasons": trial.reasons, "severities": trial.by_severity,
        "rules": trial.by_rule.iter().map(rule).collect::<Vec<_>>(),
        "incidents": incidents.iter().map(incident).collect::<Vec<_>>(),
        "findingsLeftOut": trial.left_out(), "recordsNotCorrelated": trial.not_correlated,
    })
}

fn text(content: &Content, trial: &Trial<'_>, incidents: &[Incident]) -> String {
    let counts = trial.counts;
    let mut rules: Vec<(&String, &u64)> = trial.by_rule.iter().collect();
    rules.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let row = |(id, count): &(&String, &u64)| {
        vec![
            count.to_string(),
            facts(content, id).1.as_str().to_owned(),
            (*id).clone(),
        ]
    };
    let line = |i: &Incident| {
        vec![
            i.severity.as_str().to_owned(),
            i.finding_count.to_string(),
            i.first_event_at.to_string(),
            i.title.clone(),
        ]
    };
    let severities = Severity::ALL.iter().rev().map(|severity| {
        let count = trial.by_severity.get(severity).copied().unwrap_or_default();
        format!("{count} {}", severity.as_str())
    });
    let mut out = vec![
        format!(
            "{} record(s): {} matched, {} unmatched, {} quarantined",
            counts.accepted, counts.matched, counts.unmatched, counts.quarantined
        ),
        format!("findings: {}", severities.collect::<Vec<_>>().join(", ")),
    ];
    out.extend(
        trial
            .reasons
            .iter()
            .map(|reason| format!("quarantined: {}", crate::output::safe(reason))),
    );
    if !rules.is_empty() {
        out.push(format!(
            "\n{}",
            table(&["findings", "severity", "rule"], rules.iter().map(row))
        ));
    }
    out.push(format!("\n{} incident(s)", incidents.len()));
    if !incidents.is_empty() {
        out.push(table(
            &["severity", "findings", "from", "incident"],
            incidents.iter().map(line),
        ));
    }
    if trial.left_out() > 0 {
        out.push(format!(
            "{} findings are counted, and are in no incident: there were too many to keep",
            trial.left_out()
        ));
    }
    if trial.not_correlated > 0 {
        out.push(format!(
            "{} records were not given to the correlations: there were too many",
            trial.not_correlated
        ));
    }
    out.join("\n")
}
