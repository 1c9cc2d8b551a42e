//! Raw bytes from a source, with where they came from.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{RecordId, Timestamp};

/// Where a record came in. It is written by the collector, never by the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Origin {
    /// An EventBridge event from an SQS queue.
    Queue {
        /// The queue's URL.
        url: String,
    },
    /// A file of an S3 bucket.
    Object {
        /// The bucket's name.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// An entry of a PutEvents request.
    Http {
        /// The access key that signed the request.
        key: String,
    },
    /// A file in a folder.
    File {
        /// The file's path.
        path: String,
    },
}

/// One thing a source said, as it said it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id: the same record, sent twice or by two ways, has one id.
    pub id: RecordId,
    /// Where it came in.
    pub origin: Origin,
    /// When Quell received it.
    pub received_at: Timestamp,
    /// The EventBridge envelope around it, without `detail`, when it came in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<serde_json::Value>,
    /// The record itself (for CloudTrail the object with `eventName`), byte for byte as sent.
    pub body: Box<RawValue>,
}
