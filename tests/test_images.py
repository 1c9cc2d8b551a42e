"""Approved images: what a resource is to be like by a person's word, and what PB-004 makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.product import Product
from harness.waiting import until
from scenarios.case import Scenario
from scenarios.driver import shortened

FACTS = Scenario("PB-004", attacked="", contained="", facts={"settleSeconds": 1, "skewSeconds": 0})
MANAGED = "arn:aws:iam::aws:policy"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("images")
    home = Product(folder, {"QUELL__CONTENT": str(shortened(folder / "content", [FACTS]))})
    with home.range_up():
        yield home


def test_what_goes_beyond_an_approved_image_goes_and_what_was_approved_stays(home: Product) -> None:
    iam = home.range.client("iam", home.range.production["developer"], "us-east-1")
    user = iam.create_user(UserName="ada")["User"]["Arn"]
    iam.attach_user_policy(UserName="ada", PolicyArn=f"{MANAGED}/AdministratorAccess")
    named = [user, "--playbook", "PB-004"]

    def planned() -> Any:
        return home.quell("playbook", "plan", "PB-004", "--resource", user, env={"QUELL__RESPOND__LEVEL_MAX": "auto"}).json

    def attached() -> set[str]:
        return {p["PolicyName"] for p in iam.list_attached_user_policies(UserName="ada")["AttachedPolicies"]}

    assert planned()["decision"] == "ask", "nobody said what is meant"
    read = home.quell("image", "read", *named).json
    assert read["image"]["attributes"][f"user/ada/policy/{MANAGED}/AdministratorAccess"] == "attached", read
    assert home.quell("image", "list").json == [], "reading stores nothing"
    # Only what was seen, and not without a reason, and not for ever.
    for code, more in [(1, ["--hash", "0" * 64]), (4, ["--expires", "366d"]), (4, ["--reason", " "])]:
        words = ["image", "approve", *named, *(more if "--reason" in more else ["--reason", "administrator", *more])]
        assert home.quell(*words).code == code, words
    assert home.quell("image", "list").json == []
    approved = home.quell("image", "approve", *named, "--reason", "administrator", "--hash", read["hash"])
    assert approved.code == 0 and approved.json["hash"] == read["hash"], approved
    assert home.quell("image", "show", *named).json["status"] == "in force"
    assert planned()["plan"] is None, "an administrator who was approved stays one"

    iam.attach_user_policy(UserName="ada", PolicyArn=f"{MANAGED}/IAMFullAccess")
    beyond = planned()
    assert (beyond["decision"], len(beyond["plan"]["calls"])) == ("permit", 1), beyond
    # Ada is new: without the image the server would take both.
    with home.server_up(env={"QUELL__RESPOND__LEVEL_MAX": "auto"}) as server:
        server.fixed("ada")
        until("what goes beyond is gone", lambda: attached() == {"AdministratorAccess"}, 30)
        until("its runs have ended", lambda: all(r.get("outcome") for r in server.runs("ada")), 30)
    assert attached() == {"AdministratorAccess"}

    assert home.quell("image", "remove", *named).code == 0
    assert (home.quell("image", "show", *named).code, home.quell("image", "remove", *named).code) == (4, 4)
    assert planned()["decision"] == "ask", "as if nobody had approved anything"
    acts = [e["entry"]["act"] for e in home.quell("evidence", "list", "--about", user).json]
    assert sorted(acts) == ["image-approved", "image-removed"], acts


def test_who_cannot_be_read_is_not_approved(home: Product) -> None:
    nobody = "arn:aws:iam::444455556666:user/nobody"
    said = home.quell("image", "approve", nobody, "--playbook", "PB-004", "--reason", "x")
    assert said.code == 5 and "read nothing" in said.err, said
    elsewhere = "arn:aws:iam::999999999999:user/ada"
    assert home.quell("image", "approve", elsewhere, "--playbook", "PB-004", "--reason", "x").code == 4


def test_a_playbook_that_looks_at_no_approved_image_says_so(home: Product) -> None:
    group = "arn:aws:ec2:us-east-1:444455556666:security-group/sg-0123"
    said = home.quell("image", "approve", group, "--playbook", "PB-008", "--reason", "x")
    assert said.code == 4 and "PB-004" in said.err, said
