"""The command line: `python -m quell_range up`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from typing import Any


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m quell_range", description="A local AWS that also writes its CloudTrail.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run the range until SIGTERM or SIGINT")
    up.add_argument("--host", default="127.0.0.1")
    up.add_argument("--port", type=int, default=0, help="0 chooses a free port")
    up.add_argument("--ready-file", help="written when everything stands; holds what /range-api/info holds")
    up.add_argument("--trail-interval", type=float, default=5.0, metavar="SECONDS", help="how often trail files are written")
    up.add_argument("--record-reads", action="store_true", help="record reads too (in the trail; EventBridge never carries them)")
    up.add_argument("--accounts", type=int, default=3, metavar="N")
    up.add_argument("--verbose", action="store_true")
    attack = commands.add_parser("attack", help="do to a range that is up what a playbook answers")
    attack.add_argument("playbook", help="PB-001, or list")
    attack.add_argument("--info", required=True, help="the ready file of the range")
    attack.add_argument("--account", help="where (the production account)")
    attack.set_defaults(verbose=False)
    arguments = parser.parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=logging.DEBUG if arguments.verbose else logging.ERROR, format="%(levelname)s %(name)s %(message)s"
    )
    for noisy in ("botocore", "urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return _up(arguments) if arguments.command == "up" else _attack(arguments)


def _attack(arguments: argparse.Namespace) -> int:
    """Prints what was attacked: its id, and how it was before and after."""
    from quell_range import attacks
    from quell_range.attacks.stage import Stage

    if arguments.playbook == "list":
        print(json.dumps({name: (attacks.of(name).__doc__ or "").strip() for name in attacks.names()}))
        return 0
    try:
        scene = attacks.of(arguments.playbook)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with open(arguments.info, encoding="utf-8") as file:
        stage = Stage(json.load(file), arguments.account)
    made = scene.prepare(stage)
    stage.until_the_next_second()
    before = scene.read(stage, made)
    scene.attack(stage, made)
    told = {
        "playbook": arguments.playbook,
        "what": (scene.__doc__ or "").strip(),
        "account": stage.account["id"],
        "resource": made["resource"],
    }
    print(json.dumps({**told, "before": before, "after": scene.read(stage, made)}, default=str))
    return 0


def _up(arguments: argparse.Namespace) -> int:
    # moto reads these when it is first imported, so they come before the import of anything that imports it.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    from quell_range.range import Range

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    here = Range(arguments.host, arguments.port, arguments.trail_interval, arguments.record_reads, arguments.accounts)
    here.start()
    info = here.info()
    if arguments.ready_file:
        _write_atomically(arguments.ready_file, info)
    print(f"the range is up at {info['endpoint']}", file=sys.stderr, flush=True)
    stopped.wait()
    here.stop()
    sys.stderr.flush()
    # Everything is in memory and meant to go: taking moto's state apart object by object would take a second.
    os._exit(0)


def _write_atomically(path: str, value: dict[str, Any]) -> None:
    """Keys are in it: only the owner may read it."""
    temporary = f"{path}.{os.getpid()}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    os.replace(temporary, path)
