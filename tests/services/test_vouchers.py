"""A voucher's life: redeemed once, taken back, lapsed, won again (PZ-04)."""

import os
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from server.domain.voucher import State, Step, Verdict
from server.models import Entry, Shop, Voucher, VoucherStep
from server.services import lapses, shops, transcripts, unclaimed, vouchers
from server.services.vouchers import By
from tests.factories import campaign_file, prize_table
from tests.visits import NOTHING, at_once, few_mugs, sure_win, take_card

TILL = By("device:one", "Till 1")
DAYS = 10


@pytest.fixture
def directory(app):
    return app.extensions["directory"]


@pytest.fixture
def redeem(database, directory, house, clock):
    """Redeem a code in the demo shop, or in another one."""

    def redeem(code, *, by=TILL, shop="demo"):
        with database.transaction() as session:
            shop_id = shops.id_of(session, shop)
            return vouchers.redeem(
                session, shop_id, code, by=by, directory=directory, now=clock.now()
            )

    return redeem


@pytest.fixture
def life(database):
    """The steps of the newest voucher that somebody holds, in order."""

    def life():
        with database.reading() as session:
            held = session.query(Voucher).filter(Voucher.entry_id.is_not(None))
            newest = held.order_by(Voucher.id.desc()).first()
            return vouchers.history(session, newest.id)

    return life


@pytest.fixture
def lapse(database, directory, clock):
    def lapse():
        with database.transaction() as session:
            return lapses.lapse_due(
                session, directory=directory, random=os.urandom, now=clock.now()
            )

    return lapse


def win(client, email="iris@example.com"):
    assert take_card(client).enter(client, email).status_code == 200


def mugs(**changes):
    """Return a campaign of mugs, one unless `stock` says more, with these settings."""
    prizes = [prize_table(**changes), NOTHING]
    return campaign_file("welcome-scratch", prizes=prizes, fallback="nothing")


def test_a_voucher_is_redeemed_once_and_the_second_is_told_of_the_first(
    publish, client, house, redeem, clock
):
    publish(few_mugs(1))
    win(client)
    (unit,) = house.rows(Voucher)
    first_at = clock.now()

    first = redeem(unit.code.lower().replace("-", " "))
    clock.advance(timedelta(hours=1))
    second = redeem(unit.code, by=By("device:two", "Till 2"))

    assert first.verdict is Verdict.REDEEMED
    assert second.verdict is Verdict.ALREADY
    assert (second.held.redeemed_at, second.held.place) == (first_at, "Till 1")
    assert (second.held.redeemed_by, second.held.prize.key) == ("device:one", "mug")


def test_of_twenty_tills_at_once_one_redeems(publish, client, house, redeem):
    """A race, on both databases: the row count decides."""
    publish(few_mugs(1))
    win(client)
    code = house.rows(Voucher)[0].code
    tills = [By(f"device:{n}", f"Till {n}") for n in range(20)]

    done = at_once([partial(redeem, code, by=by) for by in tills], threads=20)

    assert Counter(one.verdict for one in done) == {
        Verdict.REDEEMED: 1,
        Verdict.ALREADY: 19,
    }
    assert len({(one.held.redeemed_at, one.held.place) for one in done}) == 1
    first = next(one for one in done if one.verdict is Verdict.REDEEMED)
    assert house.rows(Voucher)[0].redeemed_place == first.held.place


def test_what_nobody_has_won_is_as_unknown_as_what_is_made_up(
    publish, client, house, redeem, database, now
):
    """Neither a free nor a reserved code, nor another shop's, can be told apart."""
    publish(few_mugs(3, flow="play-first"))
    take_card(client).play(client)
    with database.transaction() as session:
        session.add(
            Shop(code="other", name="Other", definition={}, version=1, created_at=now)
        )
    win(client, "ada@example.com")
    (reserved,) = house.rows(Voucher, state="reserved")
    (free,) = house.rows(Voucher, state="free")
    won = house.rows(Voucher, state="awarded")[0]

    answers = [
        redeem(free.code),
        redeem(reserved.code),
        redeem("0000-0000-0000-0"),
        redeem("' OR 1=1 --"),
        redeem(""),
        redeem("x" * 5_000),
        redeem(won.code, shop="other"),
    ]

    assert {(one.verdict, one.held) for one in answers} == {(Verdict.UNKNOWN, None)}
    assert house.rows(Voucher, state="redeemed") == []


