//! The rights in IAM that calls need: what an action is called, what it is about, and under which conditions it is enough. Policies of roles
//! (`quell iam policy`) and of sessions ([`crate::Permit::session_policy`]) are made of them.
//!
//! Names follow the Service Authorization Reference; where it has none of the operation's name, it is here.

pub mod standing;
mod table;

use serde_json::{Value, json};

/// A right in IAM.
#[derive(Clone, Debug, PartialEq)]
pub struct Right {
    /// `ec2:RevokeSecurityGroupIngress`.
    pub action: String,
    /// What it is about: ARNs with wildcards, or `*` for an action that takes no resource.
    pub on: Vec<String>,
    /// The `Condition` of the statement that gives it: it needs no more.
    pub when: Option<Value>,
}

/// Nobody wrote down what an action is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not known what {action} is about: add it to crates/guard/src/rights/table.rs")]
pub struct UnknownAction {
    /// The action.
    pub action: String,
}

/// Services whose actions have another prefix than the task's resource says.
const PREFIXES: &[(&str, &str)] = &[
    ("cloudwatchlogs", "logs"),
    ("elasticloadbalancingv2", "elasticloadbalancing"),
    ("eventbridge", "events"),
    ("networkfirewall", "network-firewall"),
    ("s3control", "s3"),
    ("sfn", "states"),
];

