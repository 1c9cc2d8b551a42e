"""AWS Organizations: only the account that manages it may, what is attached is not attached again, and there is room for five."""

from __future__ import annotations

from typing import Any

from moto.organizations.models import organizations_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION
from quell_range.standins import check

#: So many policies of a type fit on an account.
_ATTACHED_MAX = 5


@check("organizations", "*")
def managing(call: Call) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_permissions_overview.html"""
    if call.operation not in ("DescribeOrganization", "LeaveOrganization") and call.account in organizations_backends.master_accounts:
        raise ApiError("AccessDeniedException", "You don't have permissions to access this resource.")


@check("organizations", "AttachPolicy")
def attach(call: Call) -> None:
    policy, account = _found(call)
    if policy is None or account is None:
        return
    if policy in account.attached_policies:
        raise ApiError("DuplicatePolicyAttachmentException", "A policy with the same name already exists.")
    if sum(p.type == policy.type for p in account.attached_policies) >= _ATTACHED_MAX:
        raise ApiError("ConstraintViolationException", "You have attached the maximum number of policies to the specified target.")


@check("organizations", "DetachPolicy")
def detach(call: Call) -> None:
    policy, account = _found(call)
    if policy is not None and account is not None and policy not in account.attached_policies:
        raise ApiError("PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")


def _found(call: Call) -> tuple[Any, Any]:
    backend = organizations_backends[call.account][PARTITION]
    policy = next((p for p in backend.policies if p.id == call.params.get("PolicyId")), None)
    return policy, next((a for a in backend.accounts if a.id == call.params.get("TargetId")), None)
