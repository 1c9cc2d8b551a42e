//! What a bucket does for others: web sites, other origins, access logs, notifications.

use quell_model::Call;
use serde_json::json;

use super::{Answer, S3};

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketWebsite" => {
            let words = "The specified bucket does not have a website configuration";
            s3.configured("website", words)
        }
        "GetBucketCors" => {
            let words = "The CORS configuration does not exist";
            { s3.configured("cors", words) }.map(|rules| json!({"CorsRules": rules}))
        }
        "GetBucketNotificationConfiguration" => {
            Ok(s3.configured("notifications", "").unwrap_or(json!({})))
        }
        // S3 answers with nothing when nothing is logged.
        "GetBucketLogging" => Ok({ s3.configured("logging", "") }
            .map_or(json!({}), |logging| json!({"LoggingEnabled": logging}))),
        _ => return None,
    })
}
