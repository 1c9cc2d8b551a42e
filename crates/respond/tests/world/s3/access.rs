//! Who may come in, but for the policy: the public access block, the list, who owns what is written.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::{Answer, S3};

const FLAGS: [&str; 4] = [
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
];

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetPublicAccessBlock" => {
            let words = "The public access block configuration was not found";
            { s3.configured("publicAccessBlock", words) }
                .map(|block| json!({"PublicAccessBlockConfiguration": block}))
        }
        "PutPublicAccessBlock" => put_block(s3, &call.params),
        "DeletePublicAccessBlock" => s3.delete("publicAccessBlock"),
        "GetBucketAcl" => {
            let id = s3.configured("ownerId", "").unwrap_or(json!("owner"));
            let own = json!([{"Grantee": {"Id": id, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]);
            Ok(json!({"Owner": {"Id": id}, "Grants": s3.configured("acl", "").unwrap_or(own)}))
        }
        "GetBucketOwnershipControls" => {
            let words = "The bucket ownership controls were not found";
            { s3.configured("ownership", words) }
                .map(|is| json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": is}]}}))
        }
        _ => return None,
    })
}

fn put_block(s3: &mut S3, params: &Value) -> Answer {
    let given = &params["PublicAccessBlockConfiguration"];
    // A flag that is not named is off.
    let block = FLAGS.map(|flag| (flag.to_owned(), json!(given[flag] == true)));
    let block = Value::Object(Map::from_iter(block));
    s3.bucket().insert("publicAccessBlock".to_owned(), block);
    Ok(json!({}))
}