def test_one_code_for_everybody_is_not_redeemed_one_by_one(
    publish, client, house, redeem
):
    publish(sure_win())
    win(client)
    win(client, "ada@example.com")

    done = redeem("mug10")

    assert done.verdict is Verdict.SHARED
    assert [unit.state for unit in house.rows(Voucher)] == ["awarded", "awarded"]


def test_a_voucher_lapses_after_its_last_whole_day(
    publish, client, house, redeem, lapse, life, clock, now
):
    publish(mugs(valid_days=DAYS))
    win(client)
    (unit,) = house.rows(Voucher)
    assert unit.valid_until - now > timedelta(days=DAYS)

    clock.moment = unit.valid_until - timedelta(seconds=1)
    early = lapse()
    clock.advance(timedelta(seconds=1))
    late = redeem(unit.code)
    closed = lapse()

    assert (early, closed, lapse()) == (0, 1, 0)
    assert late.verdict is Verdict.LAPSED, "before the worker came by"
    assert redeem(unit.code).verdict is Verdict.LAPSED
    assert [one.step for one in life()] == [Step.AWARDED, Step.LAPSED]
    assert [unit.state for unit in house.rows(Voucher)] == ["lapsed"]


def test_what_was_redeemed_lapses_no_more(publish, client, house, redeem, lapse, clock):
    publish(mugs(valid_days=1))
    win(client)
    redeem(house.rows(Voucher)[0].code)
    clock.advance(timedelta(days=30))

    assert lapse() == 0
    assert house.rows(Voucher)[0].state == "redeemed"


def test_a_unit_that_returns_is_won_again_under_another_code(
    publish, client, house, redeem, lapse, clock, database, vault
):
    """And the public record says that it came back, so that both verifiers agree."""
    from server.domain import transcript

    publish(mugs(valid_days=3, returns=True))
    win(client)
    old = house.rows(Voucher)[0]
    clock.advance(timedelta(days=5))
    assert lapse() == 1
    win(client, "ada@example.com")

    before, after = house.rows(Voucher)
    assert (before.state, before.number, before.code) == ("lapsed", None, old.code)
    assert (after.state, after.number) == ("awarded", 1)
    assert after.code != old.code
    assert redeem(old.code).verdict is Verdict.LAPSED
    assert redeem(after.code).verdict is Verdict.REDEEMED
    assert [entry.awarded for entry in house.rows(Entry)] == ["mug", "mug"]
    clock.advance(timedelta(days=2))
    with database.reading() as session:
        record = transcripts.find(
            session, "welcome-scratch", vault=vault, now=clock.now()
        )
        (line,) = (
            one
            for one in vouchers.balance(session, "welcome-scratch")
            if one.key == "mug"
        )
    report = transcript.verify(transcripts.lines(record, database.reading))
    assert (report.plays, report.awarded["mug"]) == (2, 2)
    assert (line.returned, line.missing) == (1, 0)


def test_without_returns_a_lapsed_unit_stays_with_its_winner(
    publish, client, house, lapse, clock
):
    publish(mugs(valid_days=3))
    win(client)
    clock.advance(timedelta(days=5))
    lapse()
    win(client, "ada@example.com")

    assert [entry.awarded for entry in house.rows(Entry)] == ["mug", "nothing"]


def test_a_closed_campaign_takes_nothing_back(publish, client, house, lapse, clock):
    publish(mugs(valid_days=30, returns=True))
    win(client)
    clock.advance(timedelta(days=400))
    lapse()

    assert [unit.state for unit in house.rows(Voucher)] == ["lapsed"]


def test_a_voucher_that_is_taken_back_gives_nothing_and_keeps_why(
    publish, client, house, redeem, database, directory, clock, life
):
    publish(few_mugs(1))
    win(client)
    code = house.rows(Voucher)[0].code

    def revoke():
        with database.transaction() as session:
            return vouchers.revoke(
                session,
                shops.id_of(session, "demo"),
                code,
                by=By("operator"),
                why="one person, forty mailboxes",
                directory=directory,
                now=clock.now(),
            )

    first, second, late = revoke(), revoke(), redeem(code)

    assert {first.verdict, second.verdict, late.verdict} == {Verdict.REVOKED}
    assert len(house.rows(VoucherStep)) == 1
    last = life()[-1]
    assert (last.step, last.by, last.note) == (
        Step.REVOKED,
        "operator",
        "one person, forty mailboxes",
    )


