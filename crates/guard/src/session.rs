//! What the session that makes a plan's calls may do: those calls, on what they name, and nothing else. It is AWS's own
//! lock beside the permit: credentials that got into the wrong hands open no more than the plan does.
//!
//! Names of actions follow the Service Authorization Reference; where it has none of the operation's name, it is here.

use std::collections::BTreeSet;

use quell_model::{Arn, Call};
use serde_json::{Value, json};

use crate::family::Family;

/// Operations whose action has another name.
const RENAMED: &[(&str, &str)] = &[
    ("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    (
        "s3:DeletePublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
    ),
    ("s3:PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3:DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    (
        "s3:PutBucketLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    ("s3:PutBucketReplication", "s3:PutReplicationConfiguration"),
    (
        "s3:DeleteBucketReplication",
        "s3:PutReplicationConfiguration",
    ),
];

/// Services whose actions have another prefix than the task's resource says.
const PREFIXES: &[(&str, &str)] = &[
    ("elasticloadbalancingv2", "elasticloadbalancing"),
    ("cloudwatchlogs", "logs"),
    ("s3control", "s3"),
];

/// The actions that a call needs.
fn actions(call: &Call) -> Vec<String> {
    let prefix = PREFIXES
        .iter()
        .find(|(service, _)| *service == call.service);
    let prefix = prefix.map_or(call.service.as_str(), |(_, prefix)| prefix);
    let name = format!("{prefix}:{}", call.operation);
    let renamed = RENAMED.iter().find(|(operation, _)| *operation == name);
    let mut all = vec![renamed.map_or(name, |(_, action)| (*action).to_owned())];
    let tags = call
        .params
        .get("TagSpecifications")
        .and_then(Value::as_array);
    if call.service == "ec2" && tags.is_some_and(|tags| !tags.is_empty()) {
        all.push("ec2:CreateTags".to_owned());
    }
    let passes = [
        "ReplaceIamInstanceProfileAssociation",
        "AssociateIamInstanceProfile",
        "PutBucketReplication",
    ];
    if passes.contains(&call.operation.as_str()) {
        all.push("iam:PassRole".to_owned());
    }
    // EC2 asks whoever starts an instance for a grant on the keys of its disks.
    if call.operation == "StartInstances" {
        all.push("kms:CreateGrant".to_owned());
    }
    all
}

/// Members of IAM's calls that name what they are about, with the object in its ARN.
const NAMED: &[(&str, &str)] = &[
    ("UserName", "user"),
    ("RoleName", "role"),
    ("GroupName", "group"),
];

/// What a call is about, as ARNs that may have wildcards.
fn resources(call: &Call, about: &Arn, account: &str, region: &str) -> Vec<String> {
    let partition = &about.partition;
    match Family::of(&call.service, &call.operation) {
        Family::S3 if call.service == "s3control" => {
            let job = call.params.get("JobId").and_then(Value::as_str);
            let job = job.unwrap_or("-");
            vec![format!("arn:{partition}:s3:{region}:{account}:job/{job}")]
        }
        Family::S3 => {
            let role = call.params.pointer("/ReplicationConfiguration/Role");
            let role = role.and_then(Value::as_str).map(str::to_owned);
            let bucket = call
                .params
                .get("Bucket")
                .and_then(Value::as_str)
                .unwrap_or("-");
            let arn = format!("arn:{partition}:s3:::{bucket}");
            [format!("{arn}/*"), arn].into_iter().chain(role).collect()
        }
        Family::Iam => {
            let named = NAMED.iter().filter_map(|(member, object)| {
                let name = call.params.get(member)?.as_str()?;
                let arn = format!("arn:{partition}:iam::{account}:{object}/");
                // A name does not tell the path before it.
                Some([format!("{arn}{name}"), format!("{arn}*/{name}")])
            });
            let named: Vec<String> = named.flatten().collect();
            match (
                named.is_empty(),
                call.params.get("PolicyArn").and_then(Value::as_str),
            ) {
                (true, Some(policy)) => vec![policy.to_owned()],
                _ => named,
            }
        }
        // Of EC2's own objects some have no account in their ARN.
        _ if call.service == "ec2" => vec![
            format!("arn:{partition}:ec2:{region}:{account}:*"),
            format!("arn:{partition}:ec2:{region}::*"),
            format!("arn:{partition}:iam::{account}:role/*"),
            format!("arn:{partition}:kms:{region}:*:key/*"),
        ],
        _ => vec![format!("arn:{partition}:*:{region}:{account}:*")],
    }
}

/// The session policy for the calls of one family: JSON, without blanks, since 2,048 characters are all that there is room for.
pub(crate) fn policy<'a>(
    calls: impl Iterator<Item = &'a Call>,
    about: &Arn,
    account: &str,
    region: &str,
) -> String {
    let (mut may, mut on) = (BTreeSet::new(), BTreeSet::new());
    for call in calls {
        may.extend(actions(call));
        on.extend(resources(call, about, account, region));
    }
    let statement = json!([{"Effect": "Allow", "Action": may, "Resource": on}]);
    json!({"Version": "2012-10-17", "Statement": statement}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: &str, operation: &str, params: Value) -> Value {
        let call = Call {
            service: service.into(),
            operation: operation.into(),
            params,
        };
        let about = "arn:aws:iam::444455556666:user/eve".parse().unwrap();
        let text = policy([call].iter(), &about, "444455556666", "us-east-1");
        let policy: Value = serde_json::from_str(&text).unwrap();
        json!([
            policy["Statement"][0]["Action"],
            policy["Statement"][0]["Resource"]
        ])
    }

    #[test]
    fn a_session_may_do_what_the_plan_says_and_no_more() {
        assert_eq!(
            said(
                "iam",
                "AttachUserPolicy",
                json!({"UserName": "eve", "PolicyArn": "p"})
            ),
            json!([
                ["iam:AttachUserPolicy"],
                [
                    "arn:aws:iam::444455556666:user/*/eve",
                    "arn:aws:iam::444455556666:user/eve"
                ]
            ])
        );
        assert_eq!(
            said(
                "iam",
                "SetDefaultPolicyVersion",
                json!({"PolicyArn": "arn:aws:iam::444455556666:policy/p", "VersionId": "v1"})
            ),
            json!([
                ["iam:SetDefaultPolicyVersion"],
                ["arn:aws:iam::444455556666:policy/p"]
            ])
        );
        assert_eq!(
            said("s3", "PutBucketEncryption", json!({"Bucket": "b"})),
            json!([
                ["s3:PutEncryptionConfiguration"],
                ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]
            ])
        );
        let role = "arn:aws:iam::444455556666:role/copy";
        assert_eq!(
            said(
                "s3",
                "PutBucketReplication",
                json!({"Bucket": "b", "ReplicationConfiguration": {"Role": role}})
            ),
            json!([
                ["iam:PassRole", "s3:PutReplicationConfiguration"],
                [role, "arn:aws:s3:::b", "arn:aws:s3:::b/*"]
            ])
        );
        assert_eq!(
            said("s3control", "UpdateJobStatus", json!({"JobId": "j-1"})),
            json!([
                ["s3:UpdateJobStatus"],
                ["arn:aws:s3:us-east-1:444455556666:job/j-1"]
            ])
        );
        let ec2 = said("ec2", "CreateSnapshots", json!({"TagSpecifications": [{}]}));
        assert_eq!(ec2[0], json!(["ec2:CreateSnapshots", "ec2:CreateTags"]));
        let start = said("ec2", "StartInstances", json!({"InstanceIds": ["i-1"]}));
        assert_eq!(start[0], json!(["ec2:StartInstances", "kms:CreateGrant"]));
        assert!(
            start[1]
                .as_array()
                .unwrap()
                .contains(&json!("arn:aws:kms:us-east-1:*:key/*"))
        );
        assert_eq!(
            said("elasticloadbalancingv2", "DeregisterTargets", json!({})),
            json!([
                ["elasticloadbalancing:DeregisterTargets"],
                ["arn:aws:*:us-east-1:444455556666:*"]
            ])
        );
    }
}
