//! `quell playbook show|promote|demote`.

use std::sync::Arc;

use quell_guard::Level;
use quell_model::{Incident, RunId, Timestamp, Verdict};
use quell_respond::{Mode, Playbook, Run, RunStatus};
use quell_store::Kind;
use serde::Serialize;
use serde_json::json;

use super::summary;
use crate::app::App;
use crate::backtest::{Gatherer, Report, Window};
use crate::commands::undo::person;
use crate::commands::{Failure, Global};
use crate::measures::{Ended, runs_since};
use crate::orders::promotions::{self, Promotion};
use crate::output::{note, safe};

/// How a playbook stands with its gate.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    required: bool,
    /// The promotion, when there is one.
    promotion: Option<Promotion>,
    /// Whether it was given to the playbook as it is now.
    holds: bool,
    /// The clean runs there are, the newest first.
    clean_runs: Vec<RunId>,
    clean_runs_wanted: usize,
    /// What is missing, a sentence each.
    missing: Vec<String>,
}

/// Runs older than this say nothing of the playbook as it is.
const RUNS_MILLIS: i64 = 365 * 86_400_000;

async fn standing(app: &App, playbook: &Playbook) -> Result<Standing, Failure> {
    let wanted = &app.config.respond.promotion;
    let promotion = promotions::of(&*app.state, &playbook.id).await?;
    let holds = promotion
        .as_ref()
        .is_some_and(|p| p.digest == playbook.digest);
    let clean_runs = clean_runs(app, playbook).await?;
    let mut missing = Vec::new();
    if let Some(was) = promotion.as_ref().filter(|_| !holds) {
        missing.push(format!(
            "{} was promoted, and its files have changed since",
            was.version
        ));
    }
    let more = wanted.clean_runs.saturating_sub(clean_runs.len());
    if more > 0 && !holds {
        missing.push(format!(
            "{more} more clean run(s) of these files, verified and not taken back (there are {} of {})",
            clean_runs.len(),
            wanted.clean_runs
        ));
    }
    if !holds {
        missing.push(format!(
            "a clean backtest over the stored events of {} days, and a person's word: quell playbook promote {} --reason …",
            wanted.backtest_days, playbook.id
        ));
    }
    Ok(Standing {
        required: wanted.required,
        promotion,
        holds,
        clean_runs,
        clean_runs_wanted: wanted.clean_runs,
        missing,
    })
}

/// The runs of the playbook as it is that changed something, were verified, were not taken back, and were no false alarm.
async fn clean_runs(app: &App, playbook: &Playbook) -> Result<Vec<RunId>, Failure> {
    let since = app.clock.now().plus_millis(-RUNS_MILLIS);
    let mut out = Vec::new();
    for run in runs_since(&*app.state, since).await? {
        let is_clean = run.playbook == playbook.id
            && run.playbook_digest == playbook.digest
            && run.mode == Mode::Respond
            && run.parent.is_none()
            && run.status == RunStatus::Done
            && Ended::of(&run) == Ended::Verified;
        if is_clean && !was_false_alarm(app, &run).await? {
            out.push(run.id);
        }
    }
    Ok(out)
}

async fn was_false_alarm(app: &App, run: &Run) -> Result<bool, Failure> {
    let stored = app.state.get(Kind::Incident, run.incident.as_str()).await?;
    let incident: Option<Incident> = stored.map(|document| document.read()).transpose()?;
    let said = incident.and_then(|incident| incident.disposition);
    Ok(said.is_some_and(|said| said.verdict == Verdict::False))
}

