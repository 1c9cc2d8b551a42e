"""`python -m states_differential`: all cases; exit status 1 when a difference has no explanation, or an explanation none."""

from __future__ import annotations

import argparse
import sys
import time
from fnmatch import fnmatchcase

from differential.report import Report, explanations

from .compare import EXPLAINED, Sides
from .corpus import written
from .generated import generated


def main() -> int:
    """Runs what the arguments say."""
    parser = argparse.ArgumentParser(prog="states_differential", description=__doc__)
    parser.add_argument("--case", default="*", help="only cases whose name matches this pattern")
    parser.add_argument("--generated", type=int, default=100, help="how many documents to generate (100)")
    parser.add_argument("--seed", default="1", help="the same seed makes the same documents (1)")
    parser.add_argument("--show", type=int, default=40, help="how many differences to show (40)")
    parser.add_argument("--slow", action="store_true", help="tell the cases that took longer than a second")
    arguments = parser.parse_args()
    sides, report = Sides(), Report(explanations(EXPLAINED))
    cases = [*written(), *generated(arguments.seed, arguments.generated)]
    chosen = [case for case in cases if fnmatchcase(case.name, arguments.case)]
    for case in chosen:
        began = time.monotonic()
        sides.compare([case], report)
        if arguments.slow and (took := time.monotonic() - began) > 1:
            print(f"{case.name}: {took:.1f} s")
    sides.close()
    for difference in report.unexplained[: arguments.show]:
        print(difference)
    stale = [e for e in report.explanations if e not in report.used] if arguments.case == "*" else []
    for explanation in stale:
        print(f"explains nothing any more: {explanation.where}")
    print(report)
    return 1 if report.unexplained or stale else 0


sys.exit(main())
