//! `quell backtest`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use quell_guard::Level;
use quell_model::Timestamp;

use super::rule::records::{bytes, files, records_in};
use super::when::past;
use super::{Failure, Global};
use crate::app::App;
use crate::backtest::{Act, BacktestError, Gatherer, Report, Window};
use crate::output::{safe, table};

/// What a playbook would have done: over the records that are stored, or files of them. Changes nothing, and asks AWS nothing
///
/// The playbook's own document runs on what the events tell, and the guard decides with the settings of now and with the exceptions and
/// freezes of then. docs/backtest.md says what can be known in this way, and what cannot.
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell backtest PB-008                          the records of the last 30 days that are stored here
  quell backtest PB-008 --since 90d --output json | jq .totals
  quell backtest PB-008 logs/                    a folder of CloudTrail files (gz too)

Exit code 1 when the backtest is not clean: the last lines say why.")]
pub struct Backtest {
    /// The playbook's id (PB-008)
    playbook: String,
    /// Files with records, or folders of them, instead of those that are stored; - is standard input
    records: Vec<PathBuf>,
    /// Events from then on: a moment (2026-12-24T18:00:00Z) or so long ago (90d) [default: 30d; all, of files]
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Events before that [default: now]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// How far it may go by itself, at most; its own level counts as well
    #[arg(long, value_enum, default_value = "auto")]
    level: Most,
}

/// A level, on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Most {
    Observe,
    Suggest,
    Approve,
    AutoWithUndo,
    Auto,
}

impl From<Most> for Level {
    fn from(most: Most) -> Self {
        match most {
            Most::Observe => Self::Observe,
            Most::Suggest => Self::Suggest,
            Most::Approve => Self::Approve,
            Most::AutoWithUndo => Self::AutoWithUndo,
            Most::Auto => Self::Auto,
        }
    }
}

impl From<BacktestError> for Failure {
    fn from(error: BacktestError) -> Self {
        match error {
            BacktestError::TooMany { .. } => Self::Usage(error.to_string()),
            BacktestError::Store(error) => error.into(),
            BacktestError::Broken(_) => Self::Remote(error.to_string()),
        }
    }
}

/// What is stored is looked at for so long when nothing else is said.
const USUALLY: &str = "30d";

impl Backtest {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let report = self.report(&app).await?;
        global.output.print(&report, text);
        match report.unclean.is_empty() {
            true => Ok(()),
            false => Err(Failure::Check(format!(
                "the backtest is not clean: {}",
                report.unclean.join("; ")
            ))),
        }
    }

    async fn report(self, app: &Arc<App>) -> Result<Report, Failure> {
        let now = app.clock.now();
        let moment = |text: &str| past(text, now).map_err(Failure::Usage);
        let since = match self.since.as_deref() {
            Some(text) => moment(text)?,
            None if self.records.is_empty() => moment(USUALLY)?,
            None => Timestamp::EPOCH,
        };
        let until = self.until.as_deref().map_or(Ok(now), moment)?;
        if until <= since {
            return Err(Failure::Usage("--until is not after --since".to_owned()));
        }
        let window = Window {
            since,
            until,
            level_max: self.level.into(),
        };
        let playbook = app.playbook(&self.playbook)?;
        let mut gatherer = Gatherer::new(app, playbook, &window);
        if self.records.is_empty() {
            gatherer.add_stored().await?;
        }
        for path in &self.records {
            for file in files(path)? {
                let bytes = bytes(&file)?;
                gatherer.add(move || records_in(&file, &bytes)).await?;
            }
        }
        Ok(gatherer.report().await?)
    }
}

/// So many are shown; `--output json` has all.
const SHOWN_MAX: usize = 50;

fn text(report: &Report) -> String {
    let (counts, totals) = (&report.counts, &report.totals);
    let [production, elsewhere] = report.levels;
    let mut out = vec![
        format!(
            "{} {}, {} to {}; {production} in production, {elsewhere} elsewhere",
            report.playbook, report.version, report.since, report.until
        ),
        format!(
            "{} record(s), {} of which name it: {} too weak, {} about nothing it is for, {} answered by another; {} outside, {} quarantined",
            counts.records,
            counts.naming,
            counts.too_weak,
            counts.about_nothing,
            counts.answered_by_another,
            counts.outside,
            counts.quarantined
        ),
        format!(
            "{} trigger(s) in {} incident(s): acts {}, asks {}, refused {}, nothing to do {}, fails {}, would have read live state {}, not begun {}, joined one that waits {}",
            totals.triggers,
            totals.incidents,
            totals.acts,
            totals.asks,
            totals.refused,
            totals.nothing,
            totals.fails,
            totals.unknown,
            totals.not_begun,
            totals.joined_waiting
        ),
    ];
    if !report.is_reconstructed {
        out.push("events do not tell the state that this playbook reads: only what begins it, and what stands in its way, is known".to_owned());
    }
    if !report.not_tried.is_empty() {
        out.push(format!("not tried: {}", report.not_tried.join(", ")));
    }
    if !report.guards.is_empty() {
        let word = |guard| {
            serde_json::to_value(guard)
                .ok()
                .and_then(|v| Some(v.as_str()?.to_owned()))
        };
        let each = report.guards.iter();
        let each = each.map(|(guard, n)| format!("{} {n}", word(guard).unwrap_or_default()));
        out.push(format!(
            "stood in its way: {}",
            each.collect::<Vec<_>>().join(", ")
        ));
    }
    if !report.acts.is_empty() {
        let head = [
            "at",
            "resource",
            "came",
            "plan, or why",
            "gone in truth",
            "next",
        ];
        out.push(String::new());
        out.push(table(&head, report.acts.iter().take(SHOWN_MAX).map(row)));
    }
    if report.acts.len() > SHOWN_MAX {
        out.push(format!(
            "… and {} more: --output json",
            report.acts.len() - SHOWN_MAX
        ));
    }
    let untold: std::collections::BTreeSet<&str> = report
        .acts
        .iter()
        .flat_map(|a| &a.would_have_read)
        .map(String::as_str)
        .collect();
    if !untold.is_empty() {
        out.push("\nno event tells, and it would have read:".to_owned());
        out.extend(untold.iter().map(|what| format!("  {}", safe(what))));
    }
    out.push(format!("\ndigest {}", report.digest));
    match report.unclean.is_empty() {
        true => out.push("clean".to_owned()),
        false => out.extend(report.unclean.iter().map(|why| format!("not clean: {why}"))),
    }
    out.join("\n")
}

fn row(act: &Act) -> Vec<String> {
    let moment = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
    let summary = act.plan.get("summary").and_then(serde_json::Value::as_str);
    let why = act.reasons.join("; ");
    let what = match (summary, why.is_empty()) {
        (Some(summary), true) => summary.to_owned(),
        (Some(summary), false) => format!("{summary}: {why}"),
        (None, _) => why,
    };
    vec![
        act.at.to_string(),
        act.resource.arn.to_string(),
        act.came.as_str().to_owned(),
        what,
        moment(act.closed_in_truth_at),
        moment(act.next_begins_at.or(act.held_until)),
    ]
}
