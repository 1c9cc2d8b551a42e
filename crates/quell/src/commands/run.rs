//! `quell run`.

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use quell_evidence::Act;
use quell_model::RunId;
use quell_respond::Run;
use quell_store::Kind;
use serde_json::{Value, json};

use super::undo::person;
use super::{Failure, Global};
use crate::app::App;
use crate::audit;
use crate::loops::drive_to_end;
use crate::output::{safe, table};
use crate::runner::signal;

/// What was done about it
#[derive(Subcommand)]
pub enum RunCommand {
    /// The newest runs
    List {
        /// Only those that are running, parked, done or undone
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One run: its plan, its log, its receipts
    Show {
        /// Its id (run-…)
        id: RunId,
    },
    /// Stop one: nothing more is begun for it, and a person has to look at what it did
    Stop {
        /// Its id (run-…)
        id: RunId,
        /// Why, for whoever looks at it
        #[arg(long, default_value = "no reason was given")]
        reason: String,
    },
}

/// How often, and how many times, a stopped run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS_MAX: usize = 300;
/// It is carried here for so long at most.
const CARRY_MAX: Duration = Duration::from_secs(30);
const LOG_ENTRIES_SHOWN: usize = 5_000;

impl RunCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        match self {
            Self::List { status, limit } => {
                let runs: Vec<Run> = app.newest(Kind::Run, status, limit).await?;
                global.output.print(&runs, |list| rows(list));
            }
            Self::Stop { id, reason } => {
                let cause = format!("stopped by {}: {reason}", person());
                let now = app.clock.now();
                let details = json!({"reason": reason});
                let told = audit::entry(now, Act::StopAsked, &person(), id.as_str(), details);
                let with = vec![audit::write(&told)?];
                signal::stop(&*app.state, &id, "Quell.Stopped", &cause, now, with).await?;
                app.runs.notify_one();
                let run = stopped(&app, &id).await?;
                global
                    .output
                    .print(&run, |run| rows(std::slice::from_ref(run)));
            }
            Self::Show { id } => {
                let document = app.state.get(Kind::Run, id.as_str()).await?;
                let document =
                    document.ok_or_else(|| Failure::Denied(format!("there is no run {id}")))?;
                let run: Run = document.read()?;
                let entries = app
                    .state
                    .read_log(id.as_str(), 0, LOG_ENTRIES_SHOWN)
                    .await?;
                let log: Vec<Value> = entries
                    .iter()
                    .map(|e| json!({"seq": e.seq, "at": e.at, "entry": serde_json::from_str::<Value>(&e.body).unwrap_or_default()}))
                    .collect();
                let evidence = app.state.get(Kind::Evidence, id.as_str()).await?;
                let evidence: Option<Value> = evidence.map(|d| d.read()).transpose()?;
                let sealed = evidence
                    .as_ref()
                    .and_then(|e| e.get("sha256"))
                    .and_then(Value::as_str);
                let hash = run.plan.as_ref().map(quell_model::Plan::hash);
                let value = json!({"run": run, "planHash": hash, "evidence": evidence, "log": log});
                global.output.print(&value, |_| show(&run, &log, sealed));
            }
        }
        Ok(())
    }
}

/// The run when it has ended: by whoever carries runs, or here when nobody does.
async fn stopped(app: &Arc<App>, id: &RunId) -> Result<Run, Failure> {
    for _ in 0..LOOKS_MAX {
        if app.claims.others().await? == 0 {
            // It ends at once, unless another run has its resource; then that one has to end first.
            let carried = tokio::time::timeout(CARRY_MAX, drive_to_end(app, id));
            carried.await.unwrap_or(Ok(())).map_err(Failure::Remote)?;
        }
        let document = app.state.get(Kind::Run, id.as_str()).await?;
        let run: Option<Run> = document.map(|d| d.read()).transpose()?;
        if let Some(run) = run.filter(|run| run.outcome.is_some()) {
            return Ok(run);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::Remote(format!(
        "{id} is told to stop; it has not done so yet: `quell run show {id}` says how it stands"
    )))
}

/// Runs as a table.
pub(super) fn rows(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "no runs".to_owned();
    }
    table(
        &[
            "run", "playbook", "mode", "status", "outcome", "resource", "reason",
        ],
        runs.iter().map(|r| {
            vec![
                r.id.to_string(),
                r.playbook.clone(),
                format!("{:?}", r.mode).to_lowercase(),
                r.status.as_str().to_owned(),
                r.outcome.clone().unwrap_or_default(),
                r.resource.id.clone(),
                r.reason
                    .clone()
                    .unwrap_or_default()
                    .chars()
                    .take(160)
                    .collect(),
            ]
        }),
    )
}

fn show(run: &Run, log: &[Value], sealed: Option<&str>) -> String {
    let mut out = rows(std::slice::from_ref(run));
    if let Some(plan) = &run.plan {
        out.push_str(&format!(
            "\n\nplan {}\n{}\n{}",
            plan.hash(),
            super::playbook::plan_table(plan),
            super::playbook::proof_text(run.proof.as_ref())
        ));
    }
    if run.status == quell_respond::RunStatus::Parked && run.outcome.is_none() {
        let hash = run
            .plan
            .as_ref()
            .map(quell_model::Plan::hash)
            .unwrap_or_default();
        out.push_str(&format!(
            "\nit waits for a person; to say yes to this plan:  quell approve {} --plan {hash}\n",
            run.id
        ));
    }
    if let Some(reason) = &run.reason {
        out.push_str(&format!(
            "\n{}\n",
            drift(reason).unwrap_or_else(|| safe(reason))
        ));
    }
    if let Some(sealed) = sealed {
        out.push_str(&format!("\nevidence: sha256 {sealed}"));
    }
    out.push_str(&format!(
        "\nlog: {} entries (--output json shows them)",
        log.len()
    ));
    out
}

/// A reason that is a three-way difference, drawn; `None` for other reasons.
pub(super) fn drift(reason: &str) -> Option<String> {
    let value: Value = serde_json::from_str(reason).ok()?;
    let list = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let rule = |r: &Value| {
        let r = r.get("live").unwrap_or(r);
        let text = |name: &str| {
            r.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let number = |name: &str| {
            r.get(name)
                .and_then(Value::as_i64)
                .map(|n| n.to_string())
                .unwrap_or_default()
        };
        let source = ["CidrIpv4", "CidrIpv6", "PrefixListId"].map(text).concat();
        let group = r
            .pointer("/ReferencedGroupInfo/GroupId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        vec![
            text("SecurityGroupRuleId"),
            if r.get("IsEgress") == Some(&Value::Bool(true)) {
                "out"
            } else {
                "in"
            }
            .to_owned(),
            text("IpProtocol"),
            format!("{}–{}", number("FromPort"), number("ToPort")),
            format!("{source}{group}"),
            text("Description"),
        ]
    };
    let mut rows = Vec::new();
    for (name, word) in [
        ("added", "added since"),
        ("removed", "gone since"),
        ("changed", "changed since"),
    ] {
        rows.extend(
            list(name)
                .iter()
                .map(|r| [vec![word.to_owned()], rule(r)].concat()),
        );
    }
    if rows.is_empty() {
        return None;
    }
    let headings = [
        "difference",
        "rule",
        "way",
        "protocol",
        "ports",
        "source",
        "description",
    ];
    Some(format!(
        "compared with what the run left behind:\n{}",
        table(&headings, rows)
    ))
}
