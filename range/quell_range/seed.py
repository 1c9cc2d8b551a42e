"""Resources that stand there before a test begins. Not recorded, not in the journal: nobody called."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from quell_range.errors import ApiError
from quell_range.lock import STATE_LOCK
from quell_range.standins.ec2_rules import RuleSpec, describe

#: An image of nothing in particular, which is not in the range: moto starts it all the same.
IMAGE = "ami-0123456789abcdef0"
_CIDR = "10.77.0.0/16"
_NAME = "range-vpc"


def seed(account: str, region: str, kind: str) -> dict[str, Any]:
    if kind != "security-group":
        raise ApiError("InvalidSeed", "kind must be security-group")
    with STATE_LOCK:
        return _security_group(account, region)


def _security_group(account: str, region: str) -> dict[str, Any]:
    """A web server's group with three rules nobody should take away.

    443 from everywhere is meant; 22 is open to one office network; 5432 to another group only.
    """
    backend = ec2_backends[account][region]
    vpc = next((v for v in backend.vpcs.values() if backend.tags.get(v.id, {}).get("Name") == _NAME), None)
    if vpc is None:
        vpc = backend.create_vpc(_CIDR)
        vpc.add_tags({"Name": _NAME})
    number = sum(len(groups) for groups in backend.groups.values())
    clients = backend.create_security_group(f"range-clients-{number}", "May reach the database", vpc_id=vpc.id)
    group = backend.create_security_group(f"range-web-{number}", "Web server with its database", vpc_id=vpc.id)
    specs = (
        RuleSpec("CidrIpv4", "0.0.0.0/0", "tcp", 443, 443, "https for everyone"),
        RuleSpec("CidrIpv4", "198.51.100.0/24", "tcp", 22, 22, "ssh from the office"),
        RuleSpec("ReferencedGroupId", clients.id, "tcp", 5432, 5432, "database clients", account),
    )
    group.ingress_rules.extend(spec.make(group, False, {}) for spec in specs)
    return {
        "group_id": group.id,
        "vpc_id": vpc.id,
        "client_group_id": clients.id,
        "rules": [describe(rule) for rule in group.ingress_rules],
    }
