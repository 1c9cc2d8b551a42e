"""PB-009: the thief's rule is gone, their job is cancelled, and the user who read is refused; the back-up goes on."""

from __future__ import annotations

from scenarios.case import Json, Scenario


def kept(image: Json) -> Json:
    """A job that was cancelled stays cancelled."""
    return {name: value for name, value in image.items() if name != "job"}


SCENARIO = Scenario("PB-009", attacked="ok", contained="AccessDenied", kept=kept, seconds=120)
