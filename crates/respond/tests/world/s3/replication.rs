//! Where objects are copied to.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketReplication" => {
            let words = "The replication configuration was not found";
            { s3.configured("replication", words) }
                .map(|is| json!({"ReplicationConfiguration": is}))
        }
        "PutBucketReplication" => put(s3, &call.params["ReplicationConfiguration"]),
        "DeleteBucketReplication" => s3.delete("replication"),
        _ => return None,
    })
}

fn put(s3: &mut S3, given: &Value) -> Answer {
    assert!(given["Role"].is_string(), "{given}");
    assert!(!given["Rules"].as_array().unwrap().is_empty(), "{given}");
    s3.bucket().insert("replication".to_owned(), given.clone());
    Ok(json!({}))
}
