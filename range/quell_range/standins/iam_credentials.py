"""IAM service-specific credentials: CodeCommit, Keyspaces, Bedrock and CloudWatch Logs keys of a user."""

from __future__ import annotations

import datetime
import re
import secrets
import string
from typing import Any

from moto.iam.models import iam_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION, utcnow
from quell_range.standins import stand_in

_SERVICES = ("codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com", "logs.amazonaws.com")
#: Those whose key is a bearer token: an alias and a secret instead of a user name and a password; they may expire.
_BEARER = ("bedrock.amazonaws.com", "logs.amazonaws.com")
_EACH_MAX = 2


@stand_in("iam", "CreateServiceSpecificCredential")
def create(call: Call) -> dict[str, Any]:
    user, service = _user(call), str(call.params.get("ServiceName", ""))
    if service not in _SERVICES:
        raise ApiError("ServiceNotSupportedException", f"No such service {service} is supported for this operation", 404)
    held = _held(user)
    if sum(1 for one in held.values() if one["ServiceName"] == service) >= _EACH_MAX:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {_EACH_MAX}", 409)
    days = call.params.get("CredentialAgeDays")
    if days is not None and service not in _BEARER:
        raise ApiError("InvalidInput", f"Credentials of {service} do not expire")
    made: dict[str, Any] = {
        "UserName": user.name,
        "Status": "Active",
        "CreateDate": utcnow(),
        "ServiceName": service,
        "ServiceSpecificCredentialId": "ACCA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(17)),
    }
    if service in _BEARER:
        made["ServiceCredentialAlias"] = f"{user.name}-at-{call.account}-{len(held) + 1}"
        if days is not None:
            made["ExpirationDate"] = made["CreateDate"] + datetime.timedelta(days=int(days))
    else:
        made["ServiceUserName"] = f"{user.name}+{len(held)}-at-{call.account}" if held else f"{user.name}-at-{call.account}"
    held[made["ServiceSpecificCredentialId"]] = made
    return {"ServiceSpecificCredential": {**made, **_secret(service)}}


@stand_in("iam", "ListServiceSpecificCredentials")
def list_all(call: Call) -> dict[str, Any]:
    everybody = call.params.get("AllUsers")
    users = list(iam_backends[call.account][PARTITION].users.values()) if everybody else [_user(call)]
    service = call.params.get("ServiceName")
    found = [one for user in users for one in _held(user).values() if service in (None, one["ServiceName"])]
    start, size = int(call.params.get("Marker") or 0), int(call.params.get("MaxItems") or 100)
    more = start + size < len(found)
    answer: dict[str, Any] = {"ServiceSpecificCredentials": found[start : start + size], "IsTruncated": more}
    return {**answer, "Marker": str(start + size)} if more else answer


@stand_in("iam", "UpdateServiceSpecificCredential")
def update(call: Call) -> dict[str, Any]:
    held, one = _find(call)
    status = str(call.params.get("Status", ""))
    if status not in ("Active", "Inactive"):
        raise ApiError(
            "ValidationError",
            f"1 validation error detected: Value '{status}' at 'status' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Active, Inactive]",
        )
    # A new one: what was answered or noted before does not change with it.
    held[one["ServiceSpecificCredentialId"]] = {**one, "Status": status}
    return {}


@stand_in("iam", "ResetServiceSpecificCredential")
def reset(call: Call) -> dict[str, Any]:
    held, one = _find(call)
    held[one["ServiceSpecificCredentialId"]] = renewed = {**one, "Status": "Active"}
    return {"ServiceSpecificCredential": {**renewed, **_secret(one["ServiceName"])}}


@stand_in("iam", "DeleteServiceSpecificCredential")
def delete(call: Call) -> dict[str, Any]:
    held, one = _find(call)
    del held[one["ServiceSpecificCredentialId"]]
    return {}


def _user(call: Call) -> Any:
    """The user who is named, or who asks."""
    name = str(call.params.get("UserName") or call.principal.user_identity.get("userName") or "")
    user = iam_backends[call.account][PARTITION].users.get(name)
    if user is None:
        raise ApiError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    return user


def _held(user: Any) -> dict[str, dict[str, Any]]:
    """A user's credentials by id; kept with moto's own user, and gone with it."""
    held: dict[str, dict[str, Any]] = user.__dict__.setdefault("service_specific_credentials", {})
    return held


def _find(call: Call) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    wanted = str(call.params.get("ServiceSpecificCredentialId", ""))
    held = _held(_user(call))
    if not re.fullmatch(r"\w{20,128}", wanted) or wanted not in held:
        raise ApiError("NoSuchEntity", f"No such credential {wanted} exists", 404)
    return held, held[wanted]


def _secret(service: str) -> dict[str, str]:
    return {"ServiceCredentialSecret" if service in _BEARER else "ServicePassword": secrets.token_urlsafe(32)}
