//! The rules by which objects are moved and deleted: `lifecycle`.

use quell_model::Call;
use serde_json::json;

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketLifecycleConfiguration" => {
            s3.configured("lifecycle", "The lifecycle configuration does not exist")
        }
        "PutBucketLifecycleConfiguration" => {
            let mut lifecycle = call.params["LifecycleConfiguration"].clone();
            assert!(
                !lifecycle["Rules"].as_array().unwrap().is_empty(),
                "S3 takes no empty one"
            );
            if let Some(size) = call.params.get("TransitionDefaultMinimumObjectSize") {
                lifecycle["TransitionDefaultMinimumObjectSize"] = size.clone();
            }
            s3.bucket().insert("lifecycle".to_owned(), lifecycle);
            Ok(json!({}))
        }
        _ => return None,
    })
}
