"""Event names and sources that differ from the API's own names.

Each entry was seen in a real trail or stands in the service's page about CloudTrail; everything not listed here
is recorded under the operation's own name.
"""

from __future__ import annotations

from quell_range.services import service_metadata

_LAMBDA_2015 = ("CreateFunction", "DeleteFunction", "ListFunctions", "ListVersionsByFunction", "CreateEventSourceMapping",
                "DeleteEventSourceMapping", "UpdateEventSourceMapping", "GetEventSourceMapping", "ListEventSourceMappings",
                "PublishVersion", "CreateAlias", "UpdateAlias", "DeleteAlias")  # fmt: skip
_LAMBDA_2015_V2 = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission", "RemovePermission", "GetFunction",
                   "GetFunctionConfiguration", "GetPolicy")  # fmt: skip

_EVENT_NAMES: dict[tuple[str, str], str] = {
    **{("lambda", name): f"{name}20150331" for name in _LAMBDA_2015},
    **{("lambda", name): f"{name}20150331v2" for name in _LAMBDA_2015_V2},
    ("lambda", "PutFunctionConcurrency"): "PutFunctionConcurrency20171031",
    ("lambda", "DeleteFunctionConcurrency"): "DeleteFunctionConcurrency20171031",
    ("lambda", "TagResource"): "TagResource20170331v2",
    ("lambda", "UntagResource"): "UntagResource20170331v2",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "GetBucketLifecycleConfiguration"): "GetBucketLifecycle",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3", "PutObjectLockConfiguration"): "PutBucketObjectLockConfiguration",
    ("s3", "GetObjectLockConfiguration"): "GetBucketObjectLockConfiguration",
    ("s3", "PutBucketAccelerateConfiguration"): "PutAccelerateConfiguration",
    ("s3", "GetBucketAccelerateConfiguration"): "GetAccelerateConfiguration",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
    ("s3control", "DeletePublicAccessBlock"): "DeleteAccountPublicAccessBlock",
}

#: Event sources that are not the model's endpoint prefix.
_SOURCES = {
    "s3control": "s3",
    "ses": "ses",
    "sesv2": "ses",
    "cloudwatch": "monitoring",
    "sso-oidc": "sso-oauth",
    "application-autoscaling": "autoscaling",
    "lambda": "lambda",
}

#: Services with one endpoint: their records carry us-east-1.
_GLOBAL = frozenset({"iam", "organizations", "route53", "cloudfront", "account", "shield", "globalaccelerator", "ce", "budgets"})


def event_name(service: str, operation: str) -> str:
    return _EVENT_NAMES.get((service, operation), operation)


def source_prefix(service: str) -> str:
    """ "ec2" for ec2.amazonaws.com: also what EventBridge calls `aws.ec2`."""
    if service in _SOURCES:
        return _SOURCES[service]
    prefix = str(service_metadata(service).get("endpointPrefix", service))
    return prefix.rpartition(".")[2] if prefix.startswith(("api.", "data.", "runtime.")) else prefix


def event_region(service: str, region: str) -> str:
    return "us-east-1" if service in _GLOBAL else region


def client_host(service: str, region: str) -> str:
    """The host the client would have called on AWS."""
    prefix = str(service_metadata(service).get("endpointPrefix", service))
    return f"{prefix}.amazonaws.com" if service in _GLOBAL else f"{prefix}.{region}.amazonaws.com"
