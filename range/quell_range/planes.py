"""Which calls change something, which read, and which a default trail does not record."""

from __future__ import annotations

_READ_PREFIXES = (
    "Get", "List", "Describe", "Head", "Lookup", "Search", "Query", "Scan", "Select", "BatchGet", "BatchDescribe",
    "Filter", "Receive", "Check", "Validate", "Simulate", "Preview", "Estimate", "View", "Test", "Generate", "Decode",
)  # fmt: skip

#: Calls that read although their name does not say so (CloudTrail marks them readOnly).
_READS = frozenset(
    {
        ("kms", "Encrypt"), ("kms", "Decrypt"), ("kms", "ReEncrypt"), ("kms", "Sign"), ("kms", "Verify"),
        ("kms", "GenerateMac"), ("kms", "VerifyMac"), ("logs", "StartQuery"), ("logs", "StopQuery"),
        ("sts", "AssumeRole"), ("sts", "AssumeRoleWithSAML"), ("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoot"),
    }
)  # fmt: skip

#: Calls that begin like a read but change something.
_CHANGES = frozenset({("iam", "GenerateCredentialReport"), ("iam", "GenerateServiceLastAccessedDetails")})

#: Sign-ins: they change no resource, but every trail's reader needs them.
_SIGN_INS = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetFederationToken"})

#: A queue's consumer would drown the journal of changes: taking a message is not a change anyone asks about.
_CONSUMER = frozenset({"ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"})

#: Data events, which a trail records only when told to (https://docs.aws.amazon.com/awscloudtrail/, "Logging data events").
_DATA: dict[str, frozenset[str]] = {
    "sqs": _CONSUMER | {"SendMessage", "SendMessageBatch"},
    "sns": frozenset({"Publish", "PublishBatch"}),
    "dynamodb": frozenset(
        {"PutItem", "GetItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "BatchGetItem", "Query", "Scan", "TransactWriteItems",
         "TransactGetItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
    ),
    "dynamodbstreams": frozenset({"GetRecords", "GetShardIterator"}),
    "kinesis": frozenset({"PutRecord", "PutRecords", "GetRecords", "GetShardIterator", "SubscribeToShard"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "logs": frozenset({"PutLogEvents", "GetLogEvents", "FilterLogEvents"}),
    "events": frozenset({"PutEvents"}),
    "cloudwatch": frozenset({"PutMetricData", "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "xray": frozenset({"PutTraceSegments", "PutTelemetryRecords"}),
    "s3": frozenset(
        {"PutObject", "GetObject", "HeadObject", "DeleteObject", "DeleteObjects", "CopyObject", "ListObjects", "ListObjectsV2",
         "ListObjectVersions", "HeadBucket", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging",
         "DeleteObjectTagging", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
         "AbortMultipartUpload", "ListParts", "ListMultipartUploads", "SelectObjectContent", "RestoreObject", "PutObjectRetention",
         "GetObjectRetention", "PutObjectLegalHold", "GetObjectLegalHold", "GetObjectAttributes", "GetObjectTorrent", "PostObject"}
    ),
}  # fmt: skip


def is_data(service: str, operation: str) -> bool:
    return operation in _DATA.get(service, ())


def is_read(service: str, operation: str) -> bool:
    """What CloudTrail calls `readOnly`."""
    if (service, operation) in _CHANGES:
        return False
    return (service, operation) in _READS or operation.startswith(_READ_PREFIXES)


def is_changing(service: str, operation: str) -> bool:
    """What the journal calls `changing`: writes of both planes, without a queue's consumer."""
    return not is_read(service, operation) and not (service == "sqs" and operation in _CONSUMER)


def is_sign_in(service: str, operation: str) -> bool:
    return service == "sts" and operation in _SIGN_INS


def goes_to_eventbridge(event_name: str) -> bool:
    """EventBridge drops the events named List, Get and Describe, except two of STS.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    return event_name in ("GetSessionToken", "GetFederationToken") or not event_name.startswith(("List", "Get", "Describe"))
