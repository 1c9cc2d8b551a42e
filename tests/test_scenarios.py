"""Each playbook's scenario, whole: attack, finding, plan, approval where one is wanted, contained, verified, taken back, equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.product import Product, Server
from harness.rights import refused
from scenarios.case import Scenario
from scenarios.driver import ELSEWHERE, Play, Told, play_together, scenarios, shortened

#: What was measured: `conftest.py` prints it at the end.
MEASURED: list[Told] = []
#: Who Quell's calls are made as, in CloudTrail's words.
ROLE = re.compile(r":(\d{12}):assumed-role/(Quell[^/]*)/")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("scenarios")
    home = Product(folder, {"QUELL__CONTENT": str(shortened(folder / "content", scenarios()))})
    with home.range_up():
        yield home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up() as server:
        yield server


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_scenario(home: Product, server: Server, scenario: Scenario) -> None:
    keys = [home.key("responder", owner) for owner in ("first", "second")]
    told = Play(home, server, scenario, keys).run()
    MEASURED.append(told)
    assert not told.fault, told
    assert 0 < told.detected <= told.contained <= told.verified
    assert told.calls > 0 and told.evidence > 0


def test_every_attack_in_another_account_and_region(home: Product, server: Server) -> None:
    """All at once: none is in the way of another."""
    keys = [home.key("responder", owner) for owner in ("third", "fourth")]
    told = play_together([Play(home, server, scenario, keys, ELSEWHERE) for scenario in scenarios()])
    MEASURED.extend(told)
    assert not [f"{one.playbook}: {one.fault}" for one in told if one.fault]


def test_the_policies_of_the_roles_allow_every_call_that_was_made(home: Product, server: Server) -> None:
    """All that the scenarios above had the roles do, replayed under the policies that `quell iam policy` makes."""
    of: dict[tuple[str, str], list[str]] = {}
    for account in home.range.info["accounts"]:
        for role in home.quell("iam", "policy", "--account", account["id"]).json:
            of[role["account"], role["role"]] = [json.dumps(policy) for policy in role["policies"]]
    replayed: set[str] = set()
    wrong: set[str] = set()
    for call in home.range.journal():
        role = ROLE.search(call["principal"])
        if role is None or call["service"] == "sts":
            continue
        replayed.add(f"{call['service']}:{call['operation']}")
        wrong.update(f"{role[2]}: {text}" for text in refused(call, of[role[1], role[2]]))
    assert not wrong
    assert len(replayed) > 5 * len(scenarios())
