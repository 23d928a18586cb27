"""Pools of codes: all of a file or nothing of it, and every bad line by its number."""

import os
import time

import pytest
from sqlalchemy import func, select, text

from server import db
from server.commands.base import opened
from server.domain import pool as rules
from server.domain.parts import FileError
from server.models import Prize, Voucher
from server.services import campaigns, pools
from tests.factories import (
    campaign_file,
    prize_table,
)
from tests.pools.conftest import CODES, NAMED, pooled
from tests.visits import NOTHING, take_card


def test_a_pool_is_brought_in_and_then_played_for(
    bring_in, save, kept, client, database
):
    """PZ-04: its size is the stock that is promised with the odds."""
    answer = bring_in("\ufeff" + "\r\n".join(CODES))

    assert (answer.exit_code, answer.stdout) == (
        0,
        "pooled mug: 12 codes in the pool\n",
    )
    assert kept() == (CODES, 12, False)
    with pytest.raises(FileError, match="leave `stock` out"):
        save(pooled(stock=13))


def test_a_long_import_is_not_cut_off_as_a_visit_would_be(
    bring_in, kept, environ, monkeypatch
):
    """A million codes take longer than a statement of the service may."""
    monkeypatch.setattr(db, "STATEMENT_TIMEOUT_MS", 1)
    codes = [f"LONG-{number:05d}" for number in range(1, 12_001)]

    answer = bring_in("\n".join(codes))

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert kept() == (codes, 12_000, False)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_visit_keeps_its_limit_and_a_command_has_none(app, settings):
    def limits(database):
        ask = text("SHOW statement_timeout")
        with database.transaction() as writing, database.reading() as reading:
            return writing.scalar(ask), reading.scalar(ask)

    with opened(settings) as patient:
        assert limits(patient) == ("0", "0")
    assert limits(app.extensions["database"]) == ("5s", "5s")


def test_more_codes_come_in_until_it_is_published(bring_in, save, kept, database):
    bring_in("\n".join(CODES[:5]))
    bring_in("\n".join(CODES[5:]) + "\n")
    save()

    late = bring_in("ONE-MORE")

    assert kept() == (CODES, 12, False)
    assert late.exit_code == 2 and "its stock is fixed" in late.stderr
    with database.reading() as session:
        file = campaigns.load(session, "pooled")
    assert campaigns.table_of(file).slots[0].stock == 12
    # The file without a stock is the same file again.
    assert not save().is_new_version


def test_the_codes_are_won_in_their_order(bring_in, save, client, house):
    bring_in("\n".join(CODES))
    save()

    for number in range(3):
        card = take_card(client, "pooled-inline")
        assert card.enter(client, f"p{number}@example.com").status_code == 200

    won = house.rows(Voucher, state="awarded")
    assert [unit.code for unit in won] == CODES[:3]
    assert house.letters("prize")[0].params["code"] == CODES[0]


@pytest.fixture
def make_codes(run, draft):
    """Make codes of our own and return how the command ended."""

    def make_codes(number, prize="mug"):
        return run("prize", "codes", "make", "pooled", prize, "--number", number)

    return make_codes


def test_a_pool_of_our_own_codes_is_made_in_parts(make_codes, kept, save, monkeypatch):
    """PZ-04: as many as an import, and no visitor waits for all of them."""
    monkeypatch.setattr(pools, "RANGE", 7)

    first, again = make_codes(20), make_codes(3)
    save()
    late = make_codes(1)

    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert again.stdout.endswith("pooled mug: 23 codes in the pool\n")
    codes, stock, is_importing = kept()
    assert (len(set(codes)), stock, is_importing) == (23, 23, False)
    assert late.exit_code == 2 and "its stock is fixed" in late.stderr


def test_what_cannot_be_made_leaves_the_pool_as_it_was(make_codes, kept, monkeypatch):
    make_codes(2)
    before = kept()
    with monkeypatch.context() as patch:
        patch.setattr(rules, "MOST_CODES", 4)
        full = make_codes(3)
    with monkeypatch.context() as patch:
        patch.setattr("server.domain.codes.make", lambda _random: before[0][0])
        double = make_codes(1)
    nowhere = make_codes(1, prize="cup")

    assert "a pool holds 4 codes at most" in full.stderr
    assert "made a code that the shop has already" in double.stderr
    assert "has no prize 'cup' with pool = true" in nowhere.stderr
    assert kept() == before


