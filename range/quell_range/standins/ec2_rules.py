"""One security-group rule: read from a request, compared, written to moto's own object, described."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.ec2.exceptions import InvalidCIDRSubnetError, InvalidParameterValue, MissingParameterError
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}


@dataclass
class RuleSpec:
    """What a rule says. `kind` is the member of SecurityGroupRule that carries `source`."""

    kind: str
    source: str
    protocol: str
    from_port: int | None
    to_port: int | None
    description: str | None = None
    owner: str | None = None

    def identity(self) -> tuple[Any, ...]:
        """Two rules of a group may not agree in this; the description is not part of it."""
        return (self.kind, self.source, self.protocol, self.from_port, self.to_port)

    @classmethod
    def of(cls, rule: SecurityGroupRule) -> RuleSpec:
        text = getattr(rule, "rule_description", None) or rule.ip_range.get("Description") or rule.source_group.get("Description")
        ports = (rule.from_port, rule.to_port)
        if rule.prefix_list_id:
            return cls("PrefixListId", rule.prefix_list_id, str(rule.ip_protocol), *ports, text)
        if rule.source_group:
            group = rule.source_group
            return cls("ReferencedGroupId", group["GroupId"], str(rule.ip_protocol), *ports, text, group.get("UserId"))
        if rule.ip_range.get("CidrIpv6"):
            return cls("CidrIpv6", rule.ip_range["CidrIpv6"], str(rule.ip_protocol), *ports, text)
        return cls("CidrIpv4", rule.ip_range.get("CidrIp", ""), str(rule.ip_protocol), *ports, text)

    def make(self, group: SecurityGroup, egress: bool, tags: dict[str, str]) -> SecurityGroupRule:
        rule = SecurityGroupRule(group.ec2_backend, "-1", group.id, None, None, None, is_egress=egress, tags=tags)
        self.write(rule)
        return rule

    def write(self, rule: SecurityGroupRule) -> None:
        """Put this into moto's object, which keeps its id and tags."""
        rule.ip_protocol, rule.from_port, rule.to_port = self.protocol, self.from_port, self.to_port
        text = {"Description": self.description} if self.description else {}
        rule.ip_range, rule.source_group, rule.prefix_list_id = {}, {}, None
        # Not moto's own attribute: moto keeps descriptions only of CIDRs.
        rule.__dict__["rule_description"] = self.description
        if self.kind == "PrefixListId":
            rule.prefix_list_id = self.source
        elif self.kind == "ReferencedGroupId":
            rule.source_group = {
                "GroupId": self.source,
                "UserId": self.owner or rule.owner_id,
                "OwnerId": self.owner or rule.owner_id,
                **text,
            }
        else:
            rule.ip_range = {("CidrIp" if self.kind == "CidrIpv4" else "CidrIpv6"): self.source, **text}


def specs_of(params: dict[str, Any], find_group: Callable[[dict[str, Any]], str], account: str) -> list[RuleSpec]:
    """The rules a request names, in either form: IpPermissions, or one CIDR (or source group) at the top."""
    found: list[RuleSpec] = []
    for permission in params.get("IpPermissions") or [_single(params)]:
        protocol, low, high = _ports(permission)
        for kind, source, item, owner in _sources(permission, find_group, account):
            found.append(RuleSpec(kind, source, protocol, low, high, item.get("Description") or None, owner))
    return found


def _sources(
    permission: dict[str, Any], find_group: Callable[[dict[str, Any]], str], account: str
) -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    """(kind, source, the request's item, owner of a group) of each source of one permission."""
    for item in permission.get("IpRanges") or []:
        yield "CidrIpv4", canonical(item.get("CidrIp", ""), 4), item, None
    for item in permission.get("Ipv6Ranges") or []:
        yield "CidrIpv6", canonical(item.get("CidrIpv6", ""), 6), item, None
    for item in permission.get("UserIdGroupPairs") or []:
        yield "ReferencedGroupId", find_group(item), item, item.get("UserId") or account
    for item in permission.get("PrefixListIds") or []:
        yield "PrefixListId", str(item["PrefixListId"]), item, None


