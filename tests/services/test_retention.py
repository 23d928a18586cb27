"""Nobody is kept longer than needed, and nobody shorter (DS-04, DS-05, SO-03).

Over HTTP and by the worker's own rounds, with a clock that stands still, on both
databases.
"""

import os
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from server.domain.consent import Act
from server.domain.ledger import Notary
from server.domain.months import months_after
from server.models import (
    Attribute,
    ConsentEvent,
    Contact,
    Entry,
    Preference,
    Suppression,
    Voucher,
)
from server.retaining import Daily, Retaining
from server.services import (
    consents,
    optins,
    privacy,
    retention,
    rights,
)
from server.services.consents import Request
from tests.claims import bring, consent
from tests.factories import campaign_file, prize_table, shop_file
from tests.faults import fail_everywhere
from tests.forms import LINE
from tests.people import add_attribute
from tests.raffles import UNTIL_DRAW, Desk, raffle_file, take_part
from tests.retention import AT_ONCE
from tests.visits import EMAIL, at_once, few_mugs, sure_win, take_card

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NOTARY = Notary([b"k" * 32])


def to(house, moment):
    """Set the clock."""
    house.clock.moment = moment


def people(house):
    return house.emails()


# --- the schedule, row by row ------------------------------------------------------


def test_a_request_nobody_confirmed_is_kept_a_day_longer_than_it_holds(
    publish, client, house, keeper, now
):
    """DS-04: seven days and 24 hours, for a form that is there for its consents."""
    publish(campaign_file("footer-newsletter"))
    take_card(client, LINE).enter(client, consents=["newsletter"])
    end = now + optins.rules.LIFE + DAY

    to(house, end - SECOND)
    before = keeper.kept()
    to(house, end)

    assert before == {"pending": 1}
    assert keeper.over() == {"pending": 1}
    assert keeper.run().erased == 1
    assert people(house) == [""]


def test_who_never_confirmed_leaves_no_mark_for_ever(
    publish, client, house, keeper, now
):
    """DS-04: anybody can type the address of a stranger, who then wished nothing."""
    publish(campaign_file("footer-newsletter"))
    take_card(client, LINE).enter(client, consents=["newsletter"])
    to(house, now + optins.rules.LIFE + DAY)

    assert keeper.run().erased == 1

    assert (people(house), house.rows(Suppression)) == ([""], [])
    yes = consent(EMAIL, date=house.clock.now().date().isoformat())
    assert bring(house, yes) == ["stored"]


def test_the_clock_ends_no_objection(play, house, keeper, tools, now):
    """DS-02: who objected stays suppressed, also when nothing else is left of them."""
    play()
    with house.database.transaction() as session:
        privacy.object_to_marketing(
            session,
            house.person(),
            use=privacy.Use("nl", "link", {}),
            tools=tools,
            now=now,
        )
    to(house, now + 101 * DAY)

    assert keeper.run().erased == 1

    assert [row.reason for row in house.rows(Suppression)] == ["never"]
    yes = consent(EMAIL, date=house.clock.now().date().isoformat())
    assert bring(house, yes) == ["never"]


def test_a_player_without_a_prize_is_kept_90_days_after_the_close(
    play, house, keeper, now
):
    """DS-04."""
    play()
    end = now + 10 * DAY + 90 * DAY

    to(house, end - SECOND)
    assert keeper.run().erased == 0
    assert keeper.kept() == {"entry": 1}
    to(house, end)

    assert keeper.over() == {"entry": 1}
    assert keeper.run().erased == 1


def test_a_winner_is_kept_seven_years_after_the_award(
    publish, client, house, keeper, now
):
    """DS-04: the law of taxes."""
    publish(few_mugs(1))
    take_card(client).enter(client)
    end = months_after(now, 84)

    to(house, end - SECOND)
    assert keeper.kept() == {"prize": 1}
    to(house, end)

    assert keeper.over() == {"prize": 1}


