//! The keys of KMS that buckets are encrypted with.

use quell_model::Call;
use serde_json::json;

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Answer {
    let key = call.params["KeyId"].as_str().unwrap();
    match (call.operation.as_str(), s3.keys.get(key)) {
        ("DescribeKey", Some(key)) => Ok(json!({"KeyMetadata": key})),
        ("DescribeKey", None) => Err("Kms.NotFoundException: no such key".to_owned()),
        (other, _) => panic!("the world knows no kms:{other}"),
    }
}
