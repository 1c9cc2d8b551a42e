//! The keys of KMS that buckets are encrypted with.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Answer {
    let key = call.params["KeyId"].as_str().unwrap();
    match (call.operation.as_str(), s3.keys.get(key)) {
        ("ListGrants", _) => Ok(grants(s3, call)),
        ("DescribeKey", Some(key)) => Ok(json!({"KeyMetadata": key})),
        ("DescribeKey", None) => Err("Kms.NotFoundException: no such key".to_owned()),
        (other, _) => panic!("the world knows no kms:{other}"),
    }
}

/// One in a page.
fn grants(s3: &S3, call: &Call) -> Value {
    let from = call.params["Marker"]
        .as_str()
        .map_or(0, |t| t.parse().unwrap());
    let shown: Vec<_> = s3.grants.iter().skip(from).take(1).collect();
    match from + 1 < s3.grants.len() {
        true => json!({"Grants": shown, "Truncated": true, "NextMarker": (from + 1).to_string()}),
        false => json!({"Grants": shown, "Truncated": false}),
    }
}