def test_a_shop_that_keeps_winners_a_year_still_waits_for_their_vouchers(
    publish, client, house, keeper, database, now
):
    """What was not used yet can be used, whatever the shop's file says."""
    mug = prize_table(stock=None, valid_days=730)
    publish(
        campaign_file("welcome-scratch", prizes=[mug], fallback="mug"),
        shop=shop_file(retention={"prize_months": 12}),
    )
    take_card(client).enter(client)

    to(house, months_after(now, 13))
    waiting = keeper.kept()
    with database.transaction() as session:
        session.execute(update(Voucher).values(state="redeemed", redeemed_at=now))

    assert waiting == {"voucher": 1}
    assert keeper.over() == {"prize": 1}


def test_proof_is_kept_five_years_after_the_withdrawal(say_yes, client, house, keeper):
    """DS-04: as long as somebody may ask for it."""
    say_yes()
    client.post(house.link("unsubscribe"))
    end = months_after(house.clock.now(), 60)

    to(house, end - SECOND)
    assert keeper.kept() == {"proof": 1}
    to(house, end)

    assert keeper.over() == {"proof": 1}


def test_a_list_older_than_their_no_brings_nobody_back(say_yes, client, house, keeper):
    """T30: also once the clock has let go of them."""
    say_yes()
    before = house.clock.now().date().isoformat()
    client.post(house.link("unsubscribe"))
    to(house, months_after(house.clock.now(), 60))

    assert keeper.run().erased == 1

    assert people(house) == [""]
    assert bring(house, consent(EMAIL, date=before)) == ["erased"]


def test_who_took_back_what_they_never_confirmed_leaves_nothing_to_prove(
    play, client, house, keeper, now
):
    play(consents=["newsletter"])
    client.post(house.link("unsubscribe"))

    to(house, now + 100 * DAY)

    assert keeper.over() == {"entry": 1}


def test_who_waits_for_a_raffle_is_kept_until_it_is_drawn(
    publish, client, house, keeper, now
):
    publish(raffle_file(1, reserves=0))
    take_part(client, "ann", "ben")
    to(house, now + 300 * DAY)
    waiting = keeper.kept()
    to(house, now)
    raffles = Desk(house)
    raffles.finish(UNTIL_DRAW)
    drawn = house.clock.now()
    offered = keeper.kept()
    raffles.finish(20 * DAY)

    to(house, drawn + 90 * DAY - SECOND)
    kept = keeper.kept()
    to(house, drawn + 90 * DAY)

    assert waiting == {"raffle": 2}
    assert offered == {"raffle": 1, "entry": 1}
    assert kept == {"entry": 2}
    assert keeper.over() == {"entry": 2}


@pytest.mark.parametrize("reason", ["restricted", "rights_request"])
def test_a_right_that_is_used_stops_the_clock(play, house, keeper, tools, now, reason):
    """GDPR 18(1)(b): somebody may want their data kept, of all things."""
    play()
    who = house.person()
    with house.database.transaction() as session:
        if reason == "restricted":
            privacy.restrict(
                session,
                who,
                is_restricted=True,
                use=privacy.Use("nl", "office", {}),
                tools=tools,
                now=now,
            )
        else:
            rights.open(
                session,
                who.id,
                shop_id=who.shop_id,
                kind="access",
                member_id=None,
                random=os.urandom,
                now=now,
            )

    to(house, now + 1_000 * DAY)

    assert keeper.kept() == {reason: 1}
    assert keeper.run().erased == 0


# --- what grows too old ------------------------------------------------------------


def test_a_yes_without_a_sign_of_life_is_warned_about_and_lapses(
    say_yes, house, keeper, tools
):
    """DS-05: after 24 and 36 months; the proof then has five years of its own."""
    say_yes()
    alive = house.clock.now()

    to(house, months_after(alive, 24))
    warned = keeper.run()
    to(house, months_after(alive, 36) - SECOND)
    assert keeper.run().lapsed == 0
    to(house, months_after(alive, 36))
    lapsed = keeper.run()

    assert [report.stale for report in warned.reports.values()] == [{"newsletter": 1}]
    assert lapsed.lapsed == 1
    assert house.standing() == {"newsletter": "lapsed"}
    fact = house.facts()[-1]
    assert (fact.act, fact.method, fact.at) == ("lapsed", "clock", house.clock.now())
    assert keeper.kept() == {"proof": 1}
    assert keeper.run().lapsed == 0, "once"
    to(house, months_after(house.clock.now(), 60))
    assert keeper.over() == {"proof": 1}


