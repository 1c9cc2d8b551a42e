"""What Quell writes in OCSF, held to OCSF's own schema: the one that schema.ocsf.io exports, as a package of PyPI carries it."""

import copy
import ipaddress
import json
import os
from pathlib import Path

import jsonschema
import pytest
from harness.product import ROOT, quell
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

GOLDEN = ROOT / "crates/normalize/tests/golden"
VERSION = "1.1.0"
SCHEMA = get_ocsf_schema(version=VERSION)
GENERATOR = OcsfJsonSchemaEmbedded(SCHEMA)
VALIDATORS = {}


def validator(class_uid, profiles):
    key = (class_uid, tuple(profiles))
    if key not in VALIDATORS:
        name = GENERATOR.lookup_class_name_from_uid(class_uid)
        wanted = GENERATOR.get_class_schema(name, profiles=list(profiles))
        jsonschema.Draft202012Validator.check_schema(wanted)
        VALIDATORS[key] = jsonschema.Draft202012Validator(wanted)
    return VALIDATORS[key]


def class_of(uid):
    return next(c for c in SCHEMA["classes"].values() if c["uid"] == uid)


def deeper(attributes, value, place, profiles):
    """What JSON Schema does not say: a name that stands beside a number is the number's caption; an address is one (the
    schema's own pattern takes `300.1.2` for one)."""
    for name, attribute in attributes.items():
        sibling, enum = attribute.get("sibling"), attribute.get("enum")
        if attribute.get("profile") not in (None, *profiles):
            continue
        if sibling and enum and name in value and sibling in value:
            caption = enum[str(value[name])]["caption"]
            # «Other» is the one number whose name is the source's own.
            if value[name] != 99 and value[sibling] != caption:
                yield f"{place}{sibling}: «{value[sibling]}» is «{caption}» in the schema"
        if attribute["type"] == "ip_t" and name in value:
            for text in value[name] if attribute.get("is_array") else [value[name]]:
                if not is_address(text):
                    yield f"{place}{name}: «{text}» is no address"
        if attribute["type"] == "object_t" and name in value:
            inner = SCHEMA["objects"][attribute["object_type"]]["attributes"]
            parts = value[name] if attribute.get("is_array") else [value[name]]
            for part in parts:
                if isinstance(part, dict):
                    yield from deeper(inner, part, f"{place}{name}.", profiles)


def is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def faults(event):
    """All that is wrong with an event, in words."""
    if event.get("metadata", {}).get("version") != VERSION:
        return [f"metadata.version is not {VERSION}"]
    try:
        this = class_of(event["class_uid"])
    except (KeyError, StopIteration):
        return ["class_uid is none"]
    profiles = event["metadata"].get("profiles", [])
    found = [p for p in profiles if p not in this["profiles"]]
    found = [f"{this['name']} has no profile {p}" for p in found]
    found += [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator(event["class_uid"], profiles).iter_errors(event)]
    if found:
        return found
    # What JSON Schema does not say: the numbers belong together, and so do numbers and names.
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        found.append("type_uid is not class_uid * 100 + activity_id")
    if event["category_uid"] != event["class_uid"] // 1000:
        found.append("category_uid is not that of the class")
    names = {"activity_name", "type_name"} if event["activity_id"] == 99 else set()
    found += [f for f in deeper(this["attributes"], event, "", profiles) if f.split(":")[0] not in names]
    return found


