"""EKS: an update of a cluster changes what it names and leaves the rest."""

from __future__ import annotations

import uuid
from typing import Any

from moto.eks.models import eks_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import stand_in


@stand_in("eks", "UpdateClusterConfig")
def update(call: Call) -> dict[str, Any] | None:
    config = call.params.get("resourcesVpcConfig")
    if not config:
        return None
    name = str(call.params.get("name", ""))
    cluster = eks_backends[call.account][call.region].clusters.get(name)
    if cluster is None:
        raise ApiError("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
    merged = {**(cluster.resources_vpc_config or {}), **config}
    if merged == cluster.resources_vpc_config:
        raise ApiError("InvalidParameterException", "Cluster is already at the desired configuration")
    cluster.resources_vpc_config = merged
    return {"update": {"id": str(uuid.uuid4()), "status": "Successful", "type": "EndpointAccessUpdate", "createdAt": utcnow()}}
