//! The audit log's keeper at work.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::audit::Locker;

/// An entry waits no longer than this before a checkpoint stands for it.
const EVERY: Duration = Duration::from_millis(500);
/// What cannot be done now is tried again after this. Entries are durable meanwhile.
const PAUSE: Duration = Duration::from_secs(15);

pub(super) async fn run(app: Arc<App>) {
    let keeper = loop {
        match app.keeper().await {
            Ok(keeper) => break keeper,
            Err(error) => tracing::error!(%error, "the audit log is not being signed"),
        }
        tokio::time::sleep(PAUSE).await;
    };
    loop {
        match keeper.gather_all().await {
            Ok(()) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::error!(%error, "the audit log waits for a moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What was captured is in the bucket after this, when nothing is wrong.
const LOCK_EVERY: Duration = Duration::from_secs(2);

/// Copies evidence into the bucket of the settings, if there is one. The log itself goes on meanwhile.
pub(super) async fn lock(app: Arc<App>) {
    let Some(lock) = app.config.evidence.lock.clone() else {
        return;
    };
    let Some(aws) = &app.aws else {
        return tracing::error!("evidence.lock is set, and there are no AWS credentials for it");
    };
    let (state, clock) = (app.state.clone(), app.clock.clone());
    let locker = Locker::new(state, clock, aws.home_session(), lock);
    loop {
        match locker.lock_all().await {
            Ok(()) => tokio::time::sleep(LOCK_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "evidence waits to be locked");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
