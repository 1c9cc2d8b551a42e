//! `quell undo`.

use std::sync::Arc;

use clap::Args;
use quell_model::RunId;
use quell_respond::{Run, RunStatus};
use quell_server::Desk;
use serde_json::json;

use super::{Failure, Global};
use crate::app::App;
use crate::loops::drive_to_end;
use crate::output::safe;

/// Take a run back: restore exactly what was before, or say what changed since
///
/// It reads the resource first. When it is still as the run left it, the recorded inverse of each call is made, and
/// the result is compared with the before-image. When somebody changed it meanwhile, nothing is done, and the
/// three-way difference is shown (exit code 1).
#[derive(Args)]
pub struct Undo {
    /// The run (run-…)
    run: RunId,
}

/// Undoing takes seconds; an approval or a brake can hold it up.
const WAIT_SECONDS: u64 = 120;
/// How often it is looked at whether others carry runs.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

impl Undo {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let run = app.undo(&self.run, &person()).await?;
        carry_out(global, &app, &run.id).await
    }
}

/// Who sits at the command line.
pub(super) fn person() -> String {
    let name = crate::config::environment("USER").or_else(|| crate::config::environment("LOGNAME"));
    format!(
        "{} (command line)",
        name.unwrap_or_else(|| "somebody".to_owned())
    )
}

/// Waits for whoever carries runs, or carries the run to its end here when nobody does, and prints how it ended.
pub(super) async fn carry_out(global: &Global, app: &Arc<App>, id: &RunId) -> Result<(), Failure> {
    let waited = super::incident::wait_for_run(app, id, WAIT_SECONDS);
    tokio::pin!(waited);
    let run = tokio::select! {
        run = &mut waited => run?,
        // When the last of those who carry runs has gone, this process does.
        nobody = nobody_else(app) => {
            nobody?;
            carry_here(app, id).await?;
            waited.await?
        }
    };
    report(global, &run)
}

/// Until nobody else carries runs.
async fn nobody_else(app: &App) -> Result<(), Failure> {
    while app.claims.others().await? > 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn carry_here(app: &Arc<App>, id: &RunId) -> Result<(), Failure> {
    let no = |e: String| Failure::Remote(e);
    app.claims.join().await.map_err(|e| no(e.to_string()))?;
    let carried = tokio::select! {
        carried = drive_to_end(app, id) => carried,
        () = app.claims.keep() => Ok(()),
    };
    app.claims.leave().await;
    carried.map_err(no)
}

fn report(global: &Global, run: &Run) -> Result<(), Failure> {
    let drift = run.reason.as_deref().and_then(super::run::drift);
    global.output.print(&json!({"run": run}), |_| {
        let outcome = run.outcome.clone().unwrap_or_default();
        let mut text = format!("{}  {}  {outcome}", run.id, run.status.as_str());
        match (&drift, &run.reason) {
            (Some(drift), _) => text.push_str(&format!("\n{drift}")),
            (None, Some(reason)) => text.push_str(&format!("\n{}", safe(reason))),
            (None, None) => {}
        }
        text
    });
    match (run.status, run.outcome.as_deref()) {
        (RunStatus::Done, _) => Ok(()),
        (_, Some("Quell.Drifted")) => {
            Err(Failure::Check("the resource was changed since the run: nothing was done; decide by the difference above".to_owned()))
        }
        _ => Err(Failure::Check(format!("{} waits for a person; `quell run show {}` says why", run.id, run.id))),
    }
}
