//! Runs: the loop that finds them, and the driver that carries one to its end.
//!
//! Every step is: append to the log what is about to happen, make it durable, do it, append what came of it. A
//! crash anywhere is a replay of the log ([`quell_respond::Flow::apply`]); an intent without an outcome is given back to the
//! document as `Quell.Interrupted`, and the document reads before it does anything again.

mod driver;
mod dry;
mod effects;
mod finish;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use quell_model::RunId;
use quell_store::{Kind, Query, StoreError};
use tokio::sync::{Mutex, Semaphore};

pub use driver::drive_to_end;
pub use dry::{Dry, dry_run};

use super::Tasks;
use crate::app::App;

/// Looked for even when nobody rang: runs that another process began.
const POLL: Duration = Duration::from_millis(250);
/// Parked runs are looked at this often: their approval may have expired.
const PARKED_EVERY: u32 = 40;

pub(super) async fn run(app: Arc<App>, tasks: Tasks) {
    let places = Arc::new(Semaphore::new(app.config.respond.runs_at_once.max(1)));
    let active = Arc::new(Mutex::new(BTreeSet::new()));
    let mut round: u32 = 0;
    loop {
        let parked_too = round.is_multiple_of(PARKED_EVERY);
        match waiting(&app, parked_too).await {
            Ok(ids) => {
                for id in ids {
                    start_one(&app, &tasks, &places, &active, id).await;
                }
            }
            Err(error) => tracing::error!(%error, "runs cannot be listed"),
        }
        drop(tokio::time::timeout(POLL, app.runs.notified()).await);
        round = round.wrapping_add(1);
    }
}

async fn waiting(app: &App, parked_too: bool) -> Result<Vec<RunId>, StoreError> {
    let mut query = Query::all(Kind::Run)
        .status("running")
        .limit(Query::LIMIT_MAX);
    if parked_too {
        query = query.status("parked");
    }
    let page = app.state.list(&query).await?;
    let live = page.documents.iter().filter_map(|d| {
        let run: quell_respond::Run = d.read().ok()?;
        run.outcome.is_none().then_some(run.id)
    });
    Ok(live.collect())
}

async fn start_one(
    app: &Arc<App>,
    tasks: &Tasks,
    places: &Arc<Semaphore>,
    active: &Arc<Mutex<BTreeSet<RunId>>>,
    id: RunId,
) {
    if !active.lock().await.insert(id.clone()) {
        return;
    }
    let (app, places, active) = (app.clone(), places.clone(), active.clone());
    tasks.start_orderly("run", async move {
        let _place = places.acquire().await;
        if let Err(error) = driver::drive(&app, &id).await {
            // It stays as it is in the store, and is taken up again in the next round.
            tracing::warn!(run = %id, %error, "a run was interrupted; it goes on from its log");
        }
        active.lock().await.remove(&id);
    });
}
