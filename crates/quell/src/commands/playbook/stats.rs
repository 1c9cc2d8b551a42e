//! `quell playbook stats`.

use std::collections::BTreeMap;

use quell_respond::Playbook;
use quell_triage::{Kpis, Times, kpis};
use serde::Serialize;

use crate::app::App;
use crate::commands::incident::{category_table, since_then};
use crate::commands::{Failure, Global};
use crate::measures::{Responses, detected, responses, runs_since};
use crate::output::table;
use quell_guard::Level;
use quell_model::Timestamp;

/// What playbooks and incidents came to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats<'a> {
    since: Timestamp,
    playbooks: Vec<Row<'a>>,
    /// As `quell incident stats` counts them.
    categories: &'a BTreeMap<String, quell_triage::Counts>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    playbook: &'a str,
    name: &'a str,
    category: &'a str,
    /// How far it goes by itself here and now, in production and elsewhere.
    level_production: Level,
    level_non_production: Level,
    response_target_seconds: u64,
    #[serde(flatten)]
    responses: Responses,
}

pub(super) async fn run(global: &Global, app: &App, since: Timestamp) -> Result<(), Failure> {
    let runs = runs_since(&*app.state, since).await?;
    let at = detected(&*app.state, &runs).await?;
    let mut all = responses(runs.iter(), |incident| at.get(incident).copied());
    let incidents = since_then(app, since).await?;
    let Kpis { categories, .. } = kpis(incidents.iter());
    let mut playbooks = Vec::new();
    for playbook in app.content.playbooks.values() {
        let responses = all.remove(&playbook.id).unwrap_or_default();
        playbooks.push(row(app, playbook, responses).await);
    }
    let stats = Stats {
        since,
        playbooks,
        categories: &categories,
    };
    global.output.print(&stats, text);
    Ok(())
}

async fn row<'a>(app: &App, playbook: &'a Playbook, responses: Responses) -> Row<'a> {
    let [level_production, level_non_production] = app.levels(playbook).await;
    Row {
        playbook: &playbook.id,
        name: &playbook.name,
        category: &playbook.category,
        level_production,
        level_non_production,
        response_target_seconds: playbook.response_target_seconds,
        responses,
    }
}

fn text(stats: &Stats<'_>) -> String {
    let head = [
        "playbook",
        "level",
        "runs",
        "verified",
        "automatic",
        "approved",
        "manual",
        "nothing",
        "refused",
        "failed",
        "undone",
        "success",
        "p50",
        "p95",
    ];
    let rows = stats.playbooks.iter().map(|row| {
        let r = &row.responses;
        let counts = [
            r.runs,
            r.verified,
            r.automatic,
            r.approved,
            r.manual,
            r.nothing_to_do,
            r.refused,
            r.failed,
            r.undone,
        ];
        let mut out = vec![
            row.playbook.to_owned(),
            format!("{} / {}", row.level_production, row.level_non_production),
        ];
        out.extend(counts.map(|n| n.to_string()));
        out.push(
            r.success_rate
                .map_or("–".to_owned(), |rate| format!("{:.1} %", rate * 100.0)),
        );
        out.extend(shown(&r.response));
        out
    });
    format!(
        "since {}; level in production / elsewhere; times from detection to verified\n\n{}\n\n{}",
        stats.since,
        table(&head, rows),
        category_table(stats.categories)
    )
}

fn shown(times: &Times) -> [String; 2] {
    [times.p50_seconds, times.p95_seconds]
        .map(|seconds| seconds.map_or("–".to_owned(), |s| format!("{s:.1} s")))
}
