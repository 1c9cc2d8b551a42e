"""Parameters with one fault, which both clients must refuse before they send anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.model import OperationModel
from botocore.utils import is_json_value_header

from . import reference
from .calls import CHOICES, Call
from .report import Difference


@dataclass(frozen=True)
class Fault:
    """What is done to parameters to make them wrong."""

    name: str
    given: dict[str, Any] = field(default_factory=dict)
    left_out: str | None = None

    def put(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the fault."""
        return {**{name: value for name, value in params.items() if name != self.left_out}, **self.given}


class Wrong(Call):
    """A call with one fault."""

    of = "fault"

    def __init__(self, service: str, operation: OperationModel, seed: str, richness: float) -> None:
        super().__init__(service, operation, seed, richness)
        self.fault = Random(seed).choice(faults(operation))

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        query = super().query()
        return {**query, "params": self.fault.put(query["params"])}

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """One, when a client takes the parameters."""
        params = self.fault.put(self.params)
        theirs = "refused" if reference.refuses(self.operation, params) else "taken"
        ours = "refused" if "faults" in reply else "taken"
        where = f"{self.service}/{self.operation.name}/{self.fault.name}"
        return [] if ours == theirs == "refused" else [Difference(self.of, where, self.seed, ours, theirs, params)]


def faults(operation: OperationModel) -> list[Fault]:
    """Every fault that a call of the operation can have in a member of its input. botocore finds none in an operation
    without an input, whatever it is given.
    """
    shape = operation.input_shape
    if shape is None:
        return []
    found = [Fault("unknown member", {"NobodyKnowsThis": 1})]
    for name, member in shape.members.items():
        is_any = is_json_value_header(member) or getattr(member, "is_document_type", False)
        if not is_any and member.type_name != "timestamp":
            is_word = member.type_name in ("integer", "long", "float", "double", "boolean")
            found.append(Fault(f"wrong type of {name}", {name: "x" if is_word else 1}))
        least = member.metadata.get("min", 0)
        is_looked_at = (operation.service_model.service_name, name) in CHOICES
        if member.type_name == "string" and least > 0 and not is_looked_at:
            found.append(Fault(f"{name} too short", {name: "x" * (least - 1)}))
        if name in shape.required_members and not member.metadata.get("idempotencyToken"):
            found.append(Fault(f"missing {name}", left_out=name))
    return found
