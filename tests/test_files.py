"""Files put into the drop folder: every form a record comes in, each read once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from harness import state
from harness.awsrange import exactly
from harness.product import Product, Server
from harness.records import Record, exposure, opened
from harness.waiting import until


def ndjson(records: list[Record]) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


def trail_file(records: list[Record]) -> bytes:
    return json.dumps({"Records": records}).encode()


def trail_file_gz(records: list[Record]) -> bytes:
    return gzip.compress(trail_file(records))


def ndjson_gz(records: list[Record]) -> bytes:
    return gzip.compress(ndjson(records))


FORMS = [ndjson, trail_file, trail_file_gz, ndjson_gz]


@pytest.fixture
def silent(home: Product, server: Server) -> Any:
    """Both ways closed: what Quell hears of, it reads from a file."""
    home.range.deliver(events=False, trail=False)
    yield home
    home.range.flush()


def drop(home: Product, name: str, content: bytes) -> None:
    """Puts a file in place whole: written beside the folder, then renamed into it."""
    beside = home.folder / f"{name}.partial"
    beside.write_bytes(content)
    beside.rename(home.data / "drop" / name)


def files_read(home: Product) -> int:
    return state.count(home.data, "cursor", "read")


def read_one_more(home: Product, name: str, content: bytes) -> None:
    """Drops a file and waits until it is read and its records are judged."""
    read = files_read(home)
    drop(home, name, content)
    until(f"{name} is read", lambda: files_read(home) == read + 1)
    until("no record is pending", lambda: state.count(home.data, "record", "pending") == 0)


@pytest.mark.parametrize("form", FORMS)
def test_a_recent_exposure_in_a_file_is_remediated(silent: Product, server: Server, form: Callable[[list[Record]], bytes]) -> None:
    group = silent.range.seed()["group_id"]
    before = silent.range.rules(group)
    made = exposure(silent.range, group)
    drop(silent, f"{form.__name__}.json", form([made]))
    server.fixed(group)
    assert exactly(silent.range.rules(group)) == exactly(before)
    (stored,) = state.records_about(silent.data, opened(made))
    assert (stored["status"], stored["body"]["origin"]["kind"]) == ("done", "file")
    assert stored["body"]["origin"]["path"].endswith(f"drop/{form.__name__}.json")


def test_the_same_record_in_every_form_is_one_record(silent: Product, server: Server) -> None:
    group = silent.range.seed()["group_id"]
    made = exposure(silent.range, group)
    for form in FORMS:
        read_one_more(silent, f"same-{form.__name__}", form([made]))
    server.fixed(group)
    assert len(state.records_about(silent.data, opened(made))) == 1
    assert len(server.runs(group)) == 1
    assert silent.range.revocations()[opened(made)] == 1


def test_many_records_in_one_file(silent: Product, server: Server) -> None:
    groups = [silent.range.seed()["group_id"] for _ in range(5)]
    made = [exposure(silent.range, group) for group in groups]
    noise = [{**made[0], "eventID": f"noise-{n}", "eventName": "CreateTags", "requestParameters": {"n": n}} for n in range(500)]
    drop(silent, "many.json.gz", trail_file_gz(noise[:250] + made + noise[250:]))
    for group, one in zip(groups, made):
        server.fixed(group)
        assert opened(one) not in exactly(silent.range.rules(group))
    until("no record is pending", lambda: state.count(silent.data, "record", "pending") == 0)
    assert len(state.records_about(silent.data, '"noise-')) == 500


def test_a_record_of_long_ago_tells_and_starts_nothing(silent: Product, server: Server) -> None:
    """An archive put into the folder must not set off responses to what is long over."""
    group = silent.range.seed()["group_id"]
    made = exposure(silent.range, group, age=timedelta(hours=2))
    mark = silent.range.mark()
    read_one_more(silent, "archive.ndjson", ndjson([made]))
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs) == ("open", [])
    assert "s old" in incident["statusReason"]
    assert "PB-008" in incident["statusReason"]
    assert silent.range.changes(mark) == []


def test_hidden_files_and_links_are_left_alone(silent: Product, server: Server) -> None:
    group = silent.range.seed()["group_id"]
    made = exposure(silent.range, group)
    outside = silent.folder / "outside.ndjson"
    outside.write_bytes(ndjson([made]))
    (silent.data / "drop/.hidden").write_bytes(ndjson([made]))
    (silent.data / "drop/link").symlink_to(outside)
    # The folder is read in the order of the names: once this one is read, the others were passed by.
    read_one_more(silent, "zz-last", ndjson([{**made, "eventID": "other", "eventName": "CreateTags"}]))
    assert state.records_about(silent.data, made["eventID"]) == []
    assert server.incidents(group) == []


def test_a_file_is_not_read_again_after_a_restart(tmp_path: Any) -> None:
    home = Product(tmp_path)
    made = {"eventID": "e-1", "recipientAccountId": "444455556666", "eventName": "CreateTags", "eventSource": "ec2.amazonaws.com"}
    made |= {"eventTime": "2025-01-01T00:00:00Z", "awsRegion": "us-east-1", "userIdentity": {"type": "Root"}}
    with home.server_up():
        read_one_more(home, "a.ndjson", ndjson([made]))
        before = state.documents(home.data, "record")
    with home.server_up():
        read_one_more(home, "b.ndjson", ndjson([{**made, "eventID": "e-2"}]))
    after = state.documents(home.data, "record")
    assert len(before) == 1
    assert [r for r in after if r in before] == before
    assert len(after) == 2
    assert files_read(home) == 2
