//! The HTTP API: REST for people's tools, the AWS wire for PutEvents, and the signature check at the door.
//!
//! Nothing is reachable unsigned but `/healthz`. What changes something goes through [`Desk`], which the
//! composition implements; what only reads goes to the state store.

mod auth;
mod desk;
mod keys;
mod problem;
mod routes;
mod sealing;
pub mod sigv4;

pub use auth::Caller;
pub use desk::{Desk, DeskError, Remediation};
pub use keys::{AccessKey, Role, new_key};
pub use routes::router;
pub use sealing::{SealError, Sealing, is_open};

use std::sync::Arc;

use quell_store::{Clock, State};

/// The most bytes of a request's body. PutEvents takes less than 1 MB on AWS.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What the handlers need.
#[derive(Clone)]
pub struct Services {
    /// The state store.
    pub state: Arc<dyn State>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What access keys are sealed with.
    pub sealing: Arc<Sealing>,
    /// Where changes are asked for.
    pub desk: Arc<dyn Desk>,
}
