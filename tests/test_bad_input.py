"""Whatever comes in: a clear word about the place and the mend, nothing changed, and everything else goes on."""

from __future__ import annotations

import json
import shutil
import socket
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness import state
from harness.awsrange import exactly
from harness.product import ROOT, Product, Server, quell
from harness.records import record
from harness.signing import Answer, Key, call, send, signed_headers
from harness.waiting import until

STRANGER = "999988887777"


@pytest.fixture(autouse=True)
def goes_on(request: pytest.FixtureRequest, calm: None) -> Iterator[None]:
    """After each test with a server: the next exposure is fixed as if nothing had been."""
    yield
    if "server" in request.fixturenames:
        home, server = request.getfixturevalue("home"), request.getfixturevalue("server")
        home.range.clear_faults()
        home.range.deliver()
        group = home.range.seed()["group_id"]
        rule = home.range.open(group)
        server.fixed(group)
        assert home.range.revocations()[rule] == 1


@pytest.fixture(scope="module")
def forwarder(home: Product) -> Key:
    return home.key("forwarder")


def quarantined(home: Product, mark: str) -> dict[str, Any]:
    """What was put aside that holds `mark`, once it is there."""

    def look() -> list[dict[str, Any]]:
        return [d["body"] for d in state.documents(home.data, "record", "quarantined") if mark in json.dumps(d["body"])]

    (found,) = until(f"{mark} is put aside", look)
    return found


# --- Records that cannot be read ---


def test_malformed_json_in_the_queue_is_put_aside_with_its_place(home: Product, server: Server) -> None:
    mark = uuid.uuid4().hex
    url = home.range.info["quell"]["queues"]["events"]
    home.range.sqs().send_message(QueueUrl=url, MessageBody=f'{{"detail": {{"{mark}": ')
    aside = quarantined(home, mark)
    assert "line 1 column" in aside["reason"]
    assert aside["origin"] == {"kind": "queue", "url": url}
    home.settled()
    assert "put aside" in server.process.err()


@pytest.mark.parametrize("body", ["null", "[]", "17", '"text"', "{}", '{"Records": {}}', '{"Records": [1, null]}', "", " "])
def test_json_that_is_no_record_stops_nothing(home: Product, server: Server, body: str) -> None:
    if body.strip():
        home.range.sqs().send_message(QueueUrl=home.range.info["quell"]["queues"]["events"], MessageBody=body)
    (home.data / "drop" / f"no-record-{uuid.uuid4().hex}").write_text(body)
    home.settled()


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_bad_line_in_a_file_spoils_only_itself(home: Product, server: Server, place: int) -> None:
    home.range.deliver(events=False, trail=False)
    groups, mark = [home.range.seed()["group_id"] for _ in range(2)], uuid.uuid4().hex
    lines = [json.dumps(record(home.range.production["id"], group, home.range.open(group))) for group in groups]
    home.range.flush()
    lines.insert(place - 1, f'{{"{mark}": broken}}')
    beside = home.folder / "partial"
    beside.write_text("\n".join(lines) + "\n")
    beside.rename(home.data / f"drop/{mark}.ndjson")
    aside = quarantined(home, mark)
    assert f"line {place}" in aside["reason"]
    assert aside["origin"]["path"].endswith(f"drop/{mark}.ndjson")
    for group in groups:
        server.fixed(group, seconds=10)


def test_a_file_that_only_looks_like_gzip(home: Product, server: Server) -> None:
    mark = uuid.uuid4().hex
    beside = home.folder / mark
    beside.write_bytes(b"\x1f\x8b\x08\x00" + mark.encode() * 10)
    beside.rename(home.data / f"drop/{mark}.json.gz")
    assert "gz" in quarantined(home, mark)["reason"]


@pytest.mark.parametrize(("body", "words"), [("{not json", "line 1 column 2"), ("[]", "the body"), ("{}", "Entries"), ('{"Entries":[]}', "1 to 10 entries")])
def test_malformed_events_over_http(home: Product, server: Server, forwarder: Key, body: str, words: str) -> None:
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents"}
    signed = signed_headers("POST", f"{server.url}/", body.encode(), forwarder, headers)
    answer = send("POST", f"{server.url}/", body.encode(), signed)
    assert (answer.status, answer.json()["__type"]) == (400, "ValidationException")
    assert words in answer.json()["message"]


