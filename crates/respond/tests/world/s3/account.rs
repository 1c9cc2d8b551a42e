//! What is of the whole account: its own public access block.

use quell_model::Call;
use serde_json::json;

use super::{Answer, OWNER, S3};

pub fn call(s3: &mut S3, call: &Call) -> Answer {
    assert_eq!(call.params["AccountId"], OWNER);
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
