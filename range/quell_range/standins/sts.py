"""STS: roles must exist and trust the caller; every session works and belongs to its account."""

from __future__ import annotations

import datetime
import fnmatch
import json
import re
import secrets
import string
from typing import Any

from moto.iam.models import iam_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION, KeyRing, Session, utcnow
from quell_range.standins import stand_in

_ROLE_ARN = re.compile(r"^arn:aws:iam::(\d{12}):role/(.+)$")
_SESSION_NAME = re.compile(r"^[\w+=,.@-]{2,64}$")

#: The ring that new sessions join; set once at start-up.
KEYS = KeyRing()


@stand_in("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    arn = str(call.params.get("RoleArn", ""))
    name = str(call.params.get("RoleSessionName", ""))
    if not _SESSION_NAME.match(name):
        raise ApiError("ValidationError", f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint")
    match = _ROLE_ARN.match(arn)
    if match is None:
        raise ApiError("ValidationError", f"{arn} is invalid")
    account, role_name = match.group(1), match.group(2).rpartition("/")[2]
    role = iam_backends[account][PARTITION].roles if account in KEYS.accounts else {}
    found = next((r for r in role.values() if r.arn == arn), None)
    if found is None or not _trusts(found.assume_role_policy_document, call):
        call.notes["hide_request"] = True
        raise ApiError("AccessDenied", f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}", 403)
    seconds = int(call.params.get("DurationSeconds") or 3600)
    longest = int(found.max_session_duration or 3600)
    if not 900 <= seconds <= longest:
        raise ApiError("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    issuer = {"type": "Role", "principalId": found.id, "arn": arn, "accountId": account, "userName": role_name}
    session_arn = f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}"
    session = _session(account, session_arn, f"{found.id}:{name}", "AssumedRole", issuer, seconds)
    call.notes["other_account"] = account
    call.notes["resources"] = [{"accountId": account, "type": "AWS::IAM::Role", "ARN": arn}]
    result: dict[str, Any] = {
        "Credentials": _credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": session.principal_id, "Arn": session_arn},
    }
    if call.params.get("Policy"):
        result["PackedPolicySize"] = min(100, len(call.params["Policy"]) // 20)
    return result


@stand_in("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    identity = call.principal.user_identity
    return {"UserId": identity["principalId"], "Account": call.account, "Arn": call.principal.arn}


@stand_in("sts", "GetSessionToken")
def get_session_token(call: Call) -> dict[str, Any]:
    identity = call.principal.user_identity
    if identity["type"] not in ("IAMUser", "Root") or "sessionContext" in identity:
        raise ApiError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    seconds = int(call.params.get("DurationSeconds") or 43_200)
    session = _session(call.account, call.principal.arn, identity["principalId"], identity["type"], {}, seconds, identity.get("userName"))
    return {"Credentials": _credentials(session)}


@stand_in("sts", "GetFederationToken")
def get_federation_token(call: Call) -> dict[str, Any]:
    identity = call.principal.user_identity
    if identity["type"] not in ("IAMUser", "Root") or "sessionContext" in identity:
        raise ApiError("AccessDenied", "Cannot call GetFederationToken with session credentials", 403)
    name = str(call.params.get("Name", ""))
    issuer: dict[str, Any] = {key: identity[key] for key in ("type", "principalId", "arn", "accountId", "userName") if key in identity}
    arn = f"arn:aws:sts::{call.account}:federated-user/{name}"
    seconds = int(call.params.get("DurationSeconds") or 43_200)
    session = _session(call.account, arn, f"{call.account}:{name}", "FederatedUser", issuer, seconds)
    return {
        "Credentials": _credentials(session),
        "FederatedUser": {"FederatedUserId": f"{call.account}:{name}", "Arn": arn},
        "PackedPolicySize": 4,
    }


def _session(
    account: str, arn: str, principal_id: str, kind: str, issuer: dict[str, Any], seconds: int, user_name: str | None = None
) -> Session:
    now = utcnow()
    session = Session(
        account=account,
        access_key_id="ASIA" + _random(string.ascii_uppercase + "234567", 16),
        secret_access_key=_random(string.ascii_letters + string.digits + "+/", 40),
        session_token="IQoJb3JpZ2luX2Vj" + _random(string.ascii_letters + string.digits + "+/", 320),
        arn=arn,
        principal_id=principal_id,
        kind=kind,
        issuer=issuer,
        created=now,
        expires=now + datetime.timedelta(seconds=seconds),
        user_name=user_name,
    )
    KEYS.add_session(session)
    return session


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires.replace(tzinfo=None),
    }


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _trusts(document: Any, call: Call) -> bool:
    """Whether the role's trust policy lets the caller in: an explicit Deny wins, then any Allow."""
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    hits = [s for s in statements if _acts(s) and _names(s.get("Principal", {}), call) and _conditions_hold(s.get("Condition", {}), call)]
    return any(s["Effect"] == "Allow" for s in hits) and not any(s["Effect"] == "Deny" for s in hits)


def _acts(statement: dict[str, Any]) -> bool:
    return any(fnmatch.fnmatchcase("sts:assumerole", str(action).lower()) for action in _list(statement.get("Action", [])))


def _names(principal: Any, call: Call) -> bool:
    if principal == "*":
        return True
    identity = call.principal.user_identity
    role_arn = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
    accepted = {"*", call.account, f"arn:aws:iam::{call.account}:root", call.principal.arn, role_arn}
    return any(entry in accepted for entry in _list(principal.get("AWS", [])))


def _conditions_hold(conditions: dict[str, Any], call: Call) -> bool:
    """Checks what a caller can get wrong here: the external id. Conditions on other keys are taken to hold."""
    given = call.params.get("ExternalId")
    for operator, tests in conditions.items():
        for key, wanted in tests.items():
            if key.lower() != "sts:externalid":
                continue
            values = [str(value) for value in _list(wanted)]
            like = operator.lower().startswith("stringlike")
            hit = given is not None and any(fnmatch.fnmatchcase(given, v) if like else given == v for v in values)
            if hit == ("not" in operator.lower()):
                return False
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