def test_malformed_json_to_the_api_names_the_place(home: Product, server: Server) -> None:
    url = f"{server.url}/api/v1/remediate"
    answer = send("POST", url, b'{"incident_id": ', signed_headers("POST", url, b'{"incident_id": ', server.key))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "line 1 column" in answer.json()["detail"]
    assert "incident_id, playbook, resource_arn" in answer.json()["detail"]


# --- Requests that must not pass the door ---


def pour(server: Server, headers: dict[str, str], size: int) -> Answer:
    """Sends a body of `size` zero bytes for as long as the server takes them, and reads its answer."""
    host, port = server.url.removeprefix("http://").split(":")
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "content-length": str(size)}.items())
    chunk = bytes(1024 * 1024)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{lines}\r\n".encode())
        try:
            for _ in range(size // len(chunk)):
                connection.sendall(chunk)
        except OSError:
            pass  # It has seen enough. What it said is to be read all the same.
        said = b""
        while b"\r\n\r\n" not in said:
            more = connection.recv(65536)
            assert more, f"no answer came, only {said!r}"
            said += more
    head, _, body = said.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), {}, body)


def test_a_body_of_100_mb_is_refused_and_never_held(home: Product, server: Server, forwarder: Key) -> None:
    before = server.process.rss_bytes()
    headers = signed_headers("POST", f"{server.url}/", b"small", forwarder, {"x-amz-target": "AWSEvents.PutEvents"})
    answer = pour(server, headers, 100 * 1024 * 1024)
    assert answer.status == 413
    assert server.process.rss_bytes() - before < 16 * 1024 * 1024


def test_a_stranger_s_100_mb_are_refused_before_they_are_read(home: Product, server: Server) -> None:
    before = server.process.rss_bytes()
    assert pour(server, {"host": "quell"}, 100 * 1024 * 1024).status == 401
    assert server.process.rss_bytes() - before < 4 * 1024 * 1024


def refused(answer: Answer, status: int, name: str) -> str:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:quell:problem:{name}", status)
    return str(problem["detail"])


def test_unsigned(home: Product, server: Server) -> None:
    assert "sign" in refused(send("GET", f"{server.url}/api/v1/metrics", b"", {}), 401, "unsigned").lower()


def test_a_wrong_signature(home: Product, server: Server) -> None:
    refused(call("GET", f"{server.url}/api/v1/metrics", Key(server.key.id, "A" * 27)), 403, "signature-mismatch")


@pytest.mark.parametrize("what", ["body", "path", "query", "header"])
def test_a_request_changed_on_the_way(home: Product, server: Server, what: str) -> None:
    url, body = f"{server.url}/api/v1/remediate?a=1", b'{"a": 1}'
    headers = signed_headers("POST", url, body, server.key, {"x-amz-meta": "1"})
    if what == "header":
        headers["x-amz-meta"] = "2"
    sent = {"body": (url, b'{"a": 2}'), "path": (url.replace("remediate", "runs/run-1/undo"), body), "query": (url.replace("a=1", "a=2"), body)}
    refused(send("POST", *sent.get(what, (url, body)), headers), 403, "signature-mismatch")


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_ten_minutes_off(home: Product, server: Server, minutes: int) -> None:
    url = f"{server.url}/api/v1/metrics"
    headers = signed_headers("GET", url, b"", server.key, off=timedelta(minutes=minutes))
    detail = refused(send("GET", url, b"", headers), 403, "signature-skew")
    assert "clock" in detail


