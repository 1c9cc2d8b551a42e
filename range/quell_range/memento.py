"""What moto's state was before a call, so that the call can be taken back: all of it at once, or its own part of it later.

moto keeps its state in ordinary objects. A memento notes, for every object that can be reached from where it begins, what
it holds: references, no copies, so that putting back leaves every identity as it was. It needs to know nothing of
the call, and so it works for any.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

#: Objects a memento looks at, at most. IAM with all of AWS's own policies is about 30,000.
OBJECTS_MAX = 2_000_000
#: What holds nothing that a call changes, or what must not be touched.
_LEAVES = (str, bytes, int, float, bool, type(None), type, threading.Event, threading.Thread, BackendDict)
_ABSENT = object()

Held = dict[Any, Any] | list[Any] | set[Any]


class Memento:
    """What the objects below some roots held."""

    def __init__(self, *roots: Any) -> None:
        #: By identity: the container and what it held. The container is kept, so its identity stays its own.
        self._held: dict[int, tuple[Any, Held]] = {}
        self._note(list(roots))

    def _note(self, waiting: list[Any]) -> None:
        seen: set[int] = set()
        while waiting and len(self._held) < OBJECTS_MAX:
            item = waiting.pop()
            if isinstance(item, _LEAVES) or id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, tuple | frozenset):
                waiting.extend(item)
                continue
            for container in _containers(item):
                held = _copy(container)
                self._held[id(container)] = (container, held)
                waiting.extend(held.values() if isinstance(held, dict) else held)

    def restore(self) -> None:
        """Puts everything back."""
        for container, held in self._held.values():
            if not _alike(container, held):
                _fill(container, held)

    def changes(self) -> list[Change]:
        """What has become different since, each container apart."""
        return [Change(container, held, _copy(container)) for container, held in self._held.values() if not _alike(container, held)]


class Change:
    """What one container held before and after a call."""

    def __init__(self, container: Any, before: Held, after: Held) -> None:
        self._container, self._before, self._after = container, before, after

    def take_back(self) -> None:
        """Puts back what the call did. What others have done to the same container since stays."""
        now = self._container
        if isinstance(now, dict) and isinstance(self._before, dict) and isinstance(self._after, dict):
            for key in [*self._before, *self._after]:
                was, became = self._before.get(key, _ABSENT), self._after.get(key, _ABSENT)
                if was is became or now.get(key, _ABSENT) is not became:
                    continue
                if was is _ABSENT:
                    del now[key]
                else:
                    now[key] = was
        elif _alike(now, self._after):
            _fill(now, self._before)
        else:
            came = [item for item in self._after if not _has(self._before, item)]
            went = [item for item in self._before if not _has(self._after, item)]
            kept = [item for item in now if not any(item is gone for gone in came)]
            _fill(now, [*kept, *(item for item in went if not _has(kept, item))])


def _containers(item: Any) -> list[Any]:
    """Where an object keeps what it holds: itself, its attributes, or both."""
    found: list[Any] = [item] if isinstance(item, dict | list | set) else []
    attributes = getattr(item, "__dict__", None)
    # Functions and modules have attributes as well; classes of moto's are what holds state.
    if isinstance(attributes, dict) and (isinstance(item, BaseBackend) or type(item).__module__.partition(".")[0] == "moto"):
        found.append(attributes)
    return found


def _copy(container: Any) -> Held:
    return dict(container) if isinstance(container, dict) else set(container) if isinstance(container, set) else list(container)


def _alike(container: Any, held: Held) -> bool:
    if len(container) != len(held):
        return False
    if isinstance(container, dict):
        assert isinstance(held, dict)
        return list(container) == list(held) and all(container[key] is value for key, value in held.items())
    if isinstance(container, set):
        return container == held
    return all(here is there for here, there in zip(container, held, strict=True))


def _fill(container: Any, held: Any) -> None:
    container.clear()
    if isinstance(container, list):
        container.extend(held)
    else:
        container.update(held)


def _has(items: Any, wanted: Any) -> bool:
    return any(item is wanted for item in items)
