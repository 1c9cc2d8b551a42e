"""A PostgreSQL server of the tests' own: Debian's programs, a temporary folder, a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Who runs the server when the tests run as root, which PostgreSQL refuses to.
NOBODY = 65534
OWNER = "quell"
PASSWORD = "only these tests know it"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL is not installed (scripts/setup-test installs Debian's)"
    return found[-1].parent


def _run(name: str, *words: str | Path) -> None:
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run([_programs() / name, *words], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60, **who)  # type: ignore[call-overload]
    assert done.returncode == 0, (name, words)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database whose owner gives a password, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="quell-pg-") as name:
        folder, port = Path(name), free_port()
        secret = folder / "password"
        secret.write_text(PASSWORD)
        for path in (folder, secret):
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        data = folder / "data"
        _run("initdb", "--auth=scram-sha-256", f"--username={OWNER}", "--pwfile", secret, "--no-sync", "--pgdata", data)
        options = f"-p {port} -h 127.0.0.1 -k {folder}"
        _run("pg_ctl", "--silent", "--wait", "--pgdata", data, "--log", folder / "log", "--options", options, "start")
        try:
            yield f"postgres://{OWNER}@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "--silent", "--mode=immediate", "--pgdata", data, "stop")
