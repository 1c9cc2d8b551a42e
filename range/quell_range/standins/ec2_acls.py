"""EC2 network ACLs: entries that are not there, the quota of entries, and the filter by which an address's interface is found."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check

#: Quota "rules per network ACL", in each direction. The last entry, which denies what no other speaks of, is not counted.
ENTRIES_MAX = 20
_LAST = 32_767


def _entries(call: Call) -> list[Any]:
    acl = ec2_backends[call.account][call.region].network_acls.get(str(call.params.get("NetworkAclId", "")))
    if acl is None:
        raise ApiError("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{call.params.get('NetworkAclId')}' does not exist")
    return [entry for entry in acl.network_acl_entries if _is_out(entry.egress) == bool(call.params.get("Egress"))]


def _is_out(egress: Any) -> bool:
    return egress in (True, "true")


@check("ec2", "CreateNetworkAclEntry")
def room(call: Call) -> None:
    numbered = [entry for entry in _entries(call) if int(entry.rule_number) < _LAST]
    if len(numbered) >= ENTRIES_MAX:
        raise ApiError("NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.")


@check("ec2", "DeleteNetworkAclEntry")
def there(call: Call) -> None:
    number = int(call.params.get("RuleNumber", -1))
    if all(int(entry.rule_number) != number for entry in _entries(call)):
        raise ApiError("InvalidNetworkAclEntry.NotFound", f"The network acl entry with rule number {number} does not exist")


def install() -> None:
    """An interface is found by its public address."""
    known = NetworkInterface.get_filter_value

    def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "association.public-ip":
            return self.public_ip if self.public_ip else None
        return known(self, filter_name, method_name)

    NetworkInterface.get_filter_value = get_filter_value  # type: ignore[method-assign]
