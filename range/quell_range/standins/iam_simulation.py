"""IAM's policy simulator: what a principal's own policies, and more that are given, say to actions."""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends

from quell_range import permissions, policies
from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION
from quell_range.standins import stand_in

#: One policy with what the simulator calls it.
Source = tuple[str, str, str]


@stand_in("iam", "SimulatePrincipalPolicy")
def simulate_principal(call: Call) -> dict[str, Any]:
    backend = iam_backends[call.account][PARTITION]
    arn = str(call.params.get("PolicySourceArn", ""))
    kind, _, name = arn.partition(":iam:")[2].rpartition(":")[2].partition("/")
    name = name.rpartition("/")[2]
    holders = {"user": backend.users, "role": backend.roles, "group": backend.groups}.get(kind)
    if holders is None:
        raise ApiError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    holder = next((one for one in holders.values() if one.arn == arn), None)
    if holder is None:
        raise ApiError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    groups = [group for group in backend.groups.values() if holder in group.users] if kind == "user" else []
    sources = [*_of(kind, holder), *(source for group in groups for source in _of("group", group))]
    context = {"aws:principalarn": [arn], "aws:principalaccount": [call.account]}
    if kind == "user":
        context |= {"aws:username": [holder.name], "aws:userid": [holder.id]}
    boundary = getattr(holder, "permissions_boundary_arn", None)
    bounds = [permissions.document_of(backend.managed_policies[boundary])] if boundary in backend.managed_policies else None
    return _simulate(call, sources, context, bounds)


@stand_in("iam", "SimulateCustomPolicy")
def simulate_custom(call: Call) -> dict[str, Any]:
    return _simulate(call, [], {}, None)


def _of(kind: str, holder: Any) -> list[Source]:
    inline = [(f"{kind}_{holder.name}_{name}", kind, document) for name, document in holder.policies.items()]
    managed = [
        (policy.name, "aws-managed" if ":iam::aws:" in policy.arn else "user-managed", permissions.document_of(policy))
        for policy in holder.managed_policies.values()
    ]
    return [*inline, *managed]


def _simulate(call: Call, own: list[Source], known: dict[str, list[str]], bounds: list[str] | None) -> dict[str, Any]:
    given = [(f"PolicyInputList.{n + 1}", "none", str(d)) for n, d in enumerate(call.params.get("PolicyInputList") or [])]
    if call.params.get("PermissionsBoundaryPolicyInputList"):
        bounds = [str(document) for document in call.params["PermissionsBoundaryPolicyInputList"]]
    sources = [*own, *given]
    for name, _, document in given:
        if not policies.statements(document):
            raise ApiError("InvalidInput", f"{name}: Syntax errors in policy.")
    context = dict(known)
    for entry in call.params.get("ContextEntries") or []:
        context[str(entry.get("ContextKeyName", "")).lower()] = [str(value) for value in entry.get("ContextKeyValues") or []]
    results = [
        _result(action, resource, sources, context, bounds)
        for action in call.params.get("ActionNames") or []
        for resource in call.params.get("ResourceArns") or ["*"]
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _result(action: str, resource: str, sources: list[Source], context: dict[str, list[str]], bounds: list[str] | None) -> dict[str, Any]:
    asked = policies.Asked(action, resource, context)
    decision, deciding = policies.decide([document for _, _, document in sources], asked)
    result: dict[str, Any] = {"EvalActionName": action, "EvalResourceName": resource}
    if bounds is not None:
        bound, _ = policies.decide(bounds, asked)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": bound == policies.ALLOWED}
        if bound == policies.EXPLICIT_DENY:
            decision = policies.EXPLICIT_DENY
        elif bound != policies.ALLOWED and decision == policies.ALLOWED:
            decision, deciding = policies.IMPLICIT_DENY, []
    matched = [{"SourcePolicyId": sources[n][0], "SourcePolicyType": sources[n][1]} for n in deciding]
    return {**result, "EvalDecision": decision, "MatchedStatements": matched, "MissingContextValues": _missing(sources, context)}


def _missing(sources: list[Source], context: dict[str, list[str]]) -> list[str]:
    """The context keys that conditions ask for and nobody gave."""
    asked = {
        key
        for _, _, document in sources
        for statement in policies.statements(document)
        for tests in (statement.get("Condition") or {}).values()
        for key in tests
    }
    return sorted(key for key in asked if key.lower() not in context)
