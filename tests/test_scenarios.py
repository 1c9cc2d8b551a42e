"""Each playbook's scenario, whole: attack, finding, plan, approval where one is wanted, contained, verified, taken back, equal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.product import Product, Server
from scenarios.case import Scenario
from scenarios.driver import Play, scenarios, shortened


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
    assert not told.fault, told
    assert 0 < told.detected <= told.contained <= told.verified
    assert told.calls > 0 and told.evidence > 0