def test_opening_a_link_is_no_sign_of_life(say_yes, client, house, keeper):
    """DS-05: programs open links as well; only what somebody does counts."""
    say_yes()
    alive = house.clock.now()
    to(house, months_after(alive, 6))
    assert client.get(house.link("preferences")).status_code == 200

    to(house, months_after(alive, 36))

    assert keeper.run().lapsed == 1


def test_who_plays_again_is_there(say_yes, client, house, keeper, publish, now):
    """DS-05: an entry is a sign of life; it says yes to nothing."""
    say_yes()
    to(house, now + 9 * DAY)
    take_card(client).enter(client)

    to(house, months_after(now, 36) + DAY)

    assert keeper.run().lapsed == 0
    assert keeper.report().stale == {"newsletter": 1}


@pytest.fixture
def customer(play, house, tools, now):
    """Somebody to whom the shop may write about shoes, because they bought some."""
    play()
    who = house.person()

    def sell(sold_on):
        request = Request(None, b"", b"", "nl", "import", {"sold_on": sold_on})
        with house.database.transaction() as session:
            consents.record(
                session,
                who,
                request,
                Act.SOFT_OPT_IN,
                {"soft:shoes": b"s" * 32},
                method="import",
                facts={},
                tools=tools,
                now=house.clock.now(),
            )

    return sell


def test_a_soft_opt_in_lapses_two_years_after_the_last_sale(customer, house, keeper):
    """SO-03: the day of the sale counts, not that of the import."""
    customer("2025-06-30")
    to(house, months_after(house.clock.now(), 15))
    customer("2026-01-15")
    house.clock.moment = house.clock.now().replace(
        year=2028, month=1, day=15, hour=23, minute=59
    )

    before = keeper.run().lapsed, keeper.kept()
    house.clock.advance(timedelta(minutes=1))

    assert before == (0, {"soft_opt_in": 1})
    assert keeper.run().lapsed == 1
    assert house.standing() == {"soft:shoes": "lapsed"}


def test_what_is_told_under_a_yes_goes_with_it(say_yes, house, keeper, now):
    say_yes()
    with house.database.transaction() as session:
        who = house.person()
        session.add(Preference(contact_id=who.id, purpose="newsletter", at=now))
        entry = session.query(Entry).first()
        contact = session.get_one(Contact, who.id)
        fact = {"key": "size", "value": "42", "at": now}
        add_attribute(session, entry, contact, house.vault, **fact)

    to(house, months_after(house.clock.now(), 36))
    keeper.run()

    assert house.rows(Attribute) == []
    assert house.rows(Preference) == []


# --- looking and doing -------------------------------------------------------------


def test_a_dry_run_writes_nothing(say_yes, play, house, keeper, now):
    """DS-04: the report of what would be done."""
    say_yes("ann@example.com")
    play("ben@example.com")
    to(house, months_after(now, 40))
    before = house.dump()

    done = keeper.look()

    assert house.dump() == before
    assert done.figures() == {
        "people": 2,
        "over": 1,
        "erased": 0,
        "lapsing": 1,
        "lapsed": 0,
        "stale": 0,
        "leftovers": 2,
    }


def test_a_run_does_what_the_dry_run_said_and_then_nothing(
    say_yes, play, house, keeper, now
):
    say_yes("ann@example.com")
    for number in range(25):
        play(f"v{number}@example.com")
    to(house, months_after(now, 40))

    said = keeper.look()
    did, again = keeper.run(), keeper.run()

    assert (did.erased, did.lapsed) == (25, 1)
    assert did.leftovers == said.leftovers
    assert did.figures()["over"] == said.figures()["over"] == 25
    assert (again.erased, again.lapsed, sum(again.leftovers.values())) == (0, 0, 0)


def test_everybody_is_looked_at_in_ranges(play, house, keeper, now, monkeypatch):
    monkeypatch.setattr("server.services.acquaintances.AT_ONCE", 2)
    page = partial(retention.acquaintances.after, most=2)
    monkeypatch.setattr("server.services.acquaintances.after", page)
    for number in range(5):
        play(f"v{number}@example.com")
    to(house, now + 365 * DAY)

    assert keeper.run().erased == 5
    assert AT_ONCE > retention.AT_ONCE


