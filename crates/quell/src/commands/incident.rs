//! `quell incident`.

use std::collections::BTreeMap;

use clap::Subcommand;
use quell_model::{Incident, IncidentId, Timestamp, Verdict};
use quell_respond::{Run, Stage};
use quell_store::{Kind, Query};
use quell_triage::{Clock, Counts, INCIDENTS_MAX, Kpis, clocks, kpis};
use serde_json::json;

use super::{Failure, Global};
use crate::app::App;
use crate::output::{safe, table};

/// What happened
#[derive(Subcommand)]
pub enum IncidentCommand {
    /// The newest incidents
    List {
        /// Only those that are open, responding, parked, contained or resolved
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Say what an incident was, and close it
    ///
    /// What a playbook contained stays contained: `quell undo` lets it go.
    Close {
        /// Its id (inc-…)
        id: IncidentId,
        /// true: an attack or a violation; benign-true: it happened and was meant; false: it did not happen
        #[arg(long = "as", value_name = "VERDICT")]
        verdict: ClosedAs,
        /// Why, for whoever looks at it later
        #[arg(long, default_value = "")]
        note: String,
    },
    /// How fast incidents were found and dealt with, and what became of them
    Stats {
        /// Of the last so many days
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// One incident: its timeline and what was done
    Show {
        /// Its id (inc-…)
        id: IncidentId,
    },
}

/// What an incident was.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum ClosedAs {
    /// It happened, and it was an attack or a violation
    True,
    /// It happened as it was found, and was meant
    BenignTrue,
    /// What was found did not happen
    False,
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
                let clocks = clocks(&incident, &app.config.triage.sla, app.clock.now());
                let value = json!({"incident": incident, "runs": runs, "timeline": timeline(&incident, runs.last()), "clocks": clocks});
                global.output.print(&value, |_| {
                    format!("{}\n\n{}", show(&incident, &runs), clock_table(&clocks))
                });
            }
            Self::Close { id, verdict, note } => {
                let verdict = match verdict {
                    ClosedAs::True => Verdict::True,
                    ClosedAs::BenignTrue => Verdict::BenignTrue,
                    ClosedAs::False => Verdict::False,
                };
                let incident = app
                    .judge(&id, verdict, &note, &super::undo::person())
                    .await?;
                global.output.print(&incident, |i| {
                    format!("{} is closed: {}", i.id, verdict.as_str())
                });
            }
            Self::Stats { days } => {
                let since = app
                    .clock
                    .now()
                    .plus_millis(-i64::from(days).saturating_mul(86_400_000));
                let incidents = since_then(&app, since).await?;
                let kpis = kpis(incidents.iter());
                let value = json!({"days": days, "kpis": kpis});
                global.output.print(&value, |_| stats(&kpis, days));
            }
        }
        Ok(())
    }
}

/// The incidents that were detected since then, the newest first.
pub(super) async fn since_then(app: &App, since: Timestamp) -> Result<Vec<Incident>, Failure> {
    let mut query = Query::all(Kind::Incident).newest().limit(Query::LIMIT_MAX);
    let mut out: Vec<Incident> = Vec::new();
    loop {
        let page = app.state.list(&query).await?;
        let some: Vec<Incident> = page.read()?;
        let enough = some.last().is_none_or(|last| last.detected_at < since);
        out.extend(some.into_iter().filter(|i| i.detected_at >= since));
        match page.next {
            Some(next) if !enough && out.len() < INCIDENTS_MAX => query.cursor = Some(next),
            _ => return Ok(out),
        }
    }
}

fn clock_table(clocks: &[Clock]) -> String {
    let rows = clocks.iter().map(|clock| {
        let standing = serde_json::to_value(clock.standing).unwrap_or_default();
        vec![
            clock.stage.to_owned(),
            clock.due.to_string(),
            clock.reached.map(|at| at.to_string()).unwrap_or_default(),
            standing.as_str().unwrap_or_default().to_owned(),
        ]
    });
    table(&["clock", "due", "reached", "stands"], rows)
}

fn stats(kpis: &Kpis, days: u32) -> String {
    let shown = |seconds: Option<f64>| seconds.map_or("–".to_owned(), |s| format!("{s:.1} s"));
    let stages = [
        ("detect (MTTD)", kpis.detect),
        ("acknowledge", kpis.acknowledge),
        ("contain", kpis.contain),
        ("resolve (MTTR)", kpis.resolve),
    ];
    let times = stages.map(|(stage, t)| {
        let cells = [
            stage.to_owned(),
            t.n.to_string(),
            shown(t.mean_seconds),
            shown(t.p50_seconds),
            shown(t.p90_seconds),
        ];
        cells.to_vec()
    });
    let judged = match kpis.false_positive_rate {
        Some(rate) => format!(
            "{} judged, {:.1} % of them false",
            kpis.judged,
            rate * 100.0
        ),
        None => "none is judged: `quell incident close` says what one was".to_owned(),
    };
    format!(
        "{} incident(s) in {days} day(s); {judged}\n\n{}\n\n{}",
        kpis.incidents,
        table(
            &["stage", "n", "mean", "half within", "nine of ten within"],
            times.into_iter()
        ),
        category_table(&kpis.categories),
    )
}

/// What became of the incidents, by category.
pub(super) fn category_table(categories: &BTreeMap<String, Counts>) -> String {
    let counts = categories.iter().map(|(category, c)| {
        let numbers = [c.detections, c.automatic, c.manual, c.false_positives];
        let numbers = numbers.map(|n| n.to_string());
        [category.clone()].into_iter().chain(numbers).collect()
    });
    let head = [
        "category",
        "incidents",
        "automatic",
        "with a person",
        "false",
    ];
    table(&head, counts)
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