def test_a_replayed_request_counts_once_also_after_a_restart(tmp_path: Path) -> None:
    home = Product(tmp_path)
    listen = {"QUELL__SERVER__LISTEN": "127.0.0.1:0"}
    path = "/api/v1/runs/run-there-is-none/undo"
    with home.server_up(env=listen) as server:
        # Signed for a host name that does not change with the port.
        headers = signed_headers("POST", f"http://quell{path}", b"", home.key("responder"), {})
        assert send("POST", server.url + path, b"", headers).status == 404
        again = send("POST", server.url + path, b"", headers)
        assert again.status == 409
        assert "received before" in again.json()["detail"]
    with home.server_up(env=listen) as server:
        assert send("POST", server.url + path, b"", headers).status == 409


def test_events_sent_twice_are_accepted_twice_and_stored_once(tmp_path: Path) -> None:
    """A client that did not hear the answer sends them again, and in one second the signature is the same."""
    home = Product(tmp_path)
    with home.server_up(env={"QUELL__SERVER__LISTEN": "127.0.0.1:0"}) as server:
        url, body = f"{server.url}/", b'{"Entries":[{"Source":"a","DetailType":"b","Detail":"{}"}]}'
        headers = signed_headers("POST", url, body, home.key("sender"), {"x-amz-target": "AWSEvents.PutEvents"})
        first, again = [send("POST", url, body, headers) for _ in range(2)]
        assert (first.status, again.status) == (200, 200)
        assert first.json() == again.json()
        assert state.count(home.data, "record") == 1


# --- What is out of bounds ---


def test_an_event_of_an_unknown_account_is_told_and_nobody_calls_there(home: Product, server: Server) -> None:
    mark, group = home.range.mark(), f"sg-{uuid.uuid4().hex[:17]}"
    made = record(STRANGER, group, "sgr-0123456789abcdef0")
    event = {"version": "0", "id": "1", "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": STRANGER, "detail": made}
    home.range.sqs().send_message(QueueUrl=home.range.info["quell"]["queues"]["events"], MessageBody=json.dumps(event))
    incident, runs = server.at_rest(group)
    home.settled()
    assert (incident["status"], runs) == ("open", [])
    assert f"account {STRANGER} is not in scope" in incident["statusReason"]
    assert "[[accounts]] in quell.toml" in incident["statusReason"]
    assert [c for c in home.range.journal(mark) if STRANGER in json.dumps(c) and c["service"] != "sqs"] == []


@pytest.fixture
def typo(tmp_path: Path) -> Path:
    """A folder of content whose Sigma rule has a misspelt condition in it."""
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    rule = content / "detections/aws/ec2/security-group-open-to-world.yml"
    rule.write_text(rule.read_text().replace("condition: selection and", "condition: selektion and"))
    return content


def fault_of(content: Path) -> tuple[dict[str, Any], str]:
    """What `content check` says of the misspelt rule, as JSON and as people read it."""
    said = quell("content", "check", content, cwd=content.parent)
    assert said.code == 1
    (fault,) = [f for f in said.json["faults"] if f["file"].endswith("security-group-open-to-world.yml")]
    table = quell("content", "check", content, cwd=content.parent, output="table").out
    return fault, next(line for line in table.splitlines() if "selektion" in line)


def test_a_rule_file_with_a_typo_is_named_with_the_word(typo: Path) -> None:
    fault, shown = fault_of(typo)
    assert fault["file"] == "detections/aws/ec2/security-group-open-to-world.yml"
    assert "selektion" in fault["message"]
    assert "security-group-open-to-world.yml" in shown


def test_a_rule_file_with_a_typo_is_named_with_its_line(typo: Path) -> None:
    text = (typo / "detections/aws/ec2/security-group-open-to-world.yml").read_text()
    line = next(n for n, words in enumerate(text.splitlines(), 1) if "selektion" in words)
    _, shown = fault_of(typo)
    assert f"security-group-open-to-world.yml:{line}" in shown


def test_a_rule_file_with_a_typo_is_named_with_the_mend(typo: Path) -> None:
    fault, _ = fault_of(typo)
    assert "selection" in (fault.get("help") or ""), fault