def events():
    for path in sorted(GOLDEN.glob("*/*.ocsf.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.startswith("#"):
                yield pytest.param(json.loads(line), id=f"{path.parent.name}/{path.stem.removesuffix('.ocsf')}:{number}")


EVENTS = list(events())


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_keeps_to_the_schema(event):
    assert faults(event) == []


def test_every_source_and_every_class_is_there():
    sources = {path.name for path in GOLDEN.iterdir()}
    assert sources >= {
        "access-analyzer", "cloudtrail", "config", "dns", "flow", "guardduty", "health", "inspector", "macie", "security-hub",
        "security-hub-v2", "waf",
    }
    classes = {e.values[0]["class_uid"] for e in EVENTS}
    assert classes >= {2002, 2003, 2004, 3002, 3004, 4001, 4002, 4003, 6003}


def at(value, path):
    for part in path[:-1]:
        value = value[part]
    return value, path[-1]


def put(*path, to):
    def mistake(event):
        parent, name = at(event, path)
        parent[name] = to

    return mistake


def drop(*path):
    def mistake(event):
        parent, name = at(event, path)
        del parent[name]

    return mistake


MISTAKES = {
    "an attribute that the schema does not have": put("colour", to="red"),
    "one deeper down": put("metadata", "product", "colour", to="red"),
    "one deeper down in a list": put("observables", 0, "colour", to="red"),
    "a required attribute is missing": drop("metadata"),
    "one deeper down is missing": drop("cloud", "provider"),
    "a profile's attribute without its profile": put("metadata", "profiles", to=[]),
    "a profile that the class does not have": put("metadata", "profiles", to=["cloud", "load_balancer_x"]),
    "a number as text": put("time", to="2026-11-21T10:00:00Z"),
    "text as a number": put("message", to=5),
    "a list as one": put("observables", to={}),
    "a value that the enum does not have": put("severity_id", to=42),
    "an activity that the class does not have": put("activity_id", to=77),
    "another class's type": put("type_uid", to=600301),
    "a type that belongs to another activity": put("type_uid", to=0),
    "another category": put("category_uid", to=1),
    "a class that is none": put("class_uid", to=4999),
    "another version": put("metadata", "version", to="1.0.0"),
    "a name that is not the number's": put("severity", to="Terrible"),
    "one deeper down that is not": put("observables", 0, "type", to="Cheese"),
    "an object without any of the names it needs one of": put("metadata", "product", to={"vendor_name": "AWS"}),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_the_check_sees_a_mistake(mistake):
    for parameter in EVENTS:
        event = copy.deepcopy(parameter.values[0])
        if event["class_uid"] != 2004 or not event.get("observables"):
            continue
        assert faults(event) == []
        MISTAKES[mistake](event)
        assert faults(event) != [], f"{mistake}: {parameter.id}"


def test_an_address_has_to_be_one():
    event = next(e.values[0] for e in EVENTS if "ip" in e.values[0].get("src_endpoint", {}))
    event = copy.deepcopy(event)
    assert faults(event) == []
    event["src_endpoint"]["ip"] = "300.1.2"
    assert faults(event) != []


def test_the_command_writes_what_the_golden_files_say_and_names_what_it_cannot(tmp_path):
    said = quell("ocsf", GOLDEN / "guardduty" / "sequence-s3.json", cwd=tmp_path, output="table")
    assert (said.code, said.err) == (0, "")
    assert said.out == (GOLDEN / "guardduty" / "sequence-s3.ocsf.jsonl").read_text()
    said = quell("ocsf", GOLDEN / "security-hub" / "many-with-one-broken.json", cwd=tmp_path, output="table")
    assert said.code == 1
    assert len(said.out.splitlines()) == 4
    assert "findings[1]: it has no «/ProductArn»" in said.err
    assert "2 could not be written in OCSF" in said.err


DATA = Path(os.environ.get("QUELL_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not at hand")
def test_real_logs_keep_to_the_schema(tmp_path):
    """Every record of the real logs; each field's own value is not what the schema is about, so the same form is looked at once."""
    files = [path for path in sorted(DATA.rglob("*")) if path.suffix in (".json", ".gz", ".jsonl") and path.is_file()]
    assert files
    said = quell("ocsf", *files, cwd=tmp_path, output="table", seconds=300)
    seen = set()
    for line in said.out.splitlines():
        event = json.loads(line)
        form = shape(event)
        if form not in seen:
            seen.add(form)
            assert faults(event) == [], line
    assert len(seen) > 50


def shape(value):
    """What of an event the schema looks at but for the text of strings: names, types, and the numbers of enums."""
    if isinstance(value, dict):
        return tuple((name, shape(part)) for name, part in sorted(value.items()) if name != "unmapped")
    if isinstance(value, list):
        return tuple(sorted({repr(shape(part)) for part in value}))
    if isinstance(value, str):
        return "ip" if is_address(value) else "text"
    return value if isinstance(value, int) and value < 1_000_000 else type(value).__name__