def test_what_was_redeemed_cannot_be_taken_back(
    publish, client, house, redeem, database, directory, clock
):
    publish(few_mugs(1))
    win(client)
    code = house.rows(Voucher)[0].code
    redeem(code)

    with database.transaction() as session:
        done = vouchers.revoke(
            session,
            shops.id_of(session, "demo"),
            code,
            by=TILL,
            why="too late",
            directory=directory,
            now=clock.now(),
        )

    assert done.verdict is Verdict.ALREADY
    assert house.rows(VoucherStep) == []


def test_a_prize_that_nobody_claims_is_released_and_says_so(
    publish, client, house, database, clock
):

    publish(few_mugs(1, flow="play-first"))
    take_card(client).play(client)
    clock.advance(timedelta(hours=2))
    with database.transaction() as session:
        assert unclaimed.lapse_due(session, now=clock.now()) == 1
    win(client)

    (unit,) = house.rows(Voucher)
    with database.reading() as session:
        steps = [one.step for one in vouchers.history(session, unit.id)]
    assert steps == [Step.RESERVED, Step.RELEASED, Step.AWARDED]


def test_each_reservation_of_a_unit_is_told_before_its_release(
    publish, client, house, database, clock, lapse
):
    """PZ-04: also of two units that were released in one round, and after a return."""
    mug = prize_table(stock=2, valid_days=2, returns=True)
    publish(
        campaign_file(
            "welcome-scratch",
            prizes=[mug, NOTHING],
            fallback="nothing",
            flow="play-first",
        )
    )
    first, moments = clock.now(), []
    for _ in range(3):
        moments += [clock.now(), clock.now() + timedelta(hours=2)]
        take_card(client).play(client)
        clock.advance(timedelta(minutes=1))
        take_card(client).play(client)
        clock.advance(timedelta(minutes=119))
        with database.transaction() as session:
            assert unclaimed.lapse_due(session, now=clock.now()) == 2
        clock.advance(timedelta(seconds=1))
    card = take_card(client)
    card.play(client)
    moments += [clock.now(), clock.now() + timedelta(minutes=5)]
    clock.advance(timedelta(minutes=5))
    card.claim(client)
    clock.advance(timedelta(days=4))
    lapse()

    (unit,) = house.rows(Voucher, state="lapsed")
    with database.reading() as session:
        life = vouchers.history(session, unit.id)
    assert [one.step for one in life] == [
        *[Step.RESERVED, Step.RELEASED] * 3,
        *(Step.RESERVED, Step.AWARDED, Step.LAPSED),
    ]
    assert [one.at for one in life[:-1]] == moments
    assert life[0].at == first


def test_the_usual_life_costs_no_row_of_its_own(publish, client, house, redeem):
    """An entry writes what it wrote before; a redemption writes none either."""
    publish(few_mugs(2))
    win(client)
    redeem(house.rows(Voucher, state="awarded")[0].code)

    assert house.rows(VoucherStep) == []


def test_what_was_offered_adds_up_wherever_it_went(
    publish, client, house, redeem, database, clock, lapse
):
    """PZ-04: offered = free + reserved + awarded + redeemed + lapsed + revoked."""
    prizes = [prize_table(stock=5, valid_days=2), NOTHING]
    publish(
        campaign_file(
            "welcome-scratch", prizes=prizes, fallback="nothing", flow="play-first"
        )
    )
    for number in range(2):
        win(client, f"p{number}@example.com")
    redeem(house.rows(Voucher, state="awarded")[0].code)
    clock.advance(timedelta(days=4))
    lapse()
    win(client, "late@example.com")
    take_card(client).play(client)

    with database.reading() as session:
        line = vouchers.balance(session, "welcome-scratch")[0]

    assert line.counts == {
        State.REDEEMED: 1,
        State.LAPSED: 1,
        State.AWARDED: 1,
        State.RESERVED: 1,
        State.FREE: 1,
    }
    assert (line.stock, line.missing) == (5, 0)
