"""Every playbook's documents, unmodified, on Step Functions: the same calls and the same end as by Quell's own runner.

What runs them is moto's interpreter in the range; STANDINS.md says what it lacked. Both sides answer the same attack, each in a
world of its own: Quell first, then Step Functions, of which Quell hears nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from harness.product import ROOT, Product, Server
from scenarios.case import Scenario
from scenarios.driver import Play, scenarios, shortened
from scenarios.on_step_functions import OnStepFunctions, essence, nameless, taken_back


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression in a part of a document."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from expressions(part)
    elif isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()


@pytest.mark.parametrize("path", sorted((ROOT / "content/playbooks").glob("*/*.asl.json")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_expression_is_one_to_another_evaluator_too(path: Path) -> None:
    """What only Quell's own reads is refused by Step Functions when the document is created."""
    found = set(expressions(json.loads(path.read_text())["States"]))
    assert found
    for expression in found:
        Jsonata(expression)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shortened(tmp_path_factory.mktemp("content") / "content", scenarios())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, content: Path) -> Iterator[Product]:
    home = Product(tmp_path_factory.mktemp("states"), {"QUELL__CONTENT": str(content)})
    with home.range_up():
        yield home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up() as server:
        yield server


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_same_by_both(home: Product, server: Server, content: Path, scenario: Scenario) -> None:
    keys = [home.key("responder", owner) for owner in ("first", "second")]
    play = Play(home, server, scenario, keys)
    told = play.run()
    assert not told.fault, told
    theirs = OnStepFunctions(play, content)
    marks = (play.stage.mark, theirs.stage.mark)

    def same(ours: object, other: object) -> None:
        assert nameless(other, *marks) == nameless(ours, *marks)

    same(play.attacked, theirs.attacked)
    ended = theirs.execute("respond", theirs.input("respond"))
    assert (ended.status, (ended.output or {}).get("outcome")) == ("SUCCEEDED", told.run["outcome"]), ended.error
    assert ended.plans, "it asked nobody"
    same(essence(play.calls(str(told.run["id"]))), essence(ended.calls))
    same(play.contained, theirs.read())
    assert play.scene.probe(theirs.stage, theirs.made) == scenario.contained
    undone = theirs.execute("undo", theirs.input("undo", taken_back(ended)))
    assert (undone.status, (undone.output or {}).get("outcome")) == ("SUCCEEDED", "undone"), undone.error
    same(essence(play.calls(str(told.undo_run["id"]))), essence(undone.calls))
    same(scenario.kept(play.attacked), scenario.kept(theirs.read()))
