"""What IAM refuses and moto does not: protected roles, quotas, statuses that there are not; and what moto leaves out of users."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from moto.iam import models
from moto.iam.models import iam_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION
from quell_range.standins import check, stand_in

#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: managed policies each, and characters of all inline ones.
ATTACHED_MAX = 10
INLINE_CHARS_MAX = {"User": 2048, "Group": 5120, "Role": 10_240}
_KINDS = ("User", "Group", "Role")


@check(
    "iam", "AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "UpdateAssumeRolePolicy", "UpdateRole",
    "DeleteRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
)  # fmt: skip
def protected_role(call: Call) -> None:
    """Roles that only AWS may change: service-linked ones, and Identity Center's."""
    role = _named(call, "Role")
    if role is not None and role.path.startswith(("/aws-service-role/", "/aws-reserved/")):
        raise ApiError(
            "UnmodifiableEntity", f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )


@stand_in("iam", *(f"Attach{kind}Policy" for kind in _KINDS))
def attach(call: Call) -> dict[str, Any] | None:
    kind = call.operation.removeprefix("Attach").removesuffix("Policy")
    holder = _named(call, kind)
    if holder is None:
        return None
    if call.params.get("PolicyArn") in holder.managed_policies:
        # Nothing to do; moto would count the attachment again.
        return {}
    if len(holder.managed_policies) >= ATTACHED_MAX:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {ATTACHED_MAX}", 409)
    return None


@check("iam", *(f"Put{kind}Policy" for kind in _KINDS))
def inline_size(call: Call) -> None:
    """All inline policies of one holder together; white space does not count."""
    kind = call.operation.removeprefix("Put").removesuffix("Policy")
    holder = _named(call, kind)
    if holder is None:
        return
    documents = {**holder.policies, str(call.params.get("PolicyName")): str(call.params.get("PolicyDocument", ""))}
    most = INLINE_CHARS_MAX[kind]
    if sum(len("".join(document.split())) for document in documents.values()) > most:
        raise ApiError("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind.lower()} {holder.name}", 409)


@check("iam", "UpdateAccessKey", "UpdateSigningCertificate", "UpdateSSHPublicKey")
def status(call: Call) -> None:
    given = str(call.params.get("Status", ""))
    if given not in ("Active", "Inactive"):
        raise ApiError(
            "ValidationError",
            f"1 validation error detected: Value '{given}' at 'status' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Active, Inactive]",
        )


@stand_in("iam", "PutUserPermissionsBoundary")
def put_boundary(call: Call) -> dict[str, Any]:
    user, arn = _user(call), str(call.params.get("PermissionsBoundary", ""))
    if arn not in iam_backends[call.account][PARTITION].managed_policies:
        raise ApiError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    user.permissions_boundary_arn = arn
    return {}


@stand_in("iam", "DeleteUserPermissionsBoundary")
def delete_boundary(call: Call) -> dict[str, Any]:
    user = _user(call)
    if getattr(user, "permissions_boundary_arn", None) is None:
        raise ApiError("NoSuchEntity", f"No permissions boundary is set for user {user.name}", 404)
    user.permissions_boundary_arn = None
    return {}


@stand_in("iam", "GetPolicyVersion")
def get_version(call: Call) -> dict[str, Any]:
    """As moto, with the document URL-encoded, as in every other answer of IAM."""
    backend = iam_backends[call.account][PARTITION]
    found = backend.get_policy_version(call.params["PolicyArn"], call.params["VersionId"])
    return {
        "PolicyVersion": {
            "Document": quote(found.document, safe=""),
            "VersionId": found.version_id,
            "IsDefaultVersion": found.is_default,
            "CreateDate": found.create_date,
        }
    }


def install() -> None:
    """What moto's own answers show of users and versions."""

    def boundary(self: Any) -> dict[str, str] | None:
        arn = getattr(self, "permissions_boundary_arn", None)
        return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn} if arn else None

    def update_default_version(self: Any, new_default_version_id: str) -> None:
        # moto leaves no default at all when the default is set to what it is.
        for version in self.versions:
            version.is_default = version.version_id == new_default_version_id
        self.default_version_id = new_default_version_id

    models.User.permissions_boundary = property(boundary)  # type: ignore[attr-defined]
    models.Policy.update_default_version = update_default_version  # type: ignore[method-assign]


def _named(call: Call, kind: str) -> Any:
    """The user, group or role that a call names; None when there is none, which moto says itself."""
    backend = iam_backends[call.account][PARTITION]
    holders: dict[str, Any] = {"User": backend.users, "Group": backend.groups, "Role": backend.roles}[kind]
    name = call.params.get(f"{kind}Name")
    return next((holder for holder in holders.values() if holder.name == name), None)


def _user(call: Call) -> Any:
    user = _named(call, "User")
    if user is None:
        raise ApiError("NoSuchEntity", f"The user with name {call.params.get('UserName')} cannot be found.", 404)
    return user
