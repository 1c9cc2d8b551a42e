"""The states language against moto's interpreter, a sample: every document that an explanation is about, and every third of
the others. `make states-differential` runs all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from differential.report import Report, explanations
from states_differential.case import Case, one
from states_differential.compare import EXPLAINED, Sides
from states_differential.corpus import written
from states_differential.generated import generated

SEED = "1"
GENERATED = 12


def sample() -> list[Case]:
    """The documents that run here."""
    explained = {explanation.where.partition(":")[0] for explanation in explanations(EXPLAINED)}
    return [case for i, case in enumerate(written()) if i % 3 == 0 or case.name in explained]


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    """Both interpreters."""
    sides = Sides()
    yield sides
    sides.close()


@pytest.fixture(scope="module")
def report(sides: Sides) -> Report:
    """The documents, compared."""
    report = Report(explanations(EXPLAINED))
    sides.compare([*sample(), *generated(SEED, GENERATED)], report)
    return report


def test_every_difference_has_an_explanation(report: Report) -> None:
    assert report.compared["run"] >= 100
    assert not report.unexplained, "\n".join(map(str, [report, *report.unexplained[:20]]))


def test_every_explanation_is_needed(report: Report) -> None:
    stale = [explanation.where for explanation in report.explanations if explanation not in report.used]
    assert not stale, f"these explain nothing any more: {stale}"


def test_most_documents_need_none(report: Report) -> None:
    assert report.alike > 0.4 * report.compared["run"], report


def test_a_difference_is_seen(sides: Sides) -> None:
    """A document that cannot end in the same way twice: the comparison compares."""
    case = Case("uuid-compared", one({"Type": "Pass", "Parameters": {"v.$": "States.Base64Encode(States.UUID())"}}))
    assert [difference.where for difference in sides.differences(case)] == ["uuid-compared:output.v"]
