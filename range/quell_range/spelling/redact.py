"""What CloudTrail leaves out or hides.

The hidden words are AWS's own, from real trails; where a service's rule is unknown the member is dropped.
"""

from __future__ import annotations

from typing import Any

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

#: Members dropped wherever they appear, in requests and answers (spelt as in records).
_DROPPED = frozenset(
    {
        "secretAccessKey", "secretString", "secretBinary", "password", "newPassword", "oldPassword", "zipFile", "plaintext",
        "ciphertextBlob", "privateKey", "keyMaterial", "serviceSpecificCredential", "base32StringSeed", "qRCodePNG", "authToken",
        "clientSecret", "environment",
    }
)  # fmt: skip

#: (service, operation or "*", member) -> what stands in its place.
_REPLACED: dict[tuple[str, str, str], Any] = {
    ("ec2", "*", "userData"): "<sensitiveDataRemoved>",
    ("ssm", "PutParameter", "value"): _HIDDEN,
    ("ssm", "SendCommand", "parameters"): _HIDDEN,
    ("ssm", "StartSession", "tokenValue"): "Value hidden due to security reasons.",
    ("rds", "*", "masterUserPassword"): "****",
    ("redshift", "*", "masterUserPassword"): "****",
}

#: Answers of which a record keeps only these members.
_KEPT_OF_ANSWER: dict[str, frozenset[str]] = {"secretsmanager": frozenset({"arn", "aRN", "name", "deletionDate", "versionId"})}


def redact(service: str, operation: str, value: Any, answer: bool = False) -> Any:
    if answer and service in _KEPT_OF_ANSWER and isinstance(value, dict):
        value = {k: v for k, v in value.items() if k in _KEPT_OF_ANSWER[service]}
        if operation in ("CreateSecret", "PutSecretValue") and "aRN" in value:
            return {"arn": value["aRN"]}
    return _walk(service, operation, value)


def _walk(service: str, operation: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_walk(service, operation, item) for item in value]
    if not isinstance(value, dict):
        return value
    walked: dict[str, Any] = {}
    for key, item in value.items():
        replaced = _REPLACED.get((service, operation, key), _REPLACED.get((service, "*", key)))
        if replaced is not None:
            walked[key] = replaced
        elif key == "environment" and service == "lambda":
            walked[key] = {}
        elif key not in _DROPPED or (key == "environment" and isinstance(item, str)):
            walked[key] = _walk(service, operation, item)
    return walked
