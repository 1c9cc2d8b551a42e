"""EC2 managed prefix lists: versions, pages, and refusals where moto raises or forgets."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.managed_prefixes import ManagedPrefixList

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import page, stand_in
from quell_range.standins.ec2_rules import canonical, shown_tags, tags_of


@stand_in("ec2", "CreateManagedPrefixList")
def create(call: Call) -> dict[str, Any]:
    family = call.params.get("AddressFamily")
    if family not in ("IPv4", "IPv6"):
        raise ApiError("InvalidParameterValue", f"The address family '{family}' is invalid")
    most = int(call.params.get("MaxEntries") or 0)
    entries = _entries(call.params.get("Entries") or [], family)
    _check_size(entries, most)
    made = ec2_backends[call.account][call.region].create_managed_prefix_list(
        address_family=family,
        entry=entries,
        max_entries=most,  # type: ignore[arg-type]
        prefix_list_name=call.params.get("PrefixListName"),
        tags=tags_of(call.params, "prefix-list"),
    )
    made.entries.setdefault(1, entries)
    return {"PrefixList": _describe(made, "create-in-progress")}


@stand_in("ec2", "GetManagedPrefixListEntries")
def get_entries(call: Call) -> dict[str, Any]:
    found = _find(call)
    version = int(call.params.get("TargetVersion") or found.version or 1)
    if version not in found.entries and version != 1:
        raise ApiError("InvalidPrefixListVersion", f"The version '{version}' does not exist")
    entries, token = page(list(found.entries.get(version, [])), call, smallest=1, largest=100)
    return {"Entries": entries, "NextToken": token}


@stand_in("ec2", "ModifyManagedPrefixList")
def modify(call: Call) -> dict[str, Any]:
    found = _find(call)
    params = call.params
    adds, removes = params.get("AddEntries") or [], params.get("RemoveEntries") or []
    if adds or removes:
        if params.get("CurrentVersion") is not None and int(params["CurrentVersion"]) != found.version:
            raise ApiError("PrefixListVersionMismatch", "The prefix list has the incorrect version number")
        gone = {canonical(entry["Cidr"], _version(found)) for entry in removes}
        entries = [entry for entry in found.entries.get(found.version or 1, []) if entry["Cidr"] not in gone]
        added = _entries(adds, str(found.address_family))
        entries = [entry for entry in entries if entry["Cidr"] not in {a["Cidr"] for a in added}] + added
        _check_size(entries, int(params.get("MaxEntries") or found.max_entries or 0))
        found.version = (found.version or 1) + 1
        found.entries[found.version] = entries
    if params.get("MaxEntries") is not None:
        found.max_entries = params["MaxEntries"]
    if params.get("PrefixListName"):
        found.prefix_list_name = params["PrefixListName"]
    found.state = "modify-complete"
    return {"PrefixList": _describe(found, "modify-in-progress")}


@stand_in("ec2", "RestoreManagedPrefixListVersion")
def restore(call: Call) -> dict[str, Any]:
    found = _find(call)
    if int(call.params["CurrentVersion"]) != found.version:
        raise ApiError("PrefixListVersionMismatch", "The prefix list has the incorrect version number")
    previous = int(call.params["PreviousVersion"])
    if previous not in found.entries:
        raise ApiError("InvalidPrefixListVersion", f"The version '{previous}' does not exist")
    found.version = (found.version or 1) + 1
    found.entries[found.version] = list(found.entries[previous])
    found.state = "restore-complete"
    return {"PrefixList": _describe(found, "restore-in-progress")}


@stand_in("ec2", "DeleteManagedPrefixList")
def delete(call: Call) -> dict[str, Any]:
    found = _find(call)
    backend = ec2_backends[call.account][call.region]
    for groups in backend.groups.values():
        for group in groups.values():
            if any(rule.prefix_list_id == found.id for rule in (*group.ingress_rules, *group.egress_rules)):
                raise ApiError("DependencyViolation", f"The prefix list '{found.id}' is referenced by a resource")
    del backend.managed_prefix_lists[found.id]
    return {"PrefixList": _describe(found, "delete-in-progress")}


def _find(call: Call) -> ManagedPrefixList:
    wanted = str(call.params.get("PrefixListId", ""))
    found = ec2_backends[call.account][call.region].managed_prefix_lists.get(wanted)
    if found is None:
        raise ApiError("InvalidPrefixListID.NotFound", f"The prefix list ID '{wanted}' does not exist")
    return found


def _version(found: ManagedPrefixList) -> int:
    return 6 if found.address_family == "IPv6" else 4


def _entries(items: list[dict[str, Any]], family: str) -> list[dict[str, str]]:
    entries = []
    for item in items:
        entry = {"Cidr": canonical(item["Cidr"], 6 if family == "IPv6" else 4)}
        if item.get("Description"):
            entry["Description"] = item["Description"]
        entries.append(entry)
    return entries


def _check_size(entries: list[dict[str, str]], most: int) -> None:
    if len(entries) > most:
        raise ApiError(
            "PrefixListMaxEntriesExceeded", f"The prefix list would have {len(entries)} entries, more than its maximum of {most}"
        )


def _describe(found: ManagedPrefixList, state: str) -> dict[str, Any]:
    return {
        "PrefixListId": found.id,
        "AddressFamily": found.address_family,
        "State": state,
        "PrefixListArn": found.prefix_list_arn,
        "PrefixListName": found.prefix_list_name,
        "MaxEntries": int(found.max_entries or 0),
        "Version": found.version,
        "Tags": shown_tags(found),
        "OwnerId": found.owner_id,
    }
