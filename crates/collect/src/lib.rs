//! Where records come from. A source hands out deliveries; a delivery is acknowledged once its records are
//! durable, and comes again if it never was.
//!
//! [`accept`] is the one way into the state store, for every source: records are stored pending, once each.

mod accept;
mod folder;
mod message;
mod queue;

use async_trait::async_trait;
use quell_aws::AwsError;
use quell_model::{Origin, Record, Timestamp};
use quell_normalize::RawRecord;
use quell_store::{Clock, StoreError};

pub use accept::{Accepted, Quarantined, accept};
pub use folder::FolderSource;
pub use queue::QueueSource;

/// What a source brought at once.
#[derive(Debug)]
pub struct Delivery {
    /// The records.
    pub records: Vec<Record>,
    /// What could not be read, with the reason: it is stored too, so that nothing is lost unseen.
    pub quarantined: Vec<Quarantined>,
    /// What the source needs to acknowledge it.
    handle: String,
}

/// A source could not bring or acknowledge.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// AWS said no or did not answer.
    #[error("{source_name}: {source}")]
    Aws {
        /// The source.
        source_name: String,
        /// What AWS said.
        source: Box<AwsError>,
    },
    /// A file or folder could not be read.
    #[error("{source_name}: {source}")]
    File {
        /// The source.
        source_name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somewhere records come from.
#[async_trait]
pub trait Source: Send {
    /// Its name, for logs and people.
    fn name(&self) -> String;

    /// Waits for something, for some seconds at most, and brings it, with the moment it came. Empty when nothing did.
    async fn receive(&mut self, clock: &dyn Clock) -> Result<Vec<Delivery>, CollectError>;

    /// The delivery is durable: it need not come again.
    async fn acknowledge(&mut self, delivery: Delivery) -> Result<(), CollectError>;
}

fn record(raw: RawRecord, origin: &Origin, now: Timestamp) -> Record {
    Record {
        id: raw.id,
        origin: origin.clone(),
        received_at: now,
        envelope: raw.envelope,
        body: raw.body,
    }
}
