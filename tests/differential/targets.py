"""Where calls go in a Region, with and without FIPS and dual-stack, and what each of the two clients signs them for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from botocore.model import OperationModel

from . import reference
from .calls import CHOICES, Call
from .reference import ACCOUNT, Place
from .report import Difference

# One of each partition, two of the first. `us-east-1` has habits of its own.
REGIONS = ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"]
PLACES = [
    Place(region, ACCOUNT, use_fips, use_dual_stack)
    for region in REGIONS
    for use_fips in (False, True)
    for use_dual_stack in (False, True)
]

# What the rules look at: names, and ARNs of the same Region, of another and of another account.
ACCESS_POINT = f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap"
TELLING: dict[tuple[str, str], list[str]] = {
    ("dynamodb", "TableName"): ["t", "arn:aws:dynamodb:us-east-1:111122223333:table/t"],
    ("s3", "Bucket"): [
        "a-bucket",
        "a.bucket",
        "A_Bucket",
        "ab",
        ACCESS_POINT,
        "arn:aws:s3:eu-west-1:111122223333:accesspoint:other",
        f"arn:aws:s3-outposts:us-east-1:{ACCOUNT}:outpost/op-1/accesspoint/ap",
        f"arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/ol",
        "arn:aws:iam::1:role/r",
    ],
    ("s3control", "AccountId"): [ACCOUNT, "111122223333"],
    ("s3control", "Bucket"): [
        "a-bucket",
        f"arn:aws:s3-outposts:us-east-1:{ACCOUNT}:outpost/op-1/bucket/b",
    ],
    ("s3control", "Name"): ["ap", f"arn:aws:s3-outposts:us-east-1:{ACCOUNT}:outpost/op-1/accesspoint/ap"],
}


class Placed(Call):
    """A call made somewhere."""

    of = "target"

    def __init__(self, service: str, operation: OperationModel, seed: str, richness: float, place: Place) -> None:
        super().__init__(service, operation, seed, richness, {**CHOICES, **TELLING})
        self.place = place

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        return {**super().query(), "place": asdict(self.place)}

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """Where our client's `reply` is not what botocore does."""
        told = f"{self.place}: {self.params}"

        def difference(what: str, ours: Any, theirs: Any) -> Difference:
            where = f"{self.service}/{self.operation.name}/{what}"
            return Difference(self.of, where, self.seed, ours, theirs, told)

        try:
            theirs = reference.target(self.service, self.operation.name, self.params, self.place)
        except reference.Refused as refused:
            refuses = "faults" in reply
            return [] if refuses else [difference("refused by botocore", reply, str(refused))]
        if "faults" in reply:
            return [difference("refused", reply, theirs)]
        ours = {**reply, "url": reply["url"].partition("?")[0]}
        return [difference(name, ours[name], value) for name, value in theirs.items() if ours[name] != value]
