//! The audit log's keeper at work.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

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