def test_a_rule_file_with_a_typo_stops_nothing_else(tmp_path: Path, typo: Path) -> None:
    home = Product(tmp_path / "home")
    settings = tmp_path / "settings.toml"
    settings.write_text(f'content = "{typo}"\n')
    with home.range_up(), home.server_up(config=settings) as server:
        assert "security-group-open-to-world.yml" in server.process.err()
        assert "selektion" in server.process.err()
        group = home.range.seed()["group_id"]
        home.range.open(group)
        server.fixed(group)
        doctor = home.quell("doctor", "--config", settings)
        assert doctor.code == 1
        (check,) = [c for c in doctor.json if c["what"] == "content"]
        assert (check["ok"], check["mend"]) == (False, "quell content check")
        assert "security-group-open-to-world.yml" in check["found"]


@pytest.mark.parametrize("text", ["not yaml: [", "title: only\n", ""], ids=["no-yaml", "no-rule", "empty"])
def test_other_broken_rule_files_are_faults_too(tmp_path: Path, text: str) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    (content / "detections/aws/ec2/new.yml").write_text(text)
    said = quell("content", "check", content, cwd=tmp_path)
    assert said.code == 1
    assert [Path(f["file"]).name for f in said.json["faults"]] == ["new.yml"]
    rules = [p.name for p in (content / "detections").rglob("*") if p.name.endswith((".yml", ".pattern.json"))]
    others = [name for name in rules if name != "new.yml" and not name.endswith((".correlation.yml", ".baseline.yml", ".network.yml"))]
    assert said.json["detections"] == len(others) > 2
    for kind, ending in (("correlations", "correlation"), ("baselines", "baseline"), ("network", "network")):
        assert said.json[kind] == sum(name.endswith(f".{ending}.yml") for name in rules) > 2


# --- A folder, a port, a setting ---

COMMANDS = [["serve", "--listen", "127.0.0.1:0"], ["incident", "list"], ["doctor"], ["auth", "key", "create", "--owner", "x"], ["halt"], ["range", "up"]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("below", ["", "/data"], ids=["a-file", "below-a-file"])
def test_a_data_folder_that_cannot_be(tmp_path: Path, words: list[str], below: str) -> None:
    (tmp_path / "file").write_text("mine")
    said = quell(*words, "--data", f"{tmp_path}/file{below}", cwd=tmp_path)
    assert said.code == 3, said
    assert f"{tmp_path}/file" in said.err
    assert "Traceback" not in said.err
    assert "panicked" not in said.err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_state_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/quell.db").write_text("this is no database, and nobody should write over it\n" * 100)
    before = (tmp_path / "data/quell.db").read_bytes()
    said = quell("incident", "list", "--data", tmp_path / "data", cwd=tmp_path)
    assert said.code in (3, 5)
    assert "quell.db" in said.err
    assert (tmp_path / "data/quell.db").read_bytes() == before


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = quell("serve", "--listen", address, "--data", tmp_path / "data", cwd=tmp_path)
    assert said.code == 3
    assert address in said.err
    assert "--listen" in said.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[respond]\nlevel_maxx = 'auto'\n", "level_maxx"),
        ("[respond]\nlevel_max = 'everything'\n", "everything"),
        ("[[accounts]]\nid = '12'\n", "twelve digits"),
        ("[aws]\naccess_key_id = 'AKIAIOSFODNN7EXAMPLE'\nsecret_access_key = 'env:X'\n", "env:NAME or file:PATH"),
        ("[aws]\naccess_key_id = 'env:X'\n", "aws.secret_access_key"),
        ("[aws]\nhttps_proxy = 'http://me:hush@proxy:3128'\n", "HTTPS_PROXY"),
        ("not toml", "settings.toml"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, words: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(text)
    said = quell("doctor", "--config", settings, "--data", tmp_path / "data", cwd=tmp_path)
    assert said.code == 3, said
    assert words in said.err
    assert "AKIAIOSFODNN7EXAMPLE" not in said.err + said.out, "a secret is never printed"


def test_without_a_range_and_without_keys_it_serves_and_says_so(tmp_path: Path) -> None:
    home = Product(tmp_path)
    with home.server_up() as server:
        assert "AWS credentials by the standard chain" in server.process.err()
        assert server.incidents() == []
    said = home.quell("doctor")
    assert said.code == 1
    assert all(check["mend"] for check in said.json if not check["ok"])
