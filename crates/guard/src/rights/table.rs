//! What each action is about, by the Service Authorization Reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/>): of the types that an action takes, those that
//! playbooks give it. `P` stands for the partition, `A` for the account; a Region is never named, since a role is in all.

/// Actions of a service that are about the same.
pub(super) struct Row {
    /// The prefix of the actions.
    pub service: &'static str,
    /// Their names.
    pub actions: &'static [&'static str],
    /// What they are about.
    pub on: &'static [&'static str],
}

const fn row(
    service: &'static str,
    actions: &'static [&'static str],
    on: &'static [&'static str],
) -> Row {
    Row {
        service,
        actions,
        on,
    }
}

/// Actions that take no resource.
const ALL: &[&str] = &["*"];

const EIP: &str = "arn:P:ec2:*:A:elastic-ip/*";
const GROUP: &str = "arn:P:ec2:*:A:security-group/*";
const IMAGE: &str = "arn:P:ec2:*::image/*";
const INSTANCE: &str = "arn:P:ec2:*:A:instance/*";
const INTERFACE: &str = "arn:P:ec2:*:A:network-interface/*";
const RULE: &str = "arn:P:ec2:*:A:security-group-rule/*";
const SNAPSHOT: &str = "arn:P:ec2:*::snapshot/*";
const VOLUME: &str = "arn:P:ec2:*:A:volume/*";
const VPC: &str = "arn:P:ec2:*:A:vpc/*";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("autoscaling", &["DescribeAutoScalingGroups", "DescribeAutoScalingInstances"], ALL),
    row("autoscaling", &["AttachInstances", "DetachInstances", "ResumeProcesses", "SetInstanceProtection", "SuspendProcesses"],
        &["arn:P:autoscaling:*:A:autoScalingGroup:*:autoScalingGroupName/*"]),
    row("cloudtrail", &["LookupEvents"], ALL),
    row("cloudtrail", &["AddTags", "CreateTrail", "DeleteTrail", "GetEventSelectors", "GetInsightSelectors", "GetTrail", "GetTrailStatus", "PutEventSelectors",
        "PutInsightSelectors", "StartLogging", "StopLogging", "UpdateTrail"], &["arn:P:cloudtrail:*:A:trail/*"]),
    row("cloudwatch", &["GetMetricData", "GetMetricStatistics"], ALL),
    row("config", &["DeleteDeliveryChannel", "DescribeDeliveryChannels", "PutConfigurationRecorder", "PutDeliveryChannel"], ALL),
    row("config", &["DeleteConfigurationRecorder", "DescribeConfigurationRecorderStatus", "DescribeConfigurationRecorders", "StartConfigurationRecorder",
        "StopConfigurationRecorder"], &["arn:P:config:*:A:configuration-recorder/*"]),
    row("dynamodb", &["DescribeContinuousBackups", "DescribeTable", "UpdateContinuousBackups", "UpdateTable"], &["arn:P:dynamodb:*:A:table/*"]),
    row("ec2", &["DescribeAddresses", "DescribeFleets", "DescribeIamInstanceProfileAssociations", "DescribeImages", "DescribeInstances", "DescribeLockedSnapshots",
        "DescribeNetworkAcls", "DescribeNetworkInterfaces", "DescribeSecurityGroupRules", "DescribeSecurityGroups", "DescribeSnapshots", "DescribeVpcs"], ALL),
    row("ec2", &["AssociateAddress", "DisassociateAddress"], &[EIP, INTERFACE]),
    row("ec2", &["AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"], &[GROUP, RULE]),
    row("ec2", &["CreateSecurityGroup"], &[GROUP, VPC]),
    row("ec2", &["DeleteSecurityGroup", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"], &[GROUP]),
    row("ec2", &["CreateSnapshots"], &[INSTANCE, SNAPSHOT, VOLUME]),
    row("ec2", &["CreateTags"], &[GROUP, RULE, INSTANCE, SNAPSHOT]),
    row("ec2", &["DescribeInstanceAttribute", "ModifyInstanceAttribute", "ModifyInstanceMetadataOptions",
        "ReplaceIamInstanceProfileAssociation", "StartInstances", "StopInstances"], &[INSTANCE]),
    row("ec2", &["CreateNetworkAclEntry", "DeleteNetworkAclEntry"], &["arn:P:ec2:*:A:network-acl/*"]),
    row("ec2", &["DescribeImageAttribute", "ModifyImageAttribute"], &[IMAGE]),
    row("ec2", &["DescribeSnapshotAttribute", "ModifySnapshotAttribute"], &[SNAPSHOT]),
    row("ec2", &["GetManagedPrefixListEntries"], &["arn:P:ec2:*:*:prefix-list/*"]),
    row("ec2", &["LockSnapshot"], &[SNAPSHOT]),
    row("ec2", &["ModifyFleet"], &["arn:P:ec2:*:A:fleet/*", IMAGE, "arn:P:ec2:*:A:launch-template/*", "arn:P:ec2:*:A:subnet/*"]),
    row("ec2", &["ModifyNetworkInterfaceAttribute"], &[INTERFACE, GROUP]),
    row("ecs", &["DescribeTaskDefinition"], ALL),
    // What the tasks are listed of is named by its cluster, not by an instance: that is in the place of its ARN.
    row("ecs", &["ListTasks"], &["arn:P:ecs:*:A:container-instance/*"]),
    row("ecs", &["DescribeServices", "UpdateService"], &["arn:P:ecs:*:A:service/*/*"]),
    row("ecs", &["DescribeTasks", "StopTask"], &["arn:P:ecs:*:A:task/*/*"]),
    row("eks", &["DescribeCluster", "ListAccessEntries", "UpdateClusterConfig"], &["arn:P:eks:*:A:cluster/*"]),
    row("elasticloadbalancing", &["DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth"], ALL),
    row("elasticloadbalancing", &["DeregisterTargets", "RegisterTargets"], &["arn:P:elasticloadbalancing:*:A:targetgroup/*"]),
    row("elasticloadbalancing", &["DeregisterInstancesFromLoadBalancer", "RegisterInstancesWithLoadBalancer"], &["arn:P:elasticloadbalancing:*:A:loadbalancer/*"]),
    row("events", &["DescribeRule", "DisableRule", "EnableRule", "ListTargetsByRule"], &["arn:P:events:*:A:rule/*"]),
    row("guardduty", &["ListDetectors", "ListIPSets"], ALL),
    row("guardduty", &["GetDetector", "UpdateDetector"], &["arn:P:guardduty:*:A:detector/*"]),
    row("guardduty", &["GetIPSet", "UpdateIPSet"], &["arn:P:guardduty:*:A:detector/*/ipset/*"]),
    row("iam", &["GetAccountSummary"], ALL),
    row("iam", &["AddUserToGroup", "AttachGroupPolicy", "DeleteGroupPolicy", "DetachGroupPolicy", "GetGroup", "GetGroupPolicy", "ListAttachedGroupPolicies",
        "ListGroupPolicies", "PutGroupPolicy", "RemoveUserFromGroup"], &["arn:P:iam::A:group/*"]),
    row("iam", &["AttachUserPolicy", "DeleteUserPermissionsBoundary", "DeleteUserPolicy", "DetachUserPolicy", "GetAccessKeyLastUsed", "GetLoginProfile", "GetUser",
        "GetUserPolicy", "ListAccessKeys", "ListAttachedUserPolicies", "ListGroupsForUser", "ListSSHPublicKeys", "ListServiceSpecificCredentials",
        "ListSigningCertificates", "ListUserPolicies", "PutUserPermissionsBoundary", "PutUserPolicy", "UpdateAccessKey", "UpdateSSHPublicKey",
        "UpdateServiceSpecificCredential", "UpdateSigningCertificate"], &["arn:P:iam::A:user/*"]),
    row("iam", &["AttachRolePolicy", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies",
        "ListRolePolicies", "PassRole", "PutRolePermissionsBoundary", "PutRolePolicy", "UpdateAssumeRolePolicy"], &["arn:P:iam::A:role/*"]),
    // Managed policies of AWS are in no account; those of another cannot be read.
    row("iam", &["GetPolicy", "GetPolicyVersion", "ListEntitiesForPolicy", "ListPolicyVersions"], &["arn:P:iam::*:policy/*"]),
    row("iam", &["SetDefaultPolicyVersion"], &["arn:P:iam::A:policy/*"]),
    row("iam", &["GetInstanceProfile"], &["arn:P:iam::A:instance-profile/*"]),
    row("iam", &["SimulatePrincipalPolicy"], &["arn:P:iam::A:group/*", "arn:P:iam::A:role/*", "arn:P:iam::A:user/*"]),
    // A key may be another account's: a bucket or a disk can be encrypted with it.
    row("kms", &["CreateGrant", "DescribeKey"], &["arn:P:kms:*:*:key/*"]),
    row("kms", &["CancelKeyDeletion", "DisableKey", "EnableKey", "GetKeyLastUsage", "GetKeyPolicy", "ListGrants", "PutKeyPolicy"], &["arn:P:kms:*:A:key/*"]),
    row("lambda", &["ListEventSourceMappings"], ALL),
    row("lambda", &["AddPermission", "DeleteFunctionConcurrency", "GetFunctionConcurrency", "GetFunctionConfiguration", "GetFunctionUrlConfig", "GetPolicy",
        "ListAliases", "ListProvisionedConcurrencyConfigs", "PutFunctionConcurrency", "RemovePermission", "UpdateFunctionUrlConfig"],
        &["arn:P:lambda:*:A:function:*"]),
    row("lambda", &["DeleteProvisionedConcurrencyConfig", "PutProvisionedConcurrencyConfig"], &["arn:P:lambda:*:A:function:*:*"]),
    row("network-firewall", &["DescribeRuleGroup", "UpdateRuleGroup"],
        &["arn:P:network-firewall:*:A:stateful-rulegroup/*", "arn:P:network-firewall:*:A:stateless-rulegroup/*"]),
    row("organizations", &["DescribeOrganization", "ListPolicies"], ALL),
    row("organizations", &["DescribeAccount"], &["arn:P:organizations::A:account/*"]),
    row("organizations", &["AttachPolicy", "DetachPolicy"], &["arn:P:organizations::A:account/*", "arn:P:organizations::A:policy/*/service_control_policy/*"]),
    row("organizations", &["DescribePolicy"], &["arn:P:organizations::A:policy/*/service_control_policy/*"]),
    row("organizations", &["ListPoliciesForTarget"], &["arn:P:organizations::A:account/*"]),
    row("rds", &["DescribeDBClusterSnapshotAttributes", "ModifyDBClusterSnapshotAttribute"], &["arn:P:rds:*:A:cluster-snapshot:*"]),
    row("rds", &["DescribeDBClusters", "ModifyDBCluster"], &["arn:P:rds:*:A:cluster:*"]),
    row("rds", &["DescribeDBInstances", "ModifyDBInstance"], &["arn:P:rds:*:A:db:*"]),
    row("rds", &["CreateDBSnapshot", "DescribeDBSnapshots"], &["arn:P:rds:*:A:db:*", "arn:P:rds:*:A:snapshot:*"]),
    row("rds", &["AddTagsToResource"], &["arn:P:rds:*:A:snapshot:*"]),
    row("rds", &["DescribeDBSnapshotAttributes", "ModifyDBSnapshotAttribute"], &["arn:P:rds:*:A:snapshot:*"]),
    row("s3", &["GetAccountPublicAccessBlock", "ListAccessPoints", "ListAllMyBuckets", "ListJobs"], ALL),
    row("s3", &["DescribeJob", "UpdateJobStatus"], &["arn:P:s3:*:A:job/*"]),
    row("s3", &["DeleteBucketPolicy", "GetBucketAcl", "GetBucketCORS", "GetBucketLogging", "GetBucketNotification", "GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPolicyStatus",
        "GetBucketPublicAccessBlock", "GetBucketVersioning", "GetBucketWebsite", "GetEncryptionConfiguration", "GetLifecycleConfiguration",
        "GetReplicationConfiguration", "PutBucketLogging", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketVersioning", "PutEncryptionConfiguration",
        "PutLifecycleConfiguration", "PutReplicationConfiguration"], &["arn:P:s3:::*"]),
    row("ssm", &["DescribeDocumentPermission", "ModifyDocumentPermission"], &["arn:P:ssm:*:A:document/*"]),
    row("wafv2", &["GetIPSet", "UpdateIPSet"], &["arn:P:wafv2:*:A:*/ipset/*"]),
];
