"""Fixtures: one range and one data folder a file, so that a file's tests disturb no other's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.product import Product, Server  # noqa: E402
from scenarios.driver import table as scenarios_table  # noqa: E402


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A data folder with a range beside it, and no server."""
    product = Product(tmp_path_factory.mktemp("home"))
    with product.range_up():
        yield product


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    """`quell serve` on `home`."""
    with home.server_up() as up:
        yield up


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with both ways open and no faults, and leaves the server up."""
    if "home" in request.fixturenames:
        product: Product = request.getfixturevalue("home")
        product.range.clear_faults()
        product.range.deliver()
    yield
    if "server" in request.fixturenames:
        up: Server = request.getfixturevalue("server")
        assert up.process.is_up(), up.process.err()[-3000:]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the scenarios measured, when they ran."""
    module = sys.modules.get("test_scenarios")
    if module is not None and module.MEASURED:
        terminalreporter.section("scenarios, times in milliseconds")
        terminalreporter.write_line(scenarios_table(module.MEASURED))
