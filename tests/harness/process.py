"""Processes under test: in a session of their own, their words kept in files, their whole group killed at the end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.waiting import until

#: What a developer's own shell has set must not decide what a test sees.
_STRANGE = ("AWS_", "QUELL_", "PYTHON")


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would change the product's or the aws command line's behaviour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STRANGE)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **more}


class Process:
    """A program that runs beside the test."""

    def __init__(self, command: Sequence[str | Path], log: Path, cwd: Path, env: dict[str, str]) -> None:
        self.out_path, self.err_path = log.with_suffix(".out"), log.with_suffix(".err")
        # Opened anew for each process: what an earlier one of the same name said is no answer to anything.
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self._child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=env, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    def err(self) -> str:
        return self.err_path.read_text(errors="replace")

    def is_up(self) -> bool:
        return self._child.poll() is None

    def rss_bytes(self) -> int:
        """What it holds in memory just now, and the most it ever held."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def wait_for(self, what: str, text: str, seconds: float = 60) -> str:
        """The first line on standard error that holds `text`."""

        def look() -> str:
            found = next((line for line in self.err().splitlines() if text in line), "")
            if not found and not self.is_up():
                raise AssertionError(f"{what}: it ended with {self._child.returncode}: {self.err()[-2000:]}")
            return found

        return until(what, look, seconds)

    def end(self, seconds: float = 10) -> int:
        """Asks it to end, as an operator would, and says how it ended."""
        if self.is_up():
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"it did not end within {seconds} s of SIGTERM: {self.err()[-2000:]}") from None
        self.kill()
        return self._child.returncode

    def kill(self) -> None:
        """kill -9, with everything it started."""
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.wait()
