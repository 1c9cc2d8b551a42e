//! `quell incident`.

use clap::Subcommand;
use quell_model::{Incident, IncidentId, Timestamp};
use quell_respond::{Run, Stage};
use quell_store::Kind;
use serde_json::json;

use super::{Failure, Global};
use crate::app::App;
use crate::output::{safe, table};

/// What happened
#[derive(Subcommand)]
pub enum IncidentCommand {
    /// The newest incidents
    List {
        /// Only those that are open, responding, parked or resolved
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One incident: its timeline and what was done
    Show {
        /// Its id (inc-…)
        id: IncidentId,
    },
}

impl IncidentCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        match self {
            Self::List { status, limit } => {
                let incidents: Vec<Incident> = app.newest(Kind::Incident, status, limit).await?;
                global.output.print(&incidents, |list| rows(list));
            }
            Self::Show { id } => {
                let (incident, runs) = read(&app, &id).await?;
                let value = json!({"incident": incident, "runs": runs, "timeline": timeline(&incident, runs.last())});
                global.output.print(&value, |_| show(&incident, &runs));
            }
        }
        Ok(())
    }
}

fn rows(incidents: &[Incident]) -> String {
    if incidents.is_empty() {
        return "no incidents".to_owned();
    }
    table(
        &[
            "incident",
            "status",
            "severity",
            "account",
            "region",
            "what",
            "findings",
            "detected",
            "why it stands so",
        ],
        incidents.iter().map(|i| {
            vec![
                i.id.to_string(),
                i.status.as_str().to_owned(),
                format!("{:?}", i.severity),
                i.resource.account.clone(),
                i.resource.region.clone(),
                i.title.clone(),
                i.finding_count.to_string(),
                i.detected_at.to_string(),
                i.status_reason
                    .clone()
                    .unwrap_or_default()
                    .chars()
                    .take(120)
                    .collect(),
            ]
        }),
    )
}

/// An incident with its runs, first to last.
pub(super) async fn read(app: &App, id: &IncidentId) -> Result<(Incident, Vec<Run>), Failure> {
    let document = app.state.get(Kind::Incident, id.as_str()).await?;
    let document = document.ok_or_else(|| Failure::Denied(format!("there is no incident {id}")))?;
    let incident: Incident = document.read()?;
    let mut runs = Vec::new();
    for run in &incident.runs {
        if let Some(document) = app.state.get(Kind::Run, run.as_str()).await? {
            runs.push(document.read()?);
        }
    }
    Ok((incident, runs))
}

/// What happened when: the stage, the moment, and milliseconds since the first.
pub(super) fn timeline(incident: &Incident, run: Option<&Run>) -> Vec<(&'static str, Timestamp)> {
    let mut out = vec![
        ("opened", incident.first_event_at),
        ("recorded", incident.received_at),
        ("detected", incident.detected_at),
    ];
    let stages = [
        ("planned", Stage::Planned),
        ("permitted", Stage::Permitted),
        ("revoked", Stage::Acted),
        ("verified", Stage::Verified),
    ];
    out.extend(
        stages
            .into_iter()
            .filter_map(|(word, stage)| Some((word, run?.reached(stage)?))),
    );
    out
}

/// A timeline as a table.
pub(super) fn timeline_table(timeline: &[(&'static str, Timestamp)]) -> String {
    let first = timeline.first().map(|(_, at)| *at).unwrap_or_default();
    let rows = timeline.iter().map(|(word, at)| {
        vec![
            (*word).to_owned(),
            at.to_string(),
            format!("{} ms", at.millis_since(first)),
        ]
    });
    table(&["stage", "at", "after"], rows)
}

fn show(incident: &Incident, runs: &[Run]) -> String {
    let mut out = format!(
        "{}  {}  {:?}\n{}\n{}\n",
        incident.id,
        incident.status.as_str(),
        incident.severity,
        safe(&incident.title),
        incident.resource.arn
    );
    if let Some(reason) = &incident.status_reason {
        out.push_str(&format!("why it stands so: {}\n", safe(reason)));
    }
    for related in &incident.related {
        out.push_str(&format!("others acted on the same resource: {related}\n"));
    }
    out.push_str(&format!(
        "\n{}\n",
        timeline_table(&timeline(
            incident,
            runs.iter().rev().find(|r| r.undo_of.is_none())
        ))
    ));
    out.push_str("\n(CloudTrail gives the moment of the event in whole seconds.)\n\n");
    out.push_str(&super::run::rows(runs));
    out
}

/// Waits until a run of an incident has ended or parked, or the time is over.
pub(super) async fn wait_for_run(
    app: &App,
    id: &quell_model::RunId,
    seconds: u64,
) -> Result<Run, Failure> {
    let rounds = seconds.saturating_mul(10).max(1);
    for _ in 0..rounds {
        if let Some(document) = app.state.get(Kind::Run, id.as_str()).await? {
            let run: Run = document.read()?;
            if run.status != quell_respond::RunStatus::Running {
                return Ok(run);
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(Failure::Remote(format!(
        "{id} has not ended in {seconds} s; `quell run show {id}` says how it stands"
    )))
}
