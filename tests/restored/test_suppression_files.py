"""The file for a backup: nobody's name, no yes, all or nothing (T24)."""

import json

import pytest

from tests.restored.conftest import CAS, GINA, HOUR, HUGO, INES, NEW


def test_the_file_names_nobody_and_says_no_yes(say_yes, backup, stop, hold, move, lose):
    """T24: hashes, purposes and moments alone."""
    say_yes(HUGO, GINA, INES, CAS)
    backup.make()
    stop(HUGO)
    hold(GINA)
    move(INES, NEW)

    text = lose().read_text()

    stones = [json.loads(line) for line in text.splitlines()]
    assert "@" not in text
    assert {key for stone in stones for key in stone} == {
        *("shop", "email_hash", "reason", "subject", "at", "purpose")
    }
    assert [stone["reason"] for stone in stones] == ["moved", "withdrawn", "restricted"]


def test_a_file_of_an_earlier_version_is_understood(
    say_yes, apply, listed, house, tmp_path
):
    """It has erasures and objections alone."""
    say_yes(HUGO)
    who = house.person(HUGO)
    house.clock.advance(HOUR)
    file = tmp_path / "suppressions.jsonl"
    stone = {
        "at": house.clock.now().isoformat(),
        "email_hash": who.email_hash.hex(),
        "reason": "never",
        "shop": "demo",
        "subject": who.subject_ref.hex(),
    }
    file.write_text(json.dumps(stone) + "\n")

    assert apply(file) == 1

    assert listed() == []
    assert house.acts(HUGO)[-1] == ("*", "objected")


BROKEN = [
    {"reason": "withdrawn"},
    {"reason": "not_me"},
    {"reason": "refused", "until": "2026-01-01T00:00:00"},
    {"reason": "given", "purpose": "newsletter"},
    {"reason": "named", "platform": "x", "kind": "email", "mark": "", "sealed": ""},
    {"reason": "named", "platform": "google", "kind": "email", "mark": "zz"},
]


@pytest.mark.parametrize("wrong", BROKEN, ids=lambda wrong: "-".join(wrong.values()))
def test_a_line_that_lacks_something_stops_it_all(
    wrong, say_yes, backup, stop, lose, run, house
):
    say_yes(HUGO)
    backup.make()
    stop(HUGO)
    file = lose()
    stone = json.loads(file.read_text()) | {"reason": "erased"}
    del stone["purpose"]
    file.write_text(file.read_text() + json.dumps(stone | wrong) + "\n")
    before = house.dump()

    told = run("suppression", "apply", "--from", file)

    assert told.exit_code == 2
    assert "line 2: this is no suppression" in told.output
    assert house.dump() == before
