"""ARCHITECTURE.md is true: its table of allowed edges is what cargo sees, and the documents point at what is there."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
DOCUMENTS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))

# Rooms that get clock, sockets, files and chance as arguments.
PURE = ["model", "pattern", "states", "normalize", "detect", "triage", "guard", "policy", "respond", "evidence"]
# Crates that bring one of those with them. `time` only formats and parses here; SOURCE_BANNED keeps its clock out.
IMPURE_CRATES = {
    # runtimes, servers, clients, databases
    "tokio", "tokio-util", "async-std", "smol", "axum", "hyper", "hyper-util", "reqwest", "ureq", "sqlx", "rusqlite",
    "object_store",
    # clocks
    "chrono", "jiff", "quanta", "coarsetime", "instant", "web-time", "minstant",
    # chance
    "rand", "getrandom", "fastrand", "uuid",
}  # fmt: skip
SOURCE_BANNED = re.compile(
    r"std::(fs|env|process|thread)\b|std::net::(Tcp|Udp|ToSocketAddrs)|\b(SystemTime|Instant)::now\b|\bnow_(utc|local)\b"
)


@functools.cache
def workspace() -> dict[str, dict[str, set[str]]]:
    """For each crate of the workspace: the other crates of it that it uses, and the rest (normal dependencies only)."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    packages = json.loads(done.stdout)["packages"]
    names = {package["name"] for package in packages}
    out = {}
    for package in packages:
        normal = {d["name"] for d in package["dependencies"] if d["kind"] is None}
        out[package["name"]] = {"ours": normal & names, "others": normal - names}
    return out


def table(text: str) -> dict[str, set[str]]:
    """The rows between the markers: crate, what it may use, why. Anything not exactly of that form is an error."""
    found = re.findall(r"^<!-- edges:begin -->$(.*?)^<!-- edges:end -->$", text, re.M | re.S)
    assert len(found) == 1, "ARCHITECTURE.md has exactly one table between <!-- edges:begin --> and <!-- edges:end -->"
    lines = found[0].strip().splitlines()
    assert lines[0] == "| crate | may use | why |", lines[0]
    assert re.fullmatch(r"\|(-+\|){3}", lines[1]), lines[1]
    rows: dict[str, set[str]] = {}
    for line in lines[2:]:
        cells = re.fullmatch(r"\| `([a-z-]+)` \| (nothing|`[a-z-]+`(?:, `[a-z-]+`)*) \| (\S.*\S) \|", line)
        assert cells, f"not a row of the form | `crate` | `a`, `b` | why |: {line}"
        name, uses = cells[1], cells[2]
        assert name not in rows, f"{name} has two rows"
        rows[name] = set() if uses == "nothing" else set(re.findall(r"`([a-z-]+)`", uses))
    return rows


@functools.cache
def allowed() -> dict[str, set[str]]:
    return table(ARCHITECTURE.read_text(encoding="utf-8"))


def test_each_crate_has_one_row_and_each_row_a_crate():
    assert sorted(allowed()) == sorted(workspace()), "the table of edges and the workspace name the same crates"


def test_only_allowed_edges_are_used_and_each_is():
    wrong = []
    for name, uses in workspace().items():
        may = allowed().get(name, set())
        wrong += [f"{name} uses {other}, which ARCHITECTURE.md does not allow" for other in uses["ours"] - may]
        wrong += [f"{name} may use {other}, and does not: take it out of the table" for other in may - uses["ours"]]
    assert not wrong, "\n".join(sorted(wrong))


def test_arrows_run_one_way():
    seen: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' -> '.join((*way, name))}"
        if name not in seen:
            for other in allowed()[name]:
                visit(other, (*way, name))
            seen.add(name)

    for name in allowed():
        visit(name, ())


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_bring_no_clock_socket_file_or_chance(room: str):
    found = workspace()[f"quell-{room}"]["others"] & IMPURE_CRATES
    assert not found, f"crates/{room} is pure and depends on {', '.join(sorted(found))}"
    reached = []
    for path in sorted((ROOT / "crates" / room / "src").rglob("*.rs")):
        if path.stem.endswith("_tests"):
            continue
        # Tests may read files.
        product, *_ = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests {")
        for number, line in enumerate(product.splitlines(), 1):
            if SOURCE_BANNED.search(line.split("//")[0]):
                reached.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not reached, "a pure room reaches out:\n" + "\n".join(reached)


def test_pure_rooms_use_only_pure_rooms():
    pure = {f"quell-{room}" for room in PURE}
    for name in pure:
        assert workspace()[name]["ours"] <= pure, f"{name} uses {workspace()[name]['ours'] - pure}"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "<!-- edges:begin -->\n| crate | may use |\n|---|---|\n<!-- edges:end -->\n",
        "<!-- edges:begin -->\n| crate | may use | why |\n|---|---|---|\n| `a` |  | x y |\n<!-- edges:end -->\n",
        "<!-- edges:begin -->\n| crate | may use | why |\n|---|---|---|\n| `a` | b | x y |\n<!-- edges:end -->\n",
        "<!-- edges:begin -->\n| crate | may use | why |\n|---|---|---|\n| `a` | `b` |  |\n<!-- edges:end -->\n",
        "<!-- edges:begin -->\n| crate | may use | why |\n|---|---|---|\n"
        "| `a` | nothing | x y |\n| `a` | nothing | x y |\n<!-- edges:end -->\n",
    ],
)
def test_a_table_of_another_form_is_refused(bad: str):
    with pytest.raises(AssertionError):
        table(bad)


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def broken_link(document: Path, target: str) -> str | None:
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = (document.parent / path) if path else document
    if not file.exists():
        return f"{document.name}: the link to {target} leads nowhere"
    if anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
        return f"{document.name}: {path or document.name} has no heading #{anchor}"
    return None


def broken_path(document: Path, token: str) -> str | None:
    """A `path/in/the/repo` must be there (`*` is a wildcard); with `path::name` the file must hold that name."""
    path, _, name = token.partition("::")
    if not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+/?", path):
        return None
    first = path.split("/")[0]
    names_a_file = Path(path).suffix in {".rs", ".py", ".md", ".toml", ".sql", ".txt", ".yml"}
    if not (ROOT / first).is_dir() and not names_a_file:
        return None
    files = sorted(ROOT.glob(path.rstrip("/")))
    if not files:
        return f"{document.name}: there is no {path}"
    if name and not any(re.search(rf"\b{re.escape(name)}\b", f.read_text(encoding="utf-8")) for f in files):
        return f"{document.name}: {path} has nothing called {name}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    faults = [broken_link(document, target) for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
    faults += [broken_path(document, token) for token in re.findall(r"`([^`\n]+)`", prose)]
    wrong = [fault for fault in faults if fault]
    assert not wrong, "\n".join(wrong)


def test_the_checks_themselves_find_what_is_broken():
    assert broken_link(ARCHITECTURE, "no/such/file.md")
    assert broken_link(ARCHITECTURE, "#no-such-heading")
    assert broken_path(ARCHITECTURE, "crates/no-such-room/src/lib.rs")
    assert broken_path(ARCHITECTURE, "normalize/src/split.rs"), "a path is given from the root"
    assert broken_path(ARCHITECTURE, "crates/model/src/id.rs::no_such_name")
    assert broken_path(ARCHITECTURE, "crates/model/src/id.rs::RecordId") is None
    assert broken_path(ARCHITECTURE, "application/json") is None
