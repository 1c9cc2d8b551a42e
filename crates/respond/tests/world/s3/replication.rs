//! Where objects are copied to.

use quell_model::Call;
use serde_json::json;

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketReplication" => {
            let words = "The replication configuration was not found";
            { s3.configured("replication", words) }
                .map(|is| json!({"ReplicationConfiguration": is}))
        }
        _ => return None,
    })
}
