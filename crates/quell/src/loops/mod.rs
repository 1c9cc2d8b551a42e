//! The loops: collect, detect, run, serve. The only place that spawns tasks.

mod audit;
mod collect;
mod detect;
mod runs;
mod serve;
mod watch;

pub use detect::work_off;
pub use runs::{Dry, drive_to_end, dry_run, read_image};
pub(crate) use runs::{limits, new_flow};
pub use serve::bind;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::claims::ClaimError;

/// The tasks of this process: named, stopped together, waited for.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// So long an orderly task may take to come to its next good place to stop. What is cut off then is in the log.
const GRACE: Duration = Duration::from_secs(25);

impl Tasks {
    /// Tasks that stop when `stop` says so.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop,
        }
    }

    /// Starts a task that looks itself at whether everything stops, and ends at a good place.
    pub fn start_orderly(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tracker.spawn(async move {
            task.await;
            tracing::debug!(name, "a task ended");
        });
    }

    /// Starts a task that ends when it is done, or anywhere when everything stops.
    pub fn start(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = task => tracing::debug!(name, "a task ended"),
                () = stop.cancelled() => tracing::debug!(name, "a task was stopped"),
            }
        });
    }

    /// Waits until somebody stops everything.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Stops everything and waits for it, not for ever.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(GRACE, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "something did not stop in time; it goes on from the log at the next start"
            );
        }
    }
}

/// Makes this process one of those that carry runs, and starts every loop but the server's.
///
/// # Errors
/// [`ClaimError`].
pub async fn start(app: &Arc<App>, tasks: &Tasks) -> Result<(), ClaimError> {
    app.claims.join().await?;
    let claims = app.claims.clone();
    tasks.start("claims", async move { claims.keep().await });
    tasks.start("audit", audit::run(app.clone()));
    tasks.start("lock", audit::lock(app.clone()));
    collect::start(app, tasks);
    tasks.start("detect", detect::run(app.clone()));
    tasks.start("watch", watch::run(app.clone()));
    tasks.start("runs", runs::run(app.clone(), tasks.clone()));
    Ok(())
}

/// Starts the HTTP server on a socket that is bound already.
pub fn start_server(app: &Arc<App>, tasks: &Tasks, listener: tokio::net::TcpListener) {
    tasks.start("server", serve::run(app.clone(), listener));
}