/// What a playbook is, how far it goes here, and what is missing.
pub(super) async fn show(global: &Global, app: &App, playbook: &Playbook) -> Result<(), Failure> {
    let standing = standing(app, playbook).await?;
    let [production, elsewhere] = app.levels(playbook).await;
    let facts = summary(playbook, &app.content.detections_of(&playbook.id));
    let value = json!({
        "playbook": facts, "digest": playbook.digest, "levelMax": app.config.respond.level_max,
        "levelInEffectProduction": production, "levelInEffectNonProduction": elsewhere, "gate": standing,
    });
    global.output.print(&value, |_| {
        let mut out = vec![
            format!("{} {}  {}\n{}", playbook.id, playbook.version, playbook.name, playbook.summary),
            format!("for {}", playbook.resource_types.join(", ")),
            format!(
                "level: {} in production, {} elsewhere; here at most {}; in effect {production} and {elsewhere}",
                playbook.level.production, playbook.level.non_production, app.config.respond.level_max
            ),
        ];
        if let Some(p) = standing.promotion.as_ref().filter(|_| standing.holds) {
            out.push(format!("promoted by {} at {}: {}", safe(&p.by), p.at, safe(&p.reason)));
        }
        let may = playbook.level.production.max(playbook.level.non_production) > Level::Approve;
        if standing.required && may && !standing.holds {
            out.push("it asks a person until it is promoted; what is missing:".to_owned());
            out.extend(standing.missing.iter().map(|what| format!("  {what}")));
        }
        out.join("\n")
    });
    Ok(())
}

/// Promotes a playbook, when it shows what the settings want.
pub(super) async fn promote(
    global: &Global,
    app: &Arc<App>,
    playbook: &Playbook,
    reason: String,
) -> Result<(), Failure> {
    let now = app.clock.now();
    let wanted = &app.config.respond.promotion;
    let runs = clean_runs(app, playbook).await?;
    let report = backtest(app, playbook, now).await?;
    let mut missing = report.unclean.clone();
    if report.counts.records == 0 {
        missing.push("no event is stored to try it on".to_owned());
    }
    if runs.len() < wanted.clean_runs {
        missing.push(format!(
            "{} of {} clean runs",
            runs.len(),
            wanted.clean_runs
        ));
    }
    if !missing.is_empty() {
        return Err(Failure::Check(format!(
            "{} is not promoted: {}",
            playbook.id,
            missing.join("; ")
        )));
    }
    let promotion = Promotion {
        playbook: playbook.id.clone(),
        version: playbook.version.clone(),
        digest: playbook.digest.clone(),
        backtest: report.digest,
        since: report.since,
        records: report.counts.records,
        is_reconstructed: report.is_reconstructed,
        runs: runs.into_iter().take(RUNS_KEPT_MAX).collect(),
        by: person(),
        at: now,
        reason,
    };
    promotions::promote(&*app.state, &promotion).await?;
    global.output.print(&promotion, |p| {
        let tried = match p.is_reconstructed {
            true => "",
            false => " (triggers and guards alone: events do not tell the state that it reads)",
        };
        format!(
            "{} {} may act by itself as far as its level allows: {} clean run(s), a clean backtest over {} record(s){tried}",
            p.playbook,
            p.version,
            p.runs.len(),
            p.records
        )
    });
    Ok(())
}

/// The runs that a promotion names: more would show nothing more.
const RUNS_KEPT_MAX: usize = 20;

async fn backtest(app: &Arc<App>, playbook: &Playbook, now: Timestamp) -> Result<Report, Failure> {
    let days = i64::from(app.config.respond.promotion.backtest_days);
    let window = Window {
        since: now.plus_millis(days.saturating_mul(-86_400_000)),
        until: now,
        level_max: Level::Auto,
    };
    let mut gatherer = Gatherer::new(app, playbook, &window);
    gatherer.add_stored().await?;
    Ok(gatherer.report().await?)
}

/// Takes the promotion back.
pub(super) async fn demote(app: &App, playbook: &Playbook) -> Result<(), Failure> {
    promotions::demote(&*app.state, &playbook.id, &person(), app.clock.now()).await?;
    note(&format!("{} asks a person from now on", playbook.id));
    Ok(())
}
