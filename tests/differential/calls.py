"""Calls: parameters for an operation, and what each of the two clients puts on the wire for them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from botocore.model import OperationModel

from . import places, reference
from .plain import to_plain
from .reference import ACCOUNT
from .report import Difference
from .values import Generator
from .wire import Request, request_of

KINESIS = f"arn:aws:kinesis:us-east-1:{ACCOUNT}"
# Members that botocore looks at itself. What decides over the host must name something that could be there, or
# botocore has no host for it. An empty list leaves the member out.
CHOICES: dict[tuple[str, str], list[str]] = {
    # The other algorithms, and the signature of a global endpoint, need a native library beside botocore.
    ("s3", "ChecksumAlgorithm"): ["CRC32", "SHA1", "SHA256"],
    ("ec2", "SourceRegion"): ["eu-west-1"],
    ("events", "EndpointId"): [],
    ("kinesis", "ChannelARN"): [f"{KINESIS}:channel/c"],
    ("kinesis", "ConsumerARN"): [f"{KINESIS}:stream/s/consumer/c:1"],
    ("kinesis", "QueueARN"): [f"{KINESIS}:queue/q"],
    ("kinesis", "ResourceARN"): [f"{KINESIS}:stream/s"],
    ("kinesis", "StreamARN"): [f"{KINESIS}:stream/s"],
    ("rds", "SourceRegion"): ["eu-west-1"],
    # What is before the last slash is cut off, so something must be behind it.
    ("route53", "DelegationSetId"): ["/delegationset/N1"],
    ("route53", "HostedZoneId"): ["Z1", "/hostedzone/Z1"],
    ("route53", "Id"): ["Z1", "/hostedzone/Z1", "a/b ü"],
    ("s3", "Bucket"): ["a-bucket"],
    ("s3control", "AccountId"): [ACCOUNT],
    ("s3control", "Bucket"): ["a-bucket"],
    ("s3control", "OutpostId"): ["op-1"],
}


class Call:
    """Parameters for one operation. The same seed gives the same parameters."""

    of = "request"

    def __init__(
        self,
        service: str,
        operation: OperationModel,
        seed: str,
        richness: float,
        choices: Mapping[tuple[str, str], list[str]] = CHOICES,
    ) -> None:
        self.service = service
        self.operation = operation
        self.seed = seed
        self.protocol = getattr(self, "protocol", reference.protocol(service))
        self.params: dict[str, Any] = {}
        shape = operation.input_shape
        if shape is None:
            return
        texts = "xml" if self.protocol == "rest-xml" else "text"
        generator = Generator(Random(seed), richness, texts=texts)
        own = {name: choices[service, name] for name in shape.members if (service, name) in choices}
        self.params = generator.structure(shape, own)

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        params = to_plain(self.operation.input_shape, self.params)
        return {"service": self.service, "operation": self.operation.name, "params": params}

    def sent(self) -> Request:
        """What botocore sends."""
        return reference.write(self.service, self.operation.name, self.params)

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """Where our client's `reply` is not what botocore sends."""

        def difference(place: str, ours: Any, theirs: Any) -> Difference:
            where = f"{self.service}/{self.operation.name}/{place}"
            return Difference(self.of, where, self.seed, ours, theirs)

        ours = request_of(reply)
        try:
            theirs = self.sent()
        except reference.Refused as refused:
            return [difference("refused by botocore", reply.get("faults"), str(refused))]
        if ours is None:
            return [difference("refused", reply, "not refused")]
        our_places, their_places = (places.of_request(self.protocol, request) for request in (ours, theirs))
        differing = places.differing(our_places, their_places)
        return [difference(place, our_places.get(place), their_places.get(place)) for place in differing]
