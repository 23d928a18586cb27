"""The public record of draws and its verifier: PZ-08, T13."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import chance, transcript
from server.domain.chain import WrongLineError
from server.domain.chance import Slot, Table, seed_for
from server.domain.transcript import MARGIN, Play, Promise, verify

LAST = bytes(range(32))
DAYS = 3
TABLE = Table((Slot("mug", 40, 3), Slot("ten", 60, None)), "ten")
PROMISE = Promise(
    campaign="demo",
    opens=datetime(2026, 3, 2, 9, tzinfo=UTC),
    epochs=DAYS,
    anchor=seed_for(LAST, epochs=DAYS, epoch=0).hex(),
    table=TABLE,
)


def ticket(number: int) -> str:
    return hashlib.sha256(f"ticket-{number}".encode()).hexdigest()[:32]


def drawn(number: int, epoch: int) -> str:
    return chance.draw(
        TABLE,
        seed=seed_for(LAST, epochs=DAYS, epoch=epoch),
        campaign="demo",
        epoch=epoch,
        ticket=ticket(number),
        browser="",
    )


def honest(plays: int, epoch: int = 1, *, first: int = 1, taken: int = 0) -> list:
    """Return what happens on a day, mugs given out one by one until none is left."""
    happened = []
    for number in range(first, first + plays):
        slot = drawn(number, epoch)
        unit = None
        awarded = slot
        if slot == "mug":
            taken += 1
            unit = taken if taken <= 3 else None
            awarded = "mug" if unit else "ten"
        happened.append(Play(ticket(number), "", slot, awarded, unit))
    return happened


def written(*days: list, promise: Promise = PROMISE) -> list[bytes]:
    """Return the lines of a file in which these things happened day by day."""
    told = [
        (epoch, seed_for(LAST, epochs=DAYS, epoch=epoch), happened)
        for epoch, happened in enumerate(days, 1)
    ]
    return list(transcript.stream(promise, told))


def test_an_honest_file_is_right_and_says_what_was_given():
    report = verify(written(honest(20), honest(20, 2, first=21, taken=3), []))

    assert (report.days, report.plays) == (3, 40)
    assert report.awarded["mug"] == 3
    assert report.awarded["ten"] == 37
    assert report.promise == PROMISE


def test_a_later_file_begins_with_the_earlier_one():
    """Who has kept one sees that nothing of it was rewritten."""
    early = written(honest(8))

    assert written(honest(8), honest(5, 2, first=9, taken=3))[: len(early)] == early


def test_each_line_is_chained_to_all_before_it():
    lines = written(honest(3))

    head = ""
    for line in lines:
        fields = json.loads(line)
        told = fields.pop("h")
        bare = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(f"{head}\n{bare}".encode()).hexdigest()
        assert told == head


def test_both_verifiers_are_tested_with_the_same_file():
    """`tests/widget/transcript.test.mjs` reads it, too."""
    assert FIXTURE.read_bytes() == FILE


FIXTURE = Path(__file__).parent.parent / "widget" / "draws.jsonl"
FILE = b"".join(written(honest(6), honest(4, 2, first=7, taken=3)))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_named_by_its_line(place, change):
    """PZ-08: the first wrong line, whatever was changed."""
    changed = bytearray(FILE)
    changed[place] ^= change
    lines = bytes(changed).splitlines(keepends=True)
    expected = FILE[:place].count(b"\n") + 1

    with pytest.raises(WrongLineError) as caught:
        verify(lines)

    assert caught.value.line == expected


@pytest.mark.parametrize("missing", range(1, len(FILE.splitlines()) - 1))
def test_a_missing_line_is_noticed(missing):
    lines = FILE.splitlines(keepends=True)
    del lines[missing]

    with pytest.raises(WrongLineError) as caught:
        verify(lines)

    assert caught.value.line == missing + 1


def test_a_file_that_stops_within_a_day_is_not_whole():
    with pytest.raises(WrongLineError, match="the day does not end"):
        verify(written(honest(6))[:-1])


def test_an_empty_file_says_nothing():
    with pytest.raises(WrongLineError, match="line 1"):
        verify([])


def cheated(happened: list, **changes) -> list[bytes]:
    """Return a file whose chain is right and whose content is not."""
    return written(happened, **changes)


def test_an_outcome_that_was_not_drawn_is_found():
    """T13: a house that gives its friends the mug has to show it."""
    plays = honest(6)
    at = next(n for n, play in enumerate(plays) if play.drawn == "ten")
    plays[at] = replace(plays[at], drawn="mug", awarded="mug", unit=3)

    with pytest.raises(WrongLineError, match="the draw gives ten") as caught:
        verify(cheated(plays))

    assert caught.value.line == at + 3


def test_a_seed_chosen_afterwards_is_found():
    lines = list(transcript.stream(PROMISE, [(1, bytes(32), [])]))

    with pytest.raises(WrongLineError, match="lead back to the anchor"):
        verify(lines)


def test_a_prize_kept_back_is_found():
    """PZ-04: told that it had run out, while there was one left to the end."""
    plays = honest(MARGIN + 40)
    at = next(n for n, play in enumerate(plays) if play.awarded == "mug")
    plays[at] = replace(plays[at], awarded="ten", unit=None)
    for n, play in enumerate(plays[at + 1 :], at + 1):
        if play.unit:
            plays[n] = replace(play, unit=play.unit - 1)
    last = max(n for n, play in enumerate(plays) if play.unit)
    assert last < MARGIN

    with pytest.raises(WrongLineError, match="mug had not run out") as caught:
        verify(cheated(plays))

    assert caught.value.line == at + 3


def test_who_lost_a_race_by_a_moment_is_no_fraud():
    """Numbered just before the one who has taken the last unit."""
    plays = honest(20)
    wins = [n for n, play in enumerate(plays) if play.drawn == "mug"]
    third, fourth = wins[2], wins[3]
    plays[third], plays[fourth] = (
        replace(plays[third], awarded="ten", unit=None),
        replace(plays[fourth], awarded="mug", unit=3),
    )

    assert verify(cheated(plays)).awarded["mug"] == 3


def test_one_unit_given_twice_is_found():
    plays = honest(20)
    wins = [n for n, play in enumerate(plays) if play.unit]
    plays = plays[: wins[1] + 1]
    plays[wins[1]] = replace(plays[wins[1]], unit=1)

    with pytest.raises(WrongLineError, match="unit 1 of mug was taken") as caught:
        verify(cheated(plays))

    assert caught.value.line == wins[1] + 3


def test_a_unit_that_came_back_may_be_won_again():
    plays = honest(20)
    first = next(play for play in plays if play.unit == 1)
    again = next(
        n for n, play in enumerate(plays) if play.drawn == "mug" and not play.unit
    )
    plays[again] = replace(plays[again], awarded="mug", unit=1)
    plays.insert(again, first.ticket)

    report = verify(cheated(plays))

    assert report.awarded["mug"] == 4


def test_more_units_than_there_are_is_found():
    plays = honest(20)
    late = next(
        n for n, play in enumerate(plays) if play.drawn == "mug" and not play.unit
    )
    plays[late] = replace(plays[late], awarded="mug", unit=4)

    with pytest.raises(WrongLineError, match="mug has no such unit"):
        verify(cheated(plays))


def test_a_prize_that_cannot_run_out_is_never_replaced():
    table = Table((Slot("mug", 1, None), Slot("ten", 0, None)), "ten")
    promise = replace(PROMISE, table=table)
    play = Play(ticket(1), "", "mug", "ten", None)

    with pytest.raises(WrongLineError, match="mug cannot run out"):
        verify(cheated([play], promise=promise))


def test_a_ticket_plays_once():
    plays = honest(3)

    with pytest.raises(WrongLineError, match="has played before"):
        verify(cheated([*plays, plays[0]]))


def test_only_what_was_played_lapses():
    with pytest.raises(WrongLineError, match="there is no such play"):
        verify(cheated([*honest(3), ticket(99)]))


def test_odds_other_than_those_of_the_digest_are_found():
    lines = written([])
    fields = json.loads(lines[0])
    fields["table"]["slots"][0]["weight"] = 1
    forged = transcript.Writer().line({k: v for k, v in fields.items() if k != "h"})

    with pytest.raises(WrongLineError, match="not the one of its digest"):
        verify([forged])


def test_days_are_neither_left_out_nor_added():
    seeds = {e: seed_for(LAST, epochs=DAYS, epoch=e) for e in (1, 2, 3)}

    with pytest.raises(WrongLineError, match="day 1 has to begin here"):
        verify(transcript.stream(PROMISE, [(2, seeds[2], [])]))
    short = replace(PROMISE, epochs=1, anchor=seed_for(LAST, epochs=3, epoch=1).hex())
    with pytest.raises(WrongLineError, match="no such day"):
        verify(transcript.stream(short, [(1, seeds[2], []), (2, seeds[3], [])]))
