"""The AWS client against botocore, a sample: every operation of every service. `make differential` runs more."""

from __future__ import annotations

import pytest
from botocore.model import OperationModel

from differential import places, reference, runner
from differential.answers import Yes
from differential.plain import to_plain
from differential.report import Explanation, Report, explanations
from differential.wire import Wire, built

SEED = "1"
# A rich one of each operation: a run takes about half a minute.
NUMBERS = [0]
# How many more cases of an operation are looked at for a difference that is explained.
MORE_MAX = 60


@pytest.fixture(scope="module")
def wire() -> Wire:
    """Our client."""
    return Wire(built())


@pytest.fixture(scope="module")
def report(wire: Wire) -> Report:
    """The sample, compared."""
    report = Report(explanations())
    for service in wire.services():
        runner.compare(wire, service, runner.operations(service), NUMBERS, SEED, report)
    return report


def test_every_difference_has_an_explanation(report: Report) -> None:
    assert report.compared["request"] > 5_000
    assert not report.unexplained, "\n".join(map(str, [report, *report.unexplained[:20]]))


def test_every_explanation_is_needed(wire: Wire, report: Report) -> None:
    """What the sample did not meet is looked for in more cases of the operations that the explanation is about."""
    stale = [explanation for explanation in report.explanations if not is_met(wire, report, explanation)]
    assert not stale, f"these explain nothing any more: {stale}"


def is_met(wire: Wire, report: Report, explanation: Explanation) -> bool:
    """Whether it explains a difference."""
    if explanation in report.used:
        return True
    more = Report([explanation])
    for service in filter(explanation.is_about, wire.services()):
        for number in range(MORE_MAX):
            runner.compare(wire, service, runner.operations(service, explanation.operations), [number], SEED, more)
            if more.used:
                return True
    return False


@pytest.mark.parametrize("service", ["ec2", "iam", "route53", "sqs", "guardduty"])
def test_botocore_reads_what_was_written(service: str) -> None:
    """The answers mean what they are meant to mean: one of each protocol. Else both clients could read nothing."""
    model = reference.model(service)
    for name in model.operation_names:
        operation: OperationModel = model.operation_model(name)
        case = Yes(service, operation, f"{SEED}/{service}/{name}/0", 1.0)
        parsed = reference.read(operation, case.answer)
        parsed.pop("ResponseMetadata", None)
        written, read = (
            places.of_value(to_plain(operation.output_shape, value), "value:") for value in (case.value, parsed)
        )
        lost = [place for place in places.differing(written, read) if place in written]
        assert not lost, f"{name}: {lost}, {case.answer}"
