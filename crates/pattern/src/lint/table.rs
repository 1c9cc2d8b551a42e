//! What is known about the events of AWS services: who sends which detail-type, and, where the list is certain, the
//! fields directly inside `detail`. From the services' user guides ("Monitoring … with Amazon EventBridge") and, for
//! CloudTrail, "CloudTrail record contents". What is not here is not judged.

/// The events of one detail-type.
pub(super) struct Family {
    /// The `source`; [`ANY_SERVICE`] when every service has such events.
    pub(super) source: &'static str,
    /// The `detail-type`.
    pub(super) detail_type: &'static str,
    /// Every name that stands directly inside `detail`, when that is certain.
    pub(super) fields: Option<&'static [&'static str]>,
}

/// The source of events that each service sends in its own name, `aws.s3`.
pub(super) const ANY_SERVICE: &str = "aws.";

/// The fields around `detail` that every event has, each one text.
pub(super) const ENVELOPE: [&str; 7] = [
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
];

/// The other fields an event can have beside `detail`.
pub(super) const ENVELOPE_OTHER: [&str; 4] = ["resources", "detail", "replay-name", "trace-header"];

const CLOUDTRAIL: &[&str] = &[
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "eventType",
    "apiVersion",
    "managementEvent",
    "readOnly",
    "resources",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "addendum",
    "sessionCredentialFromConsole",
    "eventContext",
    "edgeDeviceDetails",
    "tlsDetails",
];

const GUARDDUTY_FINDING: &[&str] = &[
    "schemaVersion",
    "accountId",
    "region",
    "partition",
    "id",
    "arn",
    "type",
    "resource",
    "service",
    "severity",
    "confidence",
    "createdAt",
    "updatedAt",
    "title",
    "description",
    "associatedAttackSequenceArn",
];

const CONFIG_COMPLIANCE: &[&str] = &[
    "resourceId",
    "awsRegion",
    "awsAccountId",
    "configRuleName",
    "recordVersion",
    "configRuleARN",
    "messageType",
    "newEvaluationResult",
    "oldEvaluationResult",
    "notificationCreationTime",
    "resourceType",
    "evaluationMode",
    "resourceEvaluationId",
];

const CONFIG_ITEM: &[&str] = &[
    "recordVersion",
    "messageType",
    "configurationItem",
    "configurationItemDiff",
    "configurationItemSummary",
    "notificationCreationTime",
    "s3DeliverySummary",
];

const SECURITY_HUB_ACTION: &[&str] = &["actionName", "actionDescription", "findings"];

const SECURITY_HUB_INSIGHT: &[&str] = &[
    "actionName",
    "actionDescription",
    "insightArn",
    "insightName",
    "resultType",
    "number of results",
    "insightResults",
];

const fn family(
    source: &'static str,
    detail_type: &'static str,
    fields: Option<&'static [&'static str]>,
) -> Family {
    Family {
        source,
        detail_type,
        fields,
    }
}

/// Every detail-type that is known.
pub(super) static FAMILIES: &[Family] = &[
    family(ANY_SERVICE, "AWS API Call via CloudTrail", Some(CLOUDTRAIL)),
    family(
        ANY_SERVICE,
        "AWS Service Event via CloudTrail",
        Some(CLOUDTRAIL),
    ),
    family(
        ANY_SERVICE,
        "AWS Console Action via CloudTrail",
        Some(CLOUDTRAIL),
    ),
    family(
        "aws.signin",
        "AWS Console Sign In via CloudTrail",
        Some(CLOUDTRAIL),
    ),
    family(
        "aws.guardduty",
        "GuardDuty Finding",
        Some(GUARDDUTY_FINDING),
    ),
    family(
        "aws.guardduty",
        "GuardDuty Malware Protection Object Scan Result",
        None,
    ),
    family(
        "aws.guardduty",
        "GuardDuty Malware Protection Post Scan Action Failed",
        None,
    ),
    family(
        "aws.guardduty",
        "GuardDuty Malware Protection Resource Status Active",
        None,
    ),
    family(
        "aws.guardduty",
        "GuardDuty Malware Protection Resource Status Error",
        None,
    ),
    family(
        "aws.guardduty",
        "GuardDuty Malware Protection Resource Status Warning",
        None,
    ),
    family(
        "aws.config",
        "Config Rules Compliance Change",
        Some(CONFIG_COMPLIANCE),
    ),
    family(
        "aws.config",
        "Config Configuration Item Change",
        Some(CONFIG_ITEM),
    ),
    family("aws.config", "Config Rules Evaluation Status", None),
    family("aws.config", "Config Rules Re-evaluation Status", None),
    family(
        "aws.config",
        "Config Configuration Snapshot Delivery Status",
        None,
    ),
    family(
        "aws.config",
        "Config Configuration History Delivery Status",
        None,
    ),
    family(
        "aws.securityhub",
        "Security Hub Findings - Imported",
        Some(&["findings"]),
    ),
    family(
        "aws.securityhub",
        "Security Hub Findings - Custom Action",
        Some(SECURITY_HUB_ACTION),
    ),
    family(
        "aws.securityhub",
        "Security Hub Insight Results",
        Some(SECURITY_HUB_INSIGHT),
    ),
    family("aws.inspector2", "Inspector2 Finding", None),
    family("aws.inspector2", "Inspector2 Scan", None),
    family("aws.inspector2", "Inspector2 Coverage", None),
    family("aws.macie", "Macie Finding", None),
    family("aws.access-analyzer", "Access Analyzer Finding", None),
    family("aws.health", "AWS Health Event", None),
    family("aws.health", "AWS Health Abuse Event", None),
    family(
        "aws.ec2",
        "EC2 Instance State-change Notification",
        Some(&["instance-id", "state"]),
    ),
    family("aws.ec2", "EC2 Spot Instance Interruption Warning", None),
    family("aws.ec2", "EBS Snapshot Notification", None),
    family("aws.ec2", "EBS Volume Notification", None),
    family("aws.s3", "Object Created", None),
    family("aws.s3", "Object Deleted", None),
    family("aws.s3", "Object Access Tier Changed", None),
    family("aws.s3", "Object Restore Completed", None),
    family("aws.ecs", "ECS Task State Change", None),
    family("aws.states", "Step Functions Execution Status Change", None),
    family("aws.cloudwatch", "CloudWatch Alarm State Change", None),
    family("aws.events", "Scheduled Event", None),
];
