//! The loops: collect, detect, run, serve. The only place that spawns tasks.

mod collect;
mod detect;
mod runs;
mod serve;

pub use runs::{Dry, drive_to_end, dry_run};
pub use serve::bind;

use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;

/// The tasks of this process: named, stopped together, waited for.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task that ends when it is done or when everything stops.
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

    /// Stops everything and waits for it.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Starts every loop but the server's.
pub fn start(app: &Arc<App>, tasks: &Tasks) {
    collect::start(app, tasks);
    tasks.start("detect", detect::run(app.clone()));
    tasks.start("runs", runs::run(app.clone(), tasks.clone()));
}

/// Starts the HTTP server on a socket that is bound already.
pub fn start_server(app: &Arc<App>, tasks: &Tasks, listener: tokio::net::TcpListener) {
    tasks.start("server", serve::run(app.clone(), listener));
}
