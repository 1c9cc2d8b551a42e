"""PB-013: a key that was to be deleted is in use again. That its deletion was called off stays when the run is taken back."""

from __future__ import annotations

from scenarios.case import Json, Scenario


def kept(image: Json) -> Json:
    """Whoever takes the run back disables the key: no undo has anything deleted."""
    return {**image, "state": "Disabled" if image["state"] == "PendingDeletion" else image["state"], "deletion": None}


SCENARIO = Scenario("PB-013", attacked="KMSInvalidStateException", contained="ok", kept=kept)
