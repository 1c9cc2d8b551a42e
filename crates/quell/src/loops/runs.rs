//! Runs of playbooks: what the runner ([`crate::runner`]) is told of them.
//!
//! A crash anywhere is a replay of the log ([`quell_respond::Flow::apply`]); an intent without an outcome is given
//! back to the document as `Quell.Interrupted`, and the document reads before it does anything again.

mod budget;
mod dry;
mod effects;
mod finish;
mod frame;
mod nested;
mod perform;
mod request;

use std::sync::Arc;

use quell_model::RunId;
use quell_respond::{Run, Stage};
use quell_store::{Batch, Kind, Query, StoreError};

pub(crate) use budget::limits;
pub(super) use dry::dry_run_of;
pub use dry::{Dry, dry_run, read_image};
pub(crate) use frame::new_flow;

use self::frame::Frame;
use super::Tasks;
use crate::app::App;
use crate::random::NoRandomness;
use crate::runner::{Limits, Runner, wake};

/// Tasks of one run that are under way at once.
const TASKS_AT_ONCE: usize = 32;

pub(super) async fn run(app: Arc<App>, tasks: Tasks) {
    let runner = match (runner(&app), adopt(&app).await) {
        (Ok(runner), Ok(())) => runner,
        (Err(error), _) => return tracing::error!(%error, "no runs are carried"),
        (_, Err(error)) => return tracing::error!(%error, "no runs are carried"),
    };
    Arc::new(runner).run(tasks).await;
}

fn runner(app: &Arc<App>) -> Result<Runner<Frame>, NoRandomness> {
    Runner::new(
        Frame { app: app.clone() },
        app.state.clone(),
        app.clock.clone(),
        app.runs.clone(),
        app.stop.clone(),
        Limits {
            runs_at_once: app.config.respond.runs_at_once,
            tasks_at_once: TASKS_AT_ONCE,
        },
        app.claims.clone(),
    )
}

/// Runs that an older version began have no moment at which they are looked at: they get one.
async fn adopt(app: &App) -> Result<(), StoreError> {
    let mut query = Query::all(Kind::Run)
        .status("running")
        .status("parked")
        .limit(Query::LIMIT_MAX);
    loop {
        let page = app.state.list(&query).await?;
        let mut batch = Batch::new();
        for run in page.read::<Run>()?.iter().filter(|r| r.outcome.is_none()) {
            let at = run.reached(Stage::Opened).unwrap_or_default();
            batch.push(wake::first(&run.id, &run.resource.account, at)?);
        }
        if !batch.is_empty() {
            app.state.commit(batch).await?;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// The command line's way to carry a run when no server is up: this process is a carrier while it does.
///
/// # Errors
/// What stopped it, in words.
pub async fn drive_to_end(app: &Arc<App>, id: &RunId) -> Result<(), String> {
    let runner = runner(app).map_err(|e| e.to_string())?;
    app.claims.join().await.map_err(|e| e.to_string())?;
    let carried = tokio::select! {
        carried = runner.carry_on(id) => carried.map(drop),
        () = app.claims.keep() => Ok(()),
    };
    app.claims.leave().await;
    carried.map_err(|e| e.to_string())
}

#[cfg(test)]
mod activity_tests;
#[cfg(test)]
mod moto_tests;
#[cfg(test)]
mod nested_tests;
#[cfg(test)]
mod orders_tests;
#[cfg(test)]
mod test_content;
