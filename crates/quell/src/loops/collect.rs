//! Collecting: receive, make durable, acknowledge. In that order, for every source.

use std::sync::Arc;
use std::time::Duration;

use quell_collect::{FolderSource, QueueSource, Source, accept};

use super::Tasks;
use crate::app::App;

/// A source that fails is tried again, ever more slowly.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How often a folder is looked at.
const FOLDER_PAUSE: Duration = Duration::from_millis(500);

pub(super) fn start(app: &Arc<App>, tasks: &Tasks) {
    if let Some(aws) = &app.aws {
        for url in &app.config.collect.queues {
            let source = QueueSource::new(
                aws.home_session(),
                url.clone(),
                app.config.collect.wait_seconds,
            );
            tasks.start_orderly("collect", run(app.clone(), Box::new(source)));
        }
    }
    let folder = app
        .config
        .collect
        .folder
        .clone()
        .unwrap_or_else(|| app.config.data.join("drop"));
    match std::fs::create_dir_all(&folder) {
        Ok(()) => {
            let source = FolderSource::new(folder, app.state.clone(), FOLDER_PAUSE);
            tasks.start_orderly("collect", run(app.clone(), Box::new(source)));
        }
        Err(error) => {
            tracing::error!(folder = %folder.display(), %error, "the drop folder cannot be made; it is left out")
        }
    }
}

/// Until everything stops, and never in the middle of a receive: a queue would hand its messages to a connection that
/// nobody reads any more, and hide them for as long as their visibility lasts.
async fn run(app: Arc<App>, mut source: Box<dyn Source>) {
    let mut pause = PAUSE_FIRST;
    while !app.stop.is_cancelled() {
        match once(&app, source.as_mut()).await {
            Ok(()) => pause = PAUSE_FIRST,
            Err(error) => {
                tracing::warn!(source = source.name(), %error, retry_in = ?pause, "collecting failed");
                drop(tokio::time::timeout(pause, app.stop.cancelled()).await);
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

async fn once(app: &App, source: &mut dyn Source) -> Result<(), quell_collect::CollectError> {
    for delivery in source.receive(&*app.clock).await? {
        let accepted = accept(&*app.state, &delivery.records, &delivery.quarantined).await?;
        for q in &delivery.quarantined {
            tracing::warn!(
                source = source.name(),
                reason = q.reason,
                "something unreadable was put aside"
            );
        }
        tracing::debug!(source = source.name(), ?accepted, "a delivery is durable");
        app.records.notify_one();
        source.acknowledge(delivery).await?;
    }
    Ok(())
}
