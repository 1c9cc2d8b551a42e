"""EC2 security groups: all-or-nothing changes, canonical CIDRs, rule ids that name exactly one rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.ec2.exceptions import (
    InvalidParameterValue,
    InvalidPermissionDuplicateError,
    InvalidSecurityGroupNotFoundError,
    InvalidSecurityGroupRuleIdNotFoundError,
    MissingParameterError,
    RulesPerSecurityGroupLimitExceededError,
)
from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import page, stand_in
from quell_range.standins.ec2_rules import RuleSpec, describe, permissions, shown_tags, specs_of, tags_of

#: AWS's default quota of inbound or outbound rules of a group.
RULES_MAX = 60


@stand_in("ec2", "CreateSecurityGroup")
def create_group(call: Call) -> dict[str, Any]:
    params = call.params
    for name in ("GroupName", "Description"):
        if not params.get(name):
            raise MissingParameterError("groupName" if name == "GroupName" else "groupDescription")
    tags = tags_of(params, "security-group")
    backend = ec2_backends[call.account][call.region]
    group = backend.create_security_group(params["GroupName"], params["Description"], vpc_id=params.get("VpcId"), tags=tags)
    result: dict[str, Any] = {"GroupId": group.id, "SecurityGroupArn": group.arn}
    if tags:
        result["Tags"] = shown_tags(group)
    return result


@stand_in("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call: Call) -> dict[str, Any]:
    egress = call.operation.endswith("Egress")
    group = _group(call)
    specs = specs_of(call.params, _lookup(call), call.account)
    if not specs:
        raise MissingParameterError("ipPermissions")
    rules = _rules(group, egress)
    known = {RuleSpec.of(rule).identity() for rule in rules}
    for spec in specs:
        if spec.identity() in known:
            raise _duplicate(spec)
        known.add(spec.identity())
    if len(rules) + len(specs) > RULES_MAX:
        raise RulesPerSecurityGroupLimitExceededError
    tags = tags_of(call.params, "security-group-rule")
    made = [spec.make(group, egress, tags) for spec in specs]
    rules.extend(made)
    return {"Return": True, "SecurityGroupRules": [_authorized(rule) for rule in made]}


def _authorized(rule: SecurityGroupRule) -> dict[str, Any]:
    shown = describe(rule)
    return {k: v for k, v in shown.items() if k != "Tags" or v}


@stand_in("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(call: Call) -> dict[str, Any]:
    egress = call.operation.endswith("Egress")
    group = _group(call)
    rules = _rules(group, egress)
    ids = call.params.get("SecurityGroupRuleIds") or []
    if ids:
        by_id = {rule.id: rule for rule in rules}
        for rule_id in ids:
            if rule_id not in by_id:
                raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        gone = [by_id[rule_id] for rule_id in dict.fromkeys(ids)]
    else:
        by_identity = {RuleSpec.of(rule).identity(): rule for rule in rules}
        specs = specs_of(call.params, _lookup(call), call.account)
        if not specs:
            raise MissingParameterError("ipPermissions")
        missing = [spec for spec in specs if spec.identity() not in by_identity]
        if missing:
            raise _no_such_rule()
        gone = [by_identity[spec.identity()] for spec in specs]
    gone_ids = {rule.id for rule in gone}
    kept = [rule for rule in rules if rule.id not in gone_ids]
    rules[:] = kept
    return {"Return": True, "RevokedSecurityGroupRules": [_revoked(rule) for rule in gone]}


@stand_in("ec2", "ModifySecurityGroupRules")
def modify(call: Call) -> dict[str, Any]:
    group = _group(call)
    by_id = {rule.id: rule for rule in (*group.ingress_rules, *group.egress_rules)}
    changes: list[tuple[SecurityGroupRule, RuleSpec]] = []
    for update in call.params.get("SecurityGroupRules", []):
        rule = by_id.get(update["SecurityGroupRuleId"])
        if rule is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(update["SecurityGroupRuleId"])
        spec = _changed(rule, update.get("SecurityGroupRule", {}), call)
        changes.append((rule, spec))
    for egress in (False, True):
        after = {rule.id: RuleSpec.of(rule) for rule in _rules(group, egress)}
        after.update({rule.id: spec for rule, spec in changes if rule.is_egress == egress})
        identities = [spec.identity() for spec in after.values()]
        if len(set(identities)) != len(identities):
            raise InvalidPermissionDuplicateError()
    for rule, spec in changes:
        spec.write(rule)
    return {"Return": True}


def _changed(rule: SecurityGroupRule, wanted: dict[str, Any], call: Call) -> RuleSpec:
    specs = specs_of({**_as_permission(wanted)}, _lookup(call), call.account)
    if len(specs) != 1:
        raise ApiError("MissingParameter", "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId")
    spec, now = specs[0], RuleSpec.of(rule)
    if spec.kind != now.kind:
        raise InvalidParameterValue(
            f"Invalid rule type for security group rule '{rule.id}'. You may not specify {spec.kind} for an existing {now.kind} rule."
        )
    return spec


def _as_permission(wanted: dict[str, Any]) -> dict[str, Any]:
    """A rule request in the shape of an IpPermission, so that one reader serves both."""
    text = {"Description": wanted["Description"]} if wanted.get("Description") is not None else {}
    permission: dict[str, Any] = {k: wanted[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in wanted}
    if wanted.get("CidrIpv4"):
        permission["IpRanges"] = [{"CidrIp": wanted["CidrIpv4"], **text}]
    if wanted.get("CidrIpv6"):
        permission["Ipv6Ranges"] = [{"CidrIpv6": wanted["CidrIpv6"], **text}]
    if wanted.get("PrefixListId"):
        permission["PrefixListIds"] = [{"PrefixListId": wanted["PrefixListId"], **text}]
    if wanted.get("ReferencedGroupId"):
        permission["UserIdGroupPairs"] = [{"GroupId": wanted["ReferencedGroupId"], **text}]
    return {"IpPermissions": [permission]}


@stand_in("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
def update_descriptions(call: Call) -> dict[str, Any]:
    group = _group(call)
    rules = _rules(group, call.operation.endswith("Egress"))
    texts: dict[str, str | None] = {}
    for item in call.params.get("SecurityGroupRuleDescriptions") or []:
        if item["SecurityGroupRuleId"] not in {rule.id for rule in rules}:
            raise InvalidSecurityGroupRuleIdNotFoundError(item["SecurityGroupRuleId"])
        texts[item["SecurityGroupRuleId"]] = item.get("Description")
    if call.params.get("IpPermissions"):
        by_identity = {RuleSpec.of(rule).identity(): rule for rule in rules}
        for spec in specs_of(call.params, _lookup(call), call.account):
            rule = by_identity.get(spec.identity())
            if rule is None:
                raise _no_such_rule()
            texts[rule.id] = spec.description
    for rule in rules:
        if rule.id in texts:
            spec = RuleSpec.of(rule)
            spec.description = texts[rule.id] or None
            spec.write(rule)
    return {"Return": True}


@stand_in("ec2", "DescribeSecurityGroupRules")
def describe_rules(call: Call) -> dict[str, Any]:
    rules = [rule for group in _groups(call) for rule in (*group.egress_rules, *group.ingress_rules)]
    wanted = call.params.get("SecurityGroupRuleIds") or []
    known = {rule.id for rule in rules}
    for rule_id in wanted:
        if rule_id not in known:
            raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
    if wanted:
        rules = [rule for rule in rules if rule.id in set(wanted)]
    for item in call.params.get("Filters") or []:
        rules = [rule for rule in rules if _passes(rule, item["Name"], item.get("Values") or [])]
    found, token = page(rules, call)
    return {"SecurityGroupRules": [describe(rule) for rule in found], "NextToken": token}


def _passes(rule: SecurityGroupRule, name: str, values: Iterable[str]) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in shown_tags(rule)}
    if name.startswith("tag:"):
        return name[4:] in tags and tags[name[4:]] in values
    if name == "tag-key":
        return any(key in values for key in tags)
    if name == "group-id":
        return rule.group_id in values
    if name == "security-group-rule-id":
        return rule.id in values
    raise InvalidParameterValue(f"The filter '{name}' is invalid")


@stand_in("ec2", "DescribeSecurityGroups")
def describe_groups(call: Call) -> dict[str, Any]:
    params = call.params
    filters = {item["Name"]: item.get("Values") or [] for item in params.get("Filters") or []}
    for group_id in params.get("GroupIds") or []:
        _by_id(call, group_id)
    groups = ec2_backends[call.account][call.region].describe_security_groups(
        group_ids=params.get("GroupIds") or [], groupnames=params.get("GroupNames") or [], filters=filters
    )
    found, token = page(list(groups), call)
    return {"SecurityGroups": [_describe_group(group) for group in found], "NextToken": token}


def _describe_group(group: SecurityGroup) -> dict[str, Any]:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": group.owner_id,
        "VpcId": group.vpc_id,
        "SecurityGroupArn": group.arn,
        "Tags": shown_tags(group),
        "IpPermissions": permissions(group.ingress_rules),
        "IpPermissionsEgress": permissions(group.egress_rules),
    }


def _revoked(rule: SecurityGroupRule) -> dict[str, Any]:
    shown = describe(rule)
    spec = RuleSpec.of(rule)
    revoked = {
        k: shown.get(k)
        for k in (
            "SecurityGroupRuleId",
            "GroupId",
            "IsEgress",
            "IpProtocol",
            "FromPort",
            "ToPort",
            "CidrIpv4",
            "CidrIpv6",
            "PrefixListId",
            "Description",
        )
    }
    revoked["ReferencedGroupId"] = spec.source if spec.kind == "ReferencedGroupId" else None
    return {k: v for k, v in revoked.items() if v is not None}


def _groups(call: Call) -> list[SecurityGroup]:
    backend = ec2_backends[call.account][call.region]
    return [group for groups in backend.groups.values() for group in groups.values()]


def _by_id(call: Call, group_id: str) -> SecurityGroup:
    group = ec2_backends[call.account][call.region].get_security_group_from_id(group_id)
    if group is None:
        if not group_id.startswith("sg-"):
            raise ApiError("InvalidGroupId.Malformed", f'Invalid id: "{group_id}" (expecting "sg-...")')
        raise InvalidSecurityGroupNotFoundError(group_id)
    return group


def _group(call: Call) -> SecurityGroup:
    if call.params.get("GroupId"):
        return _by_id(call, call.params["GroupId"])
    name = call.params.get("GroupName")
    if not name:
        raise MissingParameterError("groupId")
    backend = ec2_backends[call.account][call.region]
    group = backend.get_security_group_from_name(name, backend.default_vpc.id if backend.default_vpc else None)
    if group is None:
        raise InvalidSecurityGroupNotFoundError(name)
    return group


def _lookup(call: Call) -> Any:
    """Find the group a rule refers to; a group of another account is taken on trust (peering is not modelled)."""

    def find(pair: dict[str, Any]) -> str:
        if pair.get("UserId") and pair["UserId"] != call.account and pair.get("GroupId"):
            return str(pair["GroupId"])
        if pair.get("GroupId"):
            return str(_by_id(call, pair["GroupId"]).id)
        backend = ec2_backends[call.account][call.region]
        group = backend.get_security_group_from_name(pair.get("GroupName", ""), None)
        if group is None:
            raise InvalidSecurityGroupNotFoundError(pair.get("GroupName", ""))
        return str(group.id)

    return find


def _rules(group: SecurityGroup, egress: bool) -> list[SecurityGroupRule]:
    return group.egress_rules if egress else group.ingress_rules


def _no_such_rule() -> ApiError:
    return ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")


def _duplicate(spec: RuleSpec) -> ApiError:
    ports = "ALL" if spec.protocol == "-1" else f"from port: {spec.from_port}, to port: {spec.to_port}"
    peer = f"peer: {spec.source}, {'ALL' if spec.protocol == '-1' else spec.protocol.upper()}, {ports}, ALLOW"
    return ApiError("InvalidPermission.Duplicate", f'the specified rule "{peer}" already exists')