def test_a_file_makes_no_more_than_visitors_can_wait_for(save):
    many = prize_table(stock=50_001)

    with pytest.raises(FileError, match="a file makes 50,000 units at most"):
        save(campaign_file("welcome-scratch", **NAMED, prizes=[many, NOTHING]))


BAD = {
    "nothing": (b"", ["line 1: the file holds no code"]),
    "an empty line": (b"AAA\n\nBBB\n", ["line 2: is empty"]),
    "not UTF-8": (b"AAA\nB\xe9B\nCCC", ["line 2: is not UTF-8 text"]),
    "a heading": (b"discount code\nAAA\n", ["line 1: is no code"]),
    "a control character": (b"AAA\nA\x00B\n", ["line 2: is no code"]),
    "too short and too long": (
        b"AB\n" + b"A" * 41 + b"\nAAA",
        ["line 1: is no code", "line 2: is no code"],
    ),
    "one endless line": (b"AAA\n" + b"A" * 2_000_000, ["line 2: is no code"]),
    "an endless line before others": (
        b"A" * 100_000 + b"\nAAA\n\n",
        ["line 1: is far too long", "line 3: is empty"],
    ),
    "one twice": (
        b"AAA\nBBB\nCCC\nBBB\nAAA",
        ["line 4: is the same code as in line 2", "line 5: is the same code as in"],
    ),
}


def test_a_bad_file_is_refused_by_its_lines_and_nothing_is_stored(bring_in, kept):
    for case, (body, said) in BAD.items():
        answer = bring_in(body)

        assert answer.exit_code == 1, case
        for part in said:
            assert f"codes.txt: {part}" in answer.stderr, case
        assert answer.stderr.endswith("Nothing was stored.\n"), case
        assert kept() == ([], 0, False), case


def test_a_code_that_the_shop_has_already_is_refused(bring_in, kept, database):
    """It would stand for two prizes at the till, in this campaign or another."""
    bring_in("\n".join(CODES))
    with database.reading() as session:
        foreign = session.scalars(
            select(Voucher.code).where(Voucher.code.not_in(CODES)).limit(1)
        ).one()

    answer = bring_in(f"NEW-1\n{CODES[3]}\nNEW-2\n{foreign}\n")

    assert answer.exit_code == 1
    assert "line 2: is a code that 'pooled' has already" in answer.stderr
    assert "line 4: is a code that 'lucky-scratch' has already" in answer.stderr
    assert kept() == (CODES, 12, False)


def test_codes_that_differ_in_case_alone_are_one_code(bring_in, kept, database):
    """PZ-04: a till takes what is typed in small letters for either of them."""
    bring_in("Old-1\n")
    with database.reading() as session:
        foreign = session.scalars(
            select(Voucher.code).where(Voucher.code != "Old-1").limit(1)
        ).one()

    answer = bring_in(f"NEW-1\nold-1\nnew-1\nNew-2\n{foreign.lower()}\nNew-1\n")

    assert answer.exit_code == 1
    named = [line.partition("codes.txt: ")[2] for line in answer.stderr.splitlines()]
    assert named[:4] == [
        "line 2: is a code that 'pooled' has already",
        "line 3: is the same code as in line 1",
        "line 5: is a code that 'lucky-scratch' has already",
        "line 6: is the same code as in line 1",
    ]
    assert kept() == (["Old-1"], 1, False)


def test_a_pool_holds_a_million_codes_and_not_one_more(bring_in, kept, monkeypatch):
    lines = iter([*(b"%07d\n" % n for n in range(1_000_001)), b""])

    found = [
        one
        for one in rules.read(lambda _most: next(lines), room=rules.MOST_CODES)
        if not isinstance(one, str)
    ]

    assert found == [rules.Wrong(1_000_001, "a pool holds 1,000,000 codes at most")]
    # The same through the command, in small.
    monkeypatch.setattr(rules, "MOST_CODES", 12)
    bring_in("\n".join(CODES[:10]))
    answer = bring_in("\n".join(f"NEW-{n}" for n in range(3)))
    assert "line 3: a pool holds" in answer.stderr
    assert kept() == (CODES[:10], 10, False)