def test_another_shop_is_left_alone(play, house, keeper, now):
    play()
    to(house, now + 365 * DAY)
    shop_id = house.person().shop_id

    assert keeper.look(is_writing=True, shop_id=shop_id + 1).erased == 0
    done = keeper.look(is_writing=True, shop_id=shop_id)

    assert (done.erased, done.leftovers) == (1, {})


def test_who_came_back_between_plan_and_deed_stays(
    play, publish, client, house, keeper
):
    """The deed looks once more, under the lock of the person."""
    play()
    house.clock.advance(200 * DAY)
    over = _plan(house).over
    publish(sure_win("lucky-scratch"), now=house.clock.now())
    card = take_card(client, "lucky-inline")
    card.play(client)
    card.claim(client)

    erased = _erase(house, over)

    assert (len(over), erased) == (1, 0)
    assert people(house) == [EMAIL]


def _plan(house):
    with house.database.reading() as session:
        return retention.plan(
            session,
            0,
            directory=house.app.extensions["directory"],
            now=house.clock.now(),
        )


def _erase(house, ids):
    parts = house.app.extensions
    with house.database.transaction() as session:
        return retention.erase(
            session,
            ids,
            directory=parts["directory"],
            tools=parts["tools"],
            now=house.clock.now(),
        )


def test_workers_at_once_erase_each_once(play, house, now):
    """A race on both databases."""
    for number in range(6):
        play(f"v{number}@example.com")
    to(house, now + 365 * DAY)
    over = _plan(house).over

    erased = at_once([lambda: _erase(house, over)] * 4, threads=4)

    assert sorted(erased) == [0, 0, 0, 6]
    assert len(house.rows(ConsentEvent, act="erased")) == 6


def test_somebody_whose_key_was_lost_does_not_hold_up_the_others(
    play, house, keeper, database, now
):
    play("ann@example.com")
    play("ben@example.com")
    with database.transaction() as session:
        session.query(Contact).first().sealed_key = b"lost"
    to(house, now + 365 * DAY)

    assert keeper.run().erased == 1
    # Whose key is lost is unreadable, and still there.
    assert [row.erased_at is None for row in house.rows(Contact)] == [True, False]


class TestTheDay:
    """A worker takes a round at a time, and looks at everybody once a day."""

    @pytest.fixture
    def daily(self, house):
        parts = house.app.extensions
        made = Retaining(house.database, parts["directory"], parts["tools"], True)
        return Daily(made)

    def all_of(self, daily, house):
        rounds = 1
        while daily.go_round(now=house.clock.now()):
            rounds += 1
        return rounds

    def test_it_is_done_once_a_day(self, play, daily, house, now):
        play()
        to(house, now + 365 * DAY)

        first = self.all_of(daily, house)
        again = self.all_of(daily, house)
        to(house, now + 366 * DAY)
        next_day = self.all_of(daily, house)

        assert first > 3
        assert again == 1
        assert next_day > 3
        assert people(house) == [""]

    def test_one_that_broke_begins_anew(self, play, daily, house, now, monkeypatch):
        play()
        to(house, now + 365 * DAY)

        def broken(*_args, **_options):
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr("server.services.retention.erase", broken)
            with pytest.raises(RuntimeError):
                self.all_of(daily, house)
        self.all_of(daily, house)

        assert people(house) == [""]


def test_a_lapse_is_whole_or_has_not_happened(say_yes, house, now):
    """G5."""
    say_yes()
    to(house, months_after(now, 37))
    parts = house.app.extensions
    ids = [person.id for person in house.rows(Contact)]

    def lapse():
        with house.database.transaction() as session:
            retention.lapse(
                session,
                ids,
                directory=parts["directory"],
                tools=parts["tools"],
                now=house.clock.now(),
            )

    failed, _ = fail_everywhere(house, lapse)

    assert {"consent_event", "evidence", "standing", "COMMIT"} <= failed
    assert house.standing() == {"newsletter": "lapsed"}
