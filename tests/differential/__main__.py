"""`python -m differential`: as many cases as one likes; exit status 1 when a difference has no explanation."""

from __future__ import annotations

import argparse
import sys

from . import runner
from .report import Report, explanations
from .wire import Wire, built


def main() -> int:
    """Runs what the arguments say."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=9, help="cases of each kind for each operation (9)")
    parser.add_argument("--seed", default="1", help="the same seed makes the same cases (1)")
    parser.add_argument("--service", action="append", help="only this service; can be given more than once")
    parser.add_argument("--operation", default="*", help="only operations whose name matches this pattern")
    parser.add_argument("--show", type=int, default=20, help="how many differences to show (20)")
    arguments = parser.parse_args()
    wire, report = Wire(built()), Report(explanations())
    for service in arguments.service or wire.services():
        names = runner.operations(service, arguments.operation)
        runner.compare(wire, service, names, range(arguments.cases), arguments.seed, report)
    for difference in report.unexplained[: arguments.show]:
        print(difference)
    print(report)
    return 1 if report.unexplained else 0


sys.exit(main())
