"""RPC v2 CBOR, which the two clients speak with no listed service by themselves, since each speaks JSON as well."""

from __future__ import annotations

from random import Random
from typing import Any

from botocore.model import OperationModel

from . import reference
from .answers import REQUEST_ID, Yes
from .calls import Call
from .cbor_body import CborBody
from .wire import Answer, Request

PROTOCOL = "smithy-rpc-v2-cbor"


class CborCall(Call):
    """A call in CBOR."""

    of = "request in CBOR"
    protocol = PROTOCOL

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        return {**super().query(), "in_cbor": True}

    def sent(self) -> Request:
        """What botocore sends."""
        return reference.serialized(PROTOCOL, self.operation, self.params)


class CborYes(Yes):
    """An answer in CBOR."""

    of = "answer in CBOR"
    protocol = PROTOCOL

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        return {**super().query(), "in_cbor": True}

    def written(self, random: Random) -> Answer:
        """The answer to be read."""
        headers = [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-RequestId", REQUEST_ID)]
        shape = self.operation.output_shape
        return Answer(200, headers, b"" if shape is None else CborBody(random).item(shape, self.value))


def is_spoken(operation: OperationModel) -> bool:
    """Whether the operation's service speaks it."""
    return PROTOCOL in operation.service_model.metadata.get("protocols", [])