/// Operations whose action has another name, by service as a task names it.
const RENAMED: &[(&str, &str, &str)] = &[
    ("s3", "DeleteBucketCors", "PutBucketCORS"),
    ("s3", "DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("s3", "DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    (
        "s3",
        "DeleteBucketReplication",
        "PutReplicationConfiguration",
    ),
    (
        "s3",
        "DeletePublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    ("s3", "GetBucketCors", "GetBucketCORS"),
    ("s3", "GetBucketEncryption", "GetEncryptionConfiguration"),
    (
        "s3",
        "GetBucketLifecycleConfiguration",
        "GetLifecycleConfiguration",
    ),
    (
        "s3",
        "GetBucketNotificationConfiguration",
        "GetBucketNotification",
    ),
    ("s3", "GetBucketReplication", "GetReplicationConfiguration"),
    ("s3", "GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("s3", "HeadBucket", "ListBucket"),
    ("s3", "ListBuckets", "ListAllMyBuckets"),
    ("s3", "ListObjectVersions", "ListBucketVersions"),
    ("s3", "PutBucketEncryption", "PutEncryptionConfiguration"),
    (
        "s3",
        "PutBucketLifecycleConfiguration",
        "PutLifecycleConfiguration",
    ),
    ("s3", "PutBucketReplication", "PutReplicationConfiguration"),
    ("s3", "PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    (
        "s3control",
        "GetPublicAccessBlock",
        "GetAccountPublicAccessBlock",
    ),
];

/// The action that an operation is; `service` as a task's resource names it.
pub fn action(service: &str, operation: &str) -> String {
    let prefix = PREFIXES.iter().find(|(known, _)| *known == service);
    let prefix = prefix.map_or(service, |(_, prefix)| prefix);
    let renamed = RENAMED
        .iter()
        .find(|(of, known, _)| (*of, *known) == (service, operation));
    let name = renamed.map_or(operation, |(_, _, name)| name);
    format!("{prefix}:{name}")
}

/// Operations that need another right beside their own, when their arguments ask for it: service, operation, the right, and the member that
/// asks (none: always).
const BESIDE: &[(&str, &str, &str, Option<&str>)] = &[
    ("ec2", "AssociateIamInstanceProfile", "iam:PassRole", None),
    (
        "ec2",
        "AuthorizeSecurityGroupEgress",
        "ec2:CreateTags",
        Some("TagSpecifications"),
    ),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        Some("TagSpecifications"),
    ),
    (
        "ec2",
        "CreateFlowLogs",
        "ec2:CreateTags",
        Some("TagSpecifications"),
    ),
    (
        "ec2",
        "CreateFlowLogs",
        "iam:PassRole",
        Some("DeliverLogsPermissionArn"),
    ),
    (
        "ec2",
        "CreateSecurityGroup",
        "ec2:CreateTags",
        Some("TagSpecifications"),
    ),
    (
        "ec2",
        "CreateSnapshots",
        "ec2:CreateTags",
        Some("TagSpecifications"),
    ),
    (
        "ec2",
        "ReplaceIamInstanceProfileAssociation",
        "iam:PassRole",
        None,
    ),
    ("s3", "PutBucketReplication", "iam:PassRole", None),
    // EC2 asks whoever starts an instance for a grant on the keys of its disks.
    ("ec2", "StartInstances", "kms:CreateGrant", None),
    ("config", "PutConfigurationRecorder", "iam:PassRole", None),
    (
        "rds",
        "CreateDBSnapshot",
        "rds:AddTagsToResource",
        Some("Tags"),
    ),
    (
        "cloudtrail",
        "CreateTrail",
        "iam:PassRole",
        Some("CloudWatchLogsRoleArn"),
    ),
    (
        "cloudtrail",
        "CreateTrail",
        "cloudtrail:AddTags",
        Some("TagsList"),
    ),
    (
        "cloudtrail",
        "UpdateTrail",
        "iam:PassRole",
        Some("CloudWatchLogsRoleArn"),
    ),
];

/// The actions that a call with these arguments needs: its own first.
pub fn actions(service: &str, operation: &str, arguments: &Value) -> Vec<String> {
    let asks = |member: &str| match arguments.get(member) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let beside = BESIDE
        .iter()
        .filter(|(of, known, ..)| (*of, *known) == (service, operation))
        .filter(|(.., member)| member.is_none_or(asks))
        .map(|(_, _, right, _)| (*right).to_owned());
    [action(service, operation)]
        .into_iter()
        .chain(beside)
        .collect()
}

/// The actions that a call of an operation may need beside its own, whatever its arguments.
pub fn may_need(service: &str, operation: &str) -> impl Iterator<Item = &'static str> {
    let of = (service.to_owned(), operation.to_owned());
    BESIDE
        .iter()
        .filter(move |(service, operation, ..)| (*service, *operation) == (&of.0, &of.1))
        .map(|(_, _, right, _)| *right)
}

/// Conditions under which Quell uses an action, and needs it no further.
fn condition(action: &str, account: &str) -> Option<Value> {
    match action {
        // EC2 asks for the grant in the caller's name, for the disks of an instance, and nobody else is given one.
        "kms:CreateGrant" => Some(json!({
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"},
        })),
        "ec2:CreateTags" => Some(json!({"ForAllValues:StringLike": {"aws:TagKeys": ["quell:*"]}})),
        "iam:PassRole" => Some(json!({"StringEquals": {"iam:PassedToService": [
            "cloudtrail.amazonaws.com", "config.amazonaws.com", "ec2.amazonaws.com", "s3.amazonaws.com", "vpc-flow-logs.amazonaws.com"
        ]}})),
        // A bucket's name tells no account, and names are given to others once they are free.
        _ if action.starts_with("s3:") => {
            Some(json!({"StringEquals": {"aws:ResourceAccount": account}}))
        }
        _ => None,
    }
}

/// The right to an action, in an account.
///
/// # Errors
/// [`UnknownAction`]: nobody wrote down what it is about.
pub fn right(action: &str, partition: &str, account: &str) -> Result<Right, UnknownAction> {
    let row = action.split_once(':').and_then(|(service, name)| {
        table::ROWS
            .iter()
            .find(|row| row.service == service && row.actions.contains(&name))
    });
    let row = row.ok_or_else(|| UnknownAction {
        action: action.to_owned(),
    })?;
    let place = |pattern: &&str| {
        let parts = pattern.split(':').map(|part| match part {
            "P" => partition,
            "A" => account,
            other => other,
        });
        parts.collect::<Vec<_>>().join(":")
    };
    let on: Vec<String> = row.on.iter().map(place).collect();
    // An action that takes no resource has none of its own to compare.
    let when = condition(action, account).filter(|_| on != ["*"]);
    Ok(Right {
        action: action.to_owned(),
        on,
        when,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_operation_is_called_as_iam_calls_it() {
        for (service, operation, is) in [
            (
                "ec2",
                "RevokeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupIngress",
            ),
            (
                "s3",
                "PutPublicAccessBlock",
                "s3:PutBucketPublicAccessBlock",
            ),
            (
                "s3control",
                "GetPublicAccessBlock",
                "s3:GetAccountPublicAccessBlock",
            ),
            (
                "elasticloadbalancingv2",
                "DeregisterTargets",
                "elasticloadbalancing:DeregisterTargets",
            ),
            (
                "networkfirewall",
                "UpdateRuleGroup",
                "network-firewall:UpdateRuleGroup",
            ),
        ] {
            assert_eq!(action(service, operation), is);
        }
    }

    #[test]
    fn what_a_call_asks_for_beside_it_is_a_right_of_its_own() {
        let tags = json!({"TagSpecifications": [{}]});
        assert_eq!(
            actions("ec2", "CreateSnapshots", &tags),
            ["ec2:CreateSnapshots", "ec2:CreateTags"]
        );
        for none in [json!({}), json!({"TagSpecifications": []})] {
            assert_eq!(actions("ec2", "CreateSnapshots", &none).len(), 1);
        }
        assert_eq!(
            may_need("ec2", "StartInstances").collect::<Vec<_>>(),
            ["kms:CreateGrant"]
        );
    }

    #[test]
    fn a_right_names_its_account_and_what_it_is_about() {
        let tags = right("ec2:CreateTags", "aws", "444455556666").unwrap();
        assert!(
            tags.on
                .contains(&"arn:aws:ec2:*:444455556666:instance/*".to_owned())
        );
        assert!(tags.when.is_some());
        let look = right("ec2:DescribeInstances", "aws-cn", "444455556666").unwrap();
        assert_eq!((look.on, look.when), (vec!["*".to_owned()], None));
        let none = right("ec2:TerminateInstances", "aws", "1").unwrap_err();
        assert!(none.to_string().contains("rights/table.rs"));
    }

    #[test]
    fn an_action_is_in_one_row() {
        let mut seen = BTreeSet::new();
        for row in table::ROWS {
            for action in row.actions {
                assert!(
                    seen.insert((row.service, *action)),
                    "{}:{action}",
                    row.service
                );
            }
            assert!(
                row.on
                    .iter()
                    .all(|on| *on == "*" || on.starts_with("arn:P:"))
            );
        }
    }
}
