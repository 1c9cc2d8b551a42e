//! A bucket's policy.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, S3, denied};

const POLICY_BYTES_MAX: usize = 20 * 1024;

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetBucketPolicy" => text(s3).map(|text| json!({"Policy": text})),
        "GetBucketPolicyStatus" => text(s3).map(|text| {
            let policy = serde_json::from_str(&text).unwrap();
            json!({"PolicyStatus": {"IsPublic": is_public(&policy)}})
        }),
        "PutBucketPolicy" => put(s3, &call.params),
        "DeleteBucketPolicy" => s3.delete("policy"),
        _ => return None,
    })
}

fn text(s3: &S3) -> Result<String, String> {
    let policy = s3.configured("policy", "The bucket policy does not exist")?;
    Ok(policy.as_str().unwrap().to_owned())
}

fn put(s3: &mut S3, params: &Value) -> Answer {
    let text = params["Policy"].as_str().unwrap();
    let policy: Value = serde_json::from_str(text).unwrap();
    let block = s3.bucket().get("publicAccessBlock").cloned();
    let is_blocked = block.is_some_and(|b| b["BlockPublicPolicy"] == true);
    if text.len() > POLICY_BYTES_MAX {
        return Err("S3.S3Exception: Policies must not exceed the maximum size".to_owned());
    }
    if is_blocked && is_public(&policy) {
        return Err(denied());
    }
    s3.bucket().insert("policy".to_owned(), json!(text));
    Ok(json!({}))
}

/// Whether AWS calls a policy public: everybody, with no condition or with one that anybody can meet.
fn is_public(policy: &Value) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    statements.iter().any(|s| {
        let who = [&s["Principal"], &s["Principal"]["AWS"]];
        let all = json!("*");
        let everyone = who
            .iter()
            .any(|w| **w == all || w.as_array().is_some_and(|l| l.contains(&all)));
        let text = s["Condition"].to_string();
        let narrows = ["aws:PrincipalOrgID", "aws:SourceVpce", "aws:SourceAccount"];
        s["Effect"] == "Allow" && everyone && !narrows.iter().any(|key| text.contains(key))
    })
}
