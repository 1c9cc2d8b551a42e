"""The audit log and the evidence it names: handed out, checked elsewhere, and any change to the copy seen."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.product import Product, Said


class Copy:
    """An exported folder, its key, and whose run is in it."""

    def __init__(self, home: Product, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.key: str = home.quell("evidence", "key").json["key"]
        said = home.quell("evidence", "export", str(folder))
        assert said.code == 0, said
        self.exported = said.json["exported"]
        #: Where nothing is known of the log: no store, no range.
        self.elsewhere = Product(folder.parent / "elsewhere")

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "entries.jsonl").read_text().splitlines()]

    def check(self, folder: Path | None = None, *more: str, key: str | None = None) -> Said:
        said = self.elsewhere.quell("evidence", "verify", str(folder or self.folder), "--key", key or self.key, *more)
        assert not self.elsewhere.data.exists(), "a check opens no store"
        return said


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    home = Product(tmp_path_factory.mktemp("evidence"))
    with home.range_up():
        with home.server_up() as server:
            group = home.range.seed()["group_id"]
            home.range.open(group)
            _, runs = server.fixed(group)
            home.settled()
            assert home.quell("undo", runs[-1]["id"]).code == 0
            home.settled()
        assert home.quell("halt").code == 0
        assert home.quell("resume").code == 0
    return Copy(home, tmp_path_factory.mktemp("export") / "audit")


def test_the_log_tells_who_did_what(copy: Copy) -> None:
    lines = copy.lines()
    acts = [line["act"] for line in lines]
    for act in ("key-issued", "run-begun", "decided", "changed", "run-ended", "halted", "resumed", "exported"):
        assert act in acts, acts
    begun = [line for line in lines if line["act"] == "run-begun"]
    assert [b["details"]["mode"] for b in begun] == ["respond", "undo"]
    assert begun[0]["by"] == "policy:auto" and "command line" in begun[1]["by"]
    changed = [line["details"] for line in lines if line["act"] == "changed"]
    assert {c["call"] for c in changed} >= {"ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress"}
    assert {c["outcome"] for c in changed} == {"accepted"}
    ended = [line for line in lines if line["act"] == "run-ended"]
    for line in ended:
        body = (copy.folder / "bodies" / f"{line['bodies']['evidence']}.json").read_bytes()
        assert hashlib.sha256(body).hexdigest() == line["bodies"]["evidence"]
        assert json.loads(body)["run"] == line["about"]
    first = json.loads((copy.folder / "bodies" / f"{ended[0]['bodies']['evidence']}.json").read_bytes())
    assert first["findings"] and first["records"] and first["plan"]["before"] and first["undo"]["after"] is not None
    assert not any("secretAccessKey" in json.dumps(line) for line in lines)


def test_the_copy_is_what_was_signed(copy: Copy) -> None:
    said = copy.check()
    assert said.code == 0, said
    assert said.json["faults"] == [] and said.json["entries"] == len(copy.lines())
    assert said.json["bodies"] == copy.exported["bodies"] > 0


def test_an_independent_reader_finds_the_same_root(copy: Copy) -> None:
    """The root by the definition in RFC 6962, section 2.1, in ten lines of another language."""

    def root(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        k = 1
        while 2 * k < len(leaves):
            k *= 2
        return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()

    lines = (copy.folder / "entries.jsonl").read_bytes().split(b"\n")[:-1]
    origin, size, found = (copy.folder / "checkpoint").read_text().split("\n")[:3]
    assert (origin, int(size)) == (copy.key.split("+")[0], len(lines))
    assert base64.b64decode(found) == root([hashlib.sha256(b"\x00" + line).digest() for line in lines])


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change_file(folder: Path) -> None:
        path = next(iter(sorted(folder.glob(name))))
        path.write_bytes(change(path.read_bytes()))

    return change_file


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: next(iter(sorted(folder.glob(name)))).unlink()


@pytest.mark.parametrize(
    "harm",
    [
        edit("entries.jsonl", lambda b: b.replace(b"policy:auto", b"policy:aut0", 1)),
        edit("entries.jsonl", lambda b: b"".join(b.splitlines(True)[1:])),
        edit("entries.jsonl", lambda b: b"".join(b.splitlines(True)[:-1])),
        edit("entries.jsonl", lambda b: b + b.splitlines(True)[0]),
        edit("entries.jsonl", lambda b: b"".join(reversed(b.splitlines(True)))),
        edit("entries.jsonl", lambda b: b[:-1]),
        edit("entries.jsonl", lambda b: b"\n" + b),
        edit("bodies/*.json", lambda b: b + b" "),
        edit("bodies/*.json", lambda b: b.replace(b'"run"', b'"ran"', 1)),
        drop("bodies/*.json"),
        edit("checkpoint", lambda b: b.replace(b"\n", b"\n1", 1)),
        drop("checkpoint"),
    ],
)
def test_what_is_changed_in_a_copy_is_seen(copy: Copy, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    bad = tmp_path / "copy"
    shutil.copytree(copy.folder, bad)
    harm(bad)
    said = copy.check(bad)
    assert said.code == 1, said


def test_an_older_copy_is_seen_by_a_checkpoint_that_was_kept_elsewhere(copy: Copy, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(copy.home.quell("evidence", "checkpoint").json["checkpoint"])
    assert copy.check(None, "--checkpoint", str(kept)).code == 0
    assert copy.home.quell("halt").code == 0
    kept.write_text(copy.home.quell("evidence", "checkpoint").json["checkpoint"])
    said = copy.check(None, "--checkpoint", str(kept))
    assert said.code == 1 and "were signed" in said.out, said
    assert copy.home.quell("resume").code == 0


def test_another_log_s_key_is_no_key_for_this_one(copy: Copy, tmp_path: Path) -> None:
    other = Product(tmp_path / "other").quell("evidence", "key").json["key"]
    assert other != copy.key
    said = copy.check(key=other)
    assert said.code == 1 and "signature" in said.err, said


def test_the_newest_entries_are_listed_by_what_they_are_about(copy: Copy) -> None:
    run = next(line["about"] for line in copy.lines() if line["act"] == "run-begun")
    said = copy.home.quell("evidence", "list", "--about", run)
    assert said.code == 0, said
    acts = [e["entry"]["act"] for e in said.json]
    assert acts[0] == "run-ended" and acts[-1] == "run-begun", acts
    assert copy.home.quell("evidence", "show", run).json["evidence"]["run"] == run
