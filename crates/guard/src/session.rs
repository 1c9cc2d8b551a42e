//! What the session that makes a plan's calls may do: those calls, on what they name, and nothing else. It is AWS's own
//! lock beside the permit: credentials that got into the wrong hands open no more than the plan does.

use std::collections::BTreeSet;

use quell_model::{Arn, Call};
use serde_json::{Value, json};

use crate::family::Family;
use crate::rights;

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
        Family::Organization => {
            let of = |kind: &str, member: &str| {
                let id = call.params.get(member).and_then(Value::as_str);
                let id = id.unwrap_or("-");
                format!("arn:{partition}:organizations::{account}:{kind}/{id}")
            };
            vec![
                of("policy/*/service_control_policy", "PolicyId"),
                of("account/*", "TargetId"),
            ]
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
        may.extend(rights::actions(
            &call.service,
            &call.operation,
            &call.params,
        ));
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
        assert_eq!(
            said(
                "organizations",
                "AttachPolicy",
                json!({"PolicyId": "p-1", "TargetId": "444455556666"})
            )[1],
            json!([
                "arn:aws:organizations::444455556666:account/*/444455556666",
                "arn:aws:organizations::444455556666:policy/*/service_control_policy/p-1"
            ]),
            "the account of the ARN is the one that the call is made in"
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