def _single(params: dict[str, Any]) -> dict[str, Any]:
    permission = {k: params[k] for k in ("IpProtocol", "FromPort", "ToPort") if params.get(k) is not None}
    if params.get("CidrIp"):
        permission["IpRanges"] = [{"CidrIp": params["CidrIp"]}]
    if params.get("SourceSecurityGroupName"):
        permission["UserIdGroupPairs"] = [{"GroupName": params["SourceSecurityGroupName"]}]
    return permission


def _ports(permission: dict[str, Any]) -> tuple[str, int | None, int | None]:
    if not permission or set(permission) <= {"FromPort", "ToPort"}:
        return "-1", None, None
    given = permission.get("IpProtocol")
    if given is None:
        raise MissingParameterError("ipProtocol")
    protocol = _PROTOCOLS.get(str(given).lower(), str(given).lower())
    if protocol == "-1":
        return protocol, None, None
    low, high = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if low is None or high is None:
            raise InvalidParameterValue("Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
        if int(low) > int(high):
            raise InvalidParameterValue(f"Invalid TCP/UDP port range ({low}:{high})")
        if not (0 <= int(low) <= 65535 and int(high) <= 65535):
            raise InvalidParameterValue(f"Invalid TCP/UDP port range ({low}:{high})")
    return protocol, -1 if low is None else int(low), -1 if high is None else int(high)


def canonical(cidr: str, version: int) -> str:
    """The network's own form: 100.68.0.18/18 is 100.68.0.0/18. A bare address is refused, as EC2 refuses it."""
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        raise InvalidCIDRSubnetError(cidr=cidr) from None
    if "/" not in cidr or network.version != version:
        raise InvalidCIDRSubnetError(cidr=cidr)
    return str(network)


def tags_of(params: dict[str, Any], resource_type: str) -> dict[str, str]:
    for spec in params.get("TagSpecifications") or []:
        if spec.get("ResourceType") == resource_type:
            return {tag["Key"]: tag.get("Value", "") for tag in spec.get("Tags") or []}
    return {}


def shown_tags(resource: Any) -> list[dict[str, str]]:
    """A resource's tags, looked up by its id (moto's own get_tags reads every tag of the Region)."""
    return [{"Key": key, "Value": value} for key, value in resource.ec2_backend.tags.get(resource.id, {}).items()]


def describe(rule: SecurityGroupRule) -> dict[str, Any]:
    """The rule as DescribeSecurityGroupRules shows it: absent ports are -1."""
    spec = RuleSpec.of(rule)
    shown: dict[str, Any] = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.owner_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": spec.protocol,
        "FromPort": -1 if spec.from_port is None else spec.from_port,
        "ToPort": -1 if spec.to_port is None else spec.to_port,
        "SecurityGroupRuleArn": f"arn:aws:ec2:{rule.ec2_backend.region_name}:{rule.owner_id}:security-group-rule/{rule.id}",
        "Tags": shown_tags(rule),
    }
    if spec.description:
        shown["Description"] = spec.description
    shown[spec.kind if spec.kind != "ReferencedGroupId" else "ReferencedGroupInfo"] = (
        {"GroupId": spec.source, "UserId": spec.owner} if spec.kind == "ReferencedGroupId" else spec.source
    )
    return shown


def permissions(rules: list[SecurityGroupRule]) -> list[dict[str, Any]]:
    """The rules as DescribeSecurityGroups groups them: by protocol and ports."""
    grouped: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in rules:
        spec = RuleSpec.of(rule)
        key = (spec.protocol, spec.from_port, spec.to_port)
        if key not in grouped:
            grouped[key] = {"IpProtocol": spec.protocol, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
            if spec.from_port is not None:
                grouped[key].update({"FromPort": spec.from_port, "ToPort": spec.to_port})
        text = {"Description": spec.description} if spec.description else {}
        if spec.kind == "CidrIpv4":
            grouped[key]["IpRanges"].append({"CidrIp": spec.source, **text})
        elif spec.kind == "CidrIpv6":
            grouped[key]["Ipv6Ranges"].append({"CidrIpv6": spec.source, **text})
        elif spec.kind == "PrefixListId":
            grouped[key]["PrefixListIds"].append({"PrefixListId": spec.source, **text})
        else:
            grouped[key]["UserIdGroupPairs"].append({"GroupId": spec.source, "UserId": spec.owner, **text})
    return list(grouped.values())
