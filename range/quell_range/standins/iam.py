"""IAM: ids that say what they name, as records and condition keys rely on (`AIDA…`, `AGPA…`, `AIPA…`, `ANPA…`)."""

from __future__ import annotations

import secrets
from typing import Any

from moto.iam import models

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PREFIXES = {models.User: "AIDA", models.Group: "AGPA", models.InstanceProfile: "AIPA", models.ManagedPolicy: "ANPA"}


def install() -> None:
    for kind, prefix in _PREFIXES.items():
        _wrap(kind, prefix)


def _wrap(kind: Any, prefix: str) -> None:
    make = kind.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.id = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))

    kind.__init__ = init
