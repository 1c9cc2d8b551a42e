"""`quell range attack`: what a playbook answers, done to the range that is up, and answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.product import Product, Server


def test_what_is_attacked_is_answered(home: Product, server: Server) -> None:
    said = home.quell("range", "attack", "PB-008")
    assert said.code == 0, said.err
    assert (said.json["playbook"], said.json["account"]) == ("PB-008", home.range.production["id"])
    _, runs = server.fixed(said.json["resource"])
    assert runs[-1]["playbook"] == "PB-008"
    assert len(home.range.rules(said.json["resource"])) == len(said.json["before"]["rules"])


def test_another_account_can_be_attacked(home: Product, server: Server) -> None:
    said = home.quell("range", "attack", "PB-008", "--account", home.range.sandbox["id"])
    assert (said.code, said.json["account"]) == (0, home.range.sandbox["id"]), said.err
    server.fixed(said.json["resource"])


def test_the_list_is_for_people_too(home: Product) -> None:
    listed = home.quell("range", "attack", "list")
    assert listed.code == 0 and "PB-001" in listed.json, listed
    table = home.quell("range", "attack", "list", output="table")
    assert all(name in table.out for name in listed.json)


def test_an_attack_that_there_is_not_is_said(home: Product) -> None:
    said = home.quell("range", "attack", "PB-999")
    assert said.code != 0 and "there is no attack for PB-999" in said.err, said


@pytest.mark.parametrize("words", [("range", "attack", "PB-008"), ("range", "info")], ids=" ".join)
def test_without_a_range_there_is_nothing_to_attack(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = Product(tmp_path).quell(*words)
    assert said.code != 0 and "no range is up with this data folder" in said.err, said
