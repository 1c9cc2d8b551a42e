"""EC2 fleets: when one was made, which instances are its, and a target that can be changed without ending anything."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.fleets import Fleet

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import stand_in

_POLICIES = ("termination", "no-termination")


@stand_in("ec2", "ModifyFleet")
def modify(call: Call) -> dict[str, Any]:
    """Takes the new target. Fewer instances are never made of it here: what that ends is up to `no-termination`, which callers must say."""
    wanted = str(call.params.get("FleetId", ""))
    fleet = ec2_backends[call.account][call.region].fleets.get(wanted)
    if fleet is None:
        raise ApiError("InvalidFleetId.NotFound", f"The fleet '{wanted}' does not exist")
    if fleet.fleet_type != "maintain":
        raise ApiError("Unsupported", f"A fleet of type {fleet.fleet_type} cannot be modified")
    policy = call.params.get("ExcessCapacityTerminationPolicy") or fleet.excess_capacity_termination_policy
    if policy not in _POLICIES:
        raise ApiError("InvalidParameterValue", f"Value ({policy}) for parameter ExcessCapacityTerminationPolicy is invalid.")
    target = (call.params.get("TargetCapacitySpecification") or {}).get("TotalTargetCapacity")
    if target is not None:
        if int(target) < fleet.target_capacity and policy != "no-termination":
            raise ApiError("NotImplemented", "the range ends no instances of a fleet: say no-termination", 501)
        fleet.target_capacity = int(target)
        fleet.target_capacity_specification = {**fleet.target_capacity_specification, "TotalTargetCapacity": int(target)}
    fleet.excess_capacity_termination_policy = policy
    return {"Return": True}


def install() -> None:
    make = Fleet.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.create_time = utcnow()
        held = [*(request.instance for request in self.spot_requests), *(one["instance"] for one in self.on_demand_instances)]
        for instance in held:
            instance.add_tags({"aws:ec2:fleet-id": self.id})

    Fleet.__init__ = init  # type: ignore[method-assign]
