//! What is of the whole account: its own public access block, and its list of buckets.

use quell_model::Call;
use serde_json::json;

use super::{Answer, OWNER, S3, jobs};

pub fn call(s3: &mut S3, call: &Call) -> Answer {
    assert_eq!(call.params["AccountId"], OWNER);
    if let Some(answer) = jobs::call(s3, call) {
        return answer;
    }
    let words = "The public access block configuration was not found (Service: S3Control, Status Code: 404, Request ID: r)";
    match (call.operation.as_str(), &s3.account_block) {
        ("GetPublicAccessBlock", Some(block)) => {
            Ok(json!({"PublicAccessBlockConfiguration": block}))
        }
        ("GetPublicAccessBlock", None) => Err(format!(
            "S3Control.NoSuchPublicAccessBlockConfigurationException: {words}"
        )),
        (other, _) => panic!("the account's own block is nobody's to change: {other}"),
    }
}

/// The first of the account's buckets that begin so.
pub fn buckets(s3: &S3, call: &Call) -> Answer {
    let begin = call.params["Prefix"].as_str().unwrap();
    let found = s3.own.iter().find(|name| name.starts_with(begin));
    let found: Vec<_> = found.iter().map(|name| json!({"Name": name})).collect();
    Ok(match found.is_empty() {
        true => json!({}),
        false => json!({"Buckets": found}),
    })
}
