//! Whether old versions of objects are kept: `versioning`.

use quell_model::Call;
use serde_json::json;

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        // A bucket that never had versions is answered with nothing.
        "GetBucketVersioning" => Ok(s3.configured("versioning", "").unwrap_or(json!({}))),
        "PutBucketVersioning" => {
            let status = call.params["VersioningConfiguration"]["Status"].clone();
            let bucket = s3.bucket();
            let versioning = bucket.entry("versioning").or_insert_with(|| json!({}));
            versioning["Status"] = status;
            Ok(json!({}))
        }
        _ => return None,
    })
}
