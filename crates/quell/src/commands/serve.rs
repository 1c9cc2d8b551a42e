//! `quell serve`.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Global};
use crate::loops::{self, Tasks};
use crate::output::note;

/// Collect, detect and respond, and serve the API, until interrupted
///
/// Without settings it serves on 127.0.0.1:8480, keeps state in one SQLite file, reads files put into DATA/drop, and
/// plans without acting. A second one with the same state store shares the work. While `quell range up` runs with the same data folder it collects from the range and acts there.
#[derive(Args)]
pub struct Serve {
    /// Address and port to listen on (port 0: a free one)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let mut settings = global.settings()?;
        if let Some(listen) = self.listen {
            settings.server.listen = listen;
        }
        let app = crate::app::App::open(settings).await?;
        let listener = loops::bind(&app).await.map_err(|e| {
            Failure::Setup(format!(
                "{} cannot be listened on: {e} (--listen gives another)",
                app.config.server.listen
            ))
        })?;
        let address = listener
            .local_addr()
            .map_err(|e| Failure::Remote(e.to_string()))?;
        let tasks = Tasks::new(app.stop.clone());
        loops::start(&app, &tasks)
            .await
            .map_err(|e| Failure::Remote(e.to_string()))?;
        loops::start_server(&app, &tasks, listener);
        note(&format!(
            "quell {} serves on http://{address}",
            env!("CARGO_PKG_VERSION")
        ));
        note(&format!("  state     {}{}", app.place, sharing(&app).await));
        note(&format!(
            "  sources   {} queue(s), HTTP PutEvents, a drop folder",
            app.config.collect.queues.len()
        ));
        note(&format!(
            "  content   {} detection(s), {} playbook(s), {} fault(s)",
            app.content.engine.detections().len(),
            app.content.playbooks.len(),
            app.content.faults.len()
        ));
        note(&format!(
            "  scope     {} account(s), level at most {}{}",
            app.config.accounts.len(),
            app.config.respond.level_max,
            credentials(&app)
        ));
        wait_for_signal(&tasks).await?;
        note("stopping: what is under way is in the log and goes on at the next start");
        tasks.stop().await;
        app.claims.leave().await;
        Ok(())
    }
}

/// Who else works on the same state.
async fn sharing(app: &crate::app::App) -> String {
    match app.claims.others().await {
        Ok(0) | Err(_) => String::new(),
        Ok(1) => ", shared with 1 process".to_owned(),
        Ok(n) => format!(", shared with {n} processes"),
    }
}

/// Where the credentials for AWS come from, when that is not said in the settings.
fn credentials(app: &crate::app::App) -> &'static str {
    match (&app.aws, &app.config.aws.access_key_id) {
        (None, _) => ", no AWS credentials: nothing is read or changed in AWS",
        (Some(_), None) => ", AWS credentials by the standard chain when they are first needed",
        (Some(_), Some(_)) => "",
    }
}

/// Until somebody asks this process to end.
pub(super) async fn wait_for_signal(tasks: &Tasks) -> Result<(), Failure> {
    let no = |e: std::io::Error| Failure::Remote(format!("signals cannot be waited for: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no)?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        () = tasks.stopped() => {}
    }
    Ok(())
}
