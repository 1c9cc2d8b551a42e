//! How new objects are encrypted.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketEncryption" => {
            let words = "The server side encryption configuration was not found";
            { s3.configured("encryption", words) }
                .map(|is| json!({"ServerSideEncryptionConfiguration": is}))
        }
        "PutBucketEncryption" => put(s3, &call.params),
        "DeleteBucketEncryption" => s3.delete("encryption"),
        _ => return None,
    })
}

fn put(s3: &mut S3, params: &Value) -> Answer {
    let mut encryption = params["ServerSideEncryptionConfiguration"].clone();
    for rule in encryption["Rules"].as_array_mut().unwrap() {
        assert!(rule["ApplyServerSideEncryptionByDefault"]["SseAlgorithm"].is_string());
        if rule.get("BucketKeyEnabled").is_none() {
            rule["BucketKeyEnabled"] = json!(false);
        }
    }
    s3.bucket().insert("encryption".to_owned(), encryption);
    Ok(json!({}))
}
