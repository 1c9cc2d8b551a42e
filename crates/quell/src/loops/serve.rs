//! The HTTP server.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::app::App;

/// Takes the address, so that a port in use is found before anything starts.
///
/// # Errors
/// What the system says.
pub async fn bind(app: &App) -> std::io::Result<TcpListener> {
    TcpListener::bind(&app.config.server.listen).await
}

pub(super) async fn run(app: Arc<App>, listener: TcpListener) {
    let services = quell_server::Services {
        state: app.state.clone(),
        clock: app.clock.clone(),
        sealing: app.sealing.clone(),
        desk: app.clone(),
    };
    if let Err(error) = axum::serve(listener, quell_server::router(services)).await {
        tracing::error!(%error, "the server ended");
    }
}