def test_what_has_no_pool_takes_no_codes(bring_in):
    for prize, campaign in (("cup", "pooled"), ("nothing", "pooled"), ("mug", "none")):
        answer = bring_in("AAA", prize=prize, campaign=campaign)

        assert answer.exit_code == 2
        assert "with pool = true" in answer.stderr


def test_a_campaign_is_not_published_before_its_codes_are_there(draft, save):
    with pytest.raises(FileError, match="no codes yet"):
        save()


def test_an_import_that_died_is_not_published_and_is_swept_away(
    bring_in, save, kept, database
):
    """Its codes came in ranges: until the end none of them counts."""
    with database.transaction() as session:
        dead = pools.begin(session, "pooled", "mug", random=os.urandom)
    with database.transaction() as session:
        pools.add(session, dead, ["HALF-1", "HALF-2"], after=0)
    with pytest.raises(FileError, match="import of its codes has not ended"):
        save()

    answer = bring_in("\n".join(CODES))

    assert answer.exit_code == 0
    assert kept() == (CODES, 12, False)
    with pytest.raises(pools.TakenOverError), database.transaction() as session:
        pools.add(session, dead, ["HALF-3"], after=2)
    assert kept() == (CODES, 12, False)


def test_what_an_import_that_died_has_left_is_not_missing(
    bring_in, run, database, house
):
    """PZ-04: its codes count once all of them are there."""
    bring_in("\n".join(CODES))
    with database.transaction() as session:
        dead = pools.begin(session, "pooled", "mug", random=os.urandom)
    with database.transaction() as session:
        pools.add(session, dead, ["HALF-1", "HALF-2"], after=0)

    answer = run("prize", "report", "pooled")

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout.splitlines()[:2] == [
        "mug: 12 offered: 12 free",
        "mug: an import of its codes has not ended",
    ]


def test_a_draft_that_changes_has_the_prizes_of_its_file(draft, save, database):
    """What is the same stays; what changed is made anew, and nothing is left over."""
    cup = prize_table("cup", stock=2)
    changed = campaign_file(
        "welcome-scratch", **NAMED, prizes=[prize_table(stock=4), cup, NOTHING]
    )
    save(changed)

    with database.reading() as session:
        rows = session.execute(
            select(Prize.key, Prize.stock, func.count(Voucher.id))
            .outerjoin(Voucher, Voucher.prize_id == Prize.id)
            .join(campaigns.models.Campaign)
            .where(campaigns.models.Campaign.code == "pooled")
            .group_by(Prize.key, Prize.stock)
            .order_by(Prize.key)
        ).all()
    assert rows == [("cup", 2, 2), ("mug", 4, 4), ("nothing", None, 0)]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"code": "MUG10"}, "prizes[1].code"),
        ({"returns": True, "valid_days": 3}, "prizes[1].returns"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_by_its_place(changes, place):
    from server.domain.lint import judge

    assert place in {fault.place for fault in judge(pooled(**changes))}


@pytest.mark.parametrize("days", [0, -1, 5_000, "3", True])
def test_days_that_are_none_are_refused(days):
    with pytest.raises(FileError, match="valid_days"):
        pooled(valid_days=days)


def test_what_never_lapses_never_returns():
    from server.domain.lint import judge

    prizes = [prize_table(returns=True), NOTHING]
    file = campaign_file("welcome-scratch", prizes=prizes, fallback="nothing")

    assert "prizes[1].returns" in {fault.place for fault in judge(file)}


def test_many_equal_lines_are_refused_soon_and_each_once(bring_in, kept):
    """As pairs they were 450 million, and the first line was named again and again."""
    bring_in("OLD-1\n")
    began = time.monotonic()

    answer = bring_in("OLD-1\n" + "EQUAL\n" * 30_000)

    assert time.monotonic() - began < 30
    named = [line.partition(": ")[2] for line in answer.stderr.splitlines()]
    assert named[0] == "line 1: is a code that 'pooled' has already"
    assert named[1:20] == [
        f"line {number}: is the same code as in line 2" for number in range(3, 22)
    ]
    assert len(named) == 22
    assert kept() == (["OLD-1"], 1, False)
