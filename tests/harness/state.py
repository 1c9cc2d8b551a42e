"""A look into the state file, for what no command shows: which records are stored, what is leased, what was logged.

It only reads, while the server writes: SQLite keeps the two apart.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def _rows(data: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{data / 'quell.db'}?mode=ro", uri=True, timeout=20)) as db:
        return list(db.execute(sql, values))


def documents(data: Path, kind: str, *statuses: str) -> list[dict[str, Any]]:
    """The documents of a kind (`record`, `run`, `lease`, …), oldest first: id, status and body."""
    rows = _rows(data, "SELECT id, status, body FROM document WHERE kind = ? ORDER BY at, id", kind)
    return [{"id": i, "status": s, "body": json.loads(b)} for i, s, b in rows if not statuses or s in statuses]


def count(data: Path, kind: str, *statuses: str) -> int:
    marks = ",".join("?" * len(statuses))
    where = f" AND status IN ({marks})" if statuses else ""
    return int(_rows(data, f"SELECT count(*) FROM document WHERE kind = ?{where}", kind, *statuses)[0][0])


def records_about(data: Path, text: str) -> list[dict[str, Any]]:
    """The stored records whose own body holds `text` (a group's id, say)."""
    found = documents(data, "record")
    return [r for r in found if text in json.dumps(r["body"].get("body", r["body"]))]
