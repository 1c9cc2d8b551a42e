"""Who a request is from: access key -> account and CloudTrail's `userIdentity`.

moto resolves keys too, but answers the default account for an unknown key, ignores inactive keys and looks
sessions up by a linear scan. Here an unknown key is refused as AWS refuses it, and every session is known.
"""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass, field
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from quell_range.errors import ApiError, expired_key, unknown_key

PARTITION = "aws"


@dataclass(frozen=True)
class Principal:
    """The caller of one call, as it was when it called."""

    account: str
    arn: str
    access_key_id: str
    user_identity: dict[str, Any]


@dataclass(frozen=True)
class Session:
    """Temporary credentials that STS gave out."""

    account: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    arn: str
    principal_id: str
    kind: str
    issuer: dict[str, Any]
    created: datetime.datetime
    expires: datetime.datetime
    user_name: str | None = None

    def user_identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = {
            "type": self.kind,
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.access_key_id,
        }
        if self.user_name:
            identity["userName"] = self.user_name
        identity["sessionContext"] = {
            "sessionIssuer": self.issuer,
            "webIdFederationData": {},
            "attributes": {"creationDate": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
        }
        return identity


@dataclass
class KeyRing:
    """All keys the range knows: IAM users' (kept by moto), sessions' and root users' (kept here)."""

    sessions: dict[str, Session] = field(default_factory=dict)
    roots: dict[str, tuple[str, str]] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_session(self, session: Session) -> None:
        with self._lock:
            self.sessions[session.access_key_id] = session
            if len(self.sessions) > 50_000:
                now = utcnow()
                self.sessions = {k: s for k, s in self.sessions.items() if s.expires > now}

    def resolve(self, access_key_id: str, token: str | None, protocol: str, service: str) -> Principal:
        """The principal of a key, or the refusal AWS would give."""
        session = self.sessions.get(access_key_id)
        if session is not None:
            if token != session.session_token:
                raise unknown_key(protocol, service)
            if session.expires <= utcnow():
                raise expired_key(protocol, service)
            return Principal(session.account, session.arn, access_key_id, session.user_identity())
        root = self.roots.get(access_key_id)
        if root is not None:
            return root_principal(root[0], access_key_id)
        return self._iam_user(access_key_id, unknown_key(protocol, service))

    def _iam_user(self, access_key_id: str, refusal: ApiError) -> Principal:
        for account in list(iam_backends.keys()):
            backend = iam_backends[account][PARTITION]
            key = backend.access_keys.get(access_key_id)
            if key is None:
                continue
            if key.role_arn is not None:
                return _session_of_moto(account, access_key_id, refusal)
            user = backend.users.get(key.user_name or "")
            if user is None or key.status != "Active":
                raise refusal
            identity = {
                "type": "IAMUser",
                "principalId": user.id,
                "arn": user.arn,
                "accountId": account,
                "accessKeyId": access_key_id,
                "userName": user.name,
            }
            return Principal(account, user.arn, access_key_id, identity)
        raise refusal


def _session_of_moto(account: str, access_key_id: str, refusal: ApiError) -> Principal:
    """A session moto made itself (AssumeRoleWithWebIdentity, AssumeRoleWithSAML)."""
    role = sts_backends[account][PARTITION].get_assumed_role_from_access_key(access_key_id)
    if role is None:
        raise refusal
    issuer = {"type": "Role", "arn": role.role_arn, "accountId": account, "userName": role.role_arn.rpartition("/")[2]}
    identity = {
        "type": "AssumedRole",
        "principalId": role.user_id,
        "arn": role.arn,
        "accountId": account,
        "accessKeyId": access_key_id,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
    }
    return Principal(account, role.arn, access_key_id, identity)


def root_principal(account: str, access_key_id: str) -> Principal:
    arn = f"arn:aws:iam::{account}:root"
    identity = {"type": "Root", "principalId": account, "arn": arn, "accountId": account, "accessKeyId": access_key_id}
    return Principal(account, arn, access_key_id, identity)


def anonymous(account: str) -> Principal:
    """The caller of an unsigned request."""
    return Principal(account, "anonymous", "", {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"})


def utcnow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
