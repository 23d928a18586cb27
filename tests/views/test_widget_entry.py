"""An entry over HTTP: one ticket is one play, however often it is sent."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from server.domain import chance
from server.models import Campaign, Contact, Entry, Outbox, Voucher
from server.services import campaigns, unclaimed
from server.views.language import ZONE
from tests.factories import campaign_file
from tests.visits import (
    AGREED,
    EMAIL,
    NOTICED,
    Card,
    at_once,
    few_mugs,
    sure_win,
    take_card,
    ticket_in,
    without_chance,
)

ONCE = {"entries_per_address": 1}
PURPOSE = ["newsletter"]
SEED = {"seed": "00112233445566778899aabbccddeeff"}


def set_paused(house, *, paused: bool) -> None:
    with house.database.transaction() as session:
        row = house.rows(Campaign)[0]
        assert campaigns.set_paused(session, row.id, paused=paused)
    house.clock.advance(NOTICED)


def lapse(house) -> int:
    with house.database.transaction() as session:
        return unclaimed.lapse_due(session, now=house.clock.now())


def test_the_outcome_is_the_one_the_seeds_give(publish, client, house):
    """PZ-05: what the browser is told is what anybody can recompute afterwards."""
    file = publish(campaign_file("welcome-scratch"))

    for _ in range(8):
        take_card(client).enter(client, more=SEED)

    row = house.rows(Campaign)[0]
    last = house.vault.open(row.sealed_seed, about=row.code.encode())
    for entry in house.rows(Entry):
        assert entry.drawn == chance.draw(
            campaigns.table_of(file),
            seed=chance.seed_for(last, epochs=row.epochs, epoch=entry.epoch),
            campaign=file.code,
            epoch=entry.epoch,
            ticket=entry.ticket.hex(),
            browser=entry.browser_seed.hex(),
        )


def test_a_browser_cannot_choose_its_prize(publish, client, house):
    """PZ-05, T13, T2: what a changed script sends beside the form changes nothing."""
    publish(few_mugs(0))
    wish = {
        "prize": "mug",
        "awarded": "mug",
        "drawn": "mug",
        "outcome": "mug",
        "weight": "1",
        "stock": "99",
        "unit": "1",
        "shop_id": "7",
        "code": "X",
    }

    answer = take_card(client).enter(client, more=wish)

    (entry,) = house.rows(Entry)
    assert answer.status_code == 200
    assert (entry.drawn, entry.awarded, entry.unit) == ("mug", "nothing", None)
    assert house.letters() == []


@pytest.mark.parametrize("rule", [{}, ONCE], ids=["free", "once-per-address"])
def test_sent_twice_it_is_answered_twice_and_played_once(publish, client, house, rule):
    """A line that breaks before the answer costs nothing: F9, I4."""
    publish(few_mugs(5, **rule))
    card = take_card(client)

    first = card.enter(client, consents=["newsletter"])
    before = house.dump()
    second = card.enter(client, consents=["newsletter"])

    assert first.status_code == second.status_code == 200
    assert without_chance(first) == without_chance(second)
    assert house.dump() == before


@pytest.mark.parametrize("rule", [{}, ONCE], ids=["free", "once-per-address"])
def test_six_clicks_at_once_are_one_entry(publish, app, client, house, rule):
    """F8, I4: the same ticket and data in parallel; one entry, one outcome."""
    publish(few_mugs(5, **rule))

    for number in range(4):
        card = take_card(client)
        email = f"iris{number}@example.com"
        click = partial(card.enter, email=email, consents=["newsletter"])
        answers = at_once(
            [partial(click, app.test_client()) for _ in range(6)], threads=6
        )

        assert {answer.status_code for answer in answers} == {200}
        assert len({without_chance(answer) for answer in answers}) == 1

    assert len(house.rows(Entry)) == 4
    assert len(house.rows(Voucher, state="awarded")) == 4
    assert len(house.letters("prize")) == len(house.letters("confirm")) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"email": "other@example.com"},
        {"first_name": "Bram"},
        {"consent.newsletter": "yes"},
        {"seed": "ffffffffffffffffffffffffffffffff"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_used_ticket_with_other_data_is_refused(publish, client, house, other):
    """T12: the play stands, and a replay with something else is a 409."""
    publish(campaign_file("welcome-scratch"))
    card = take_card(client)
    card.enter(client)
    before = house.dump()

    answer = card.enter(client, more=other)

    assert answer.status_code == 409
    assert "already been made" in answer.text
    assert house.dump() == before


def test_play_first_reserves_and_claim_hands_over(publish, client, house):
    """Play first: the prize is held without a person and given to who claims it."""
    publish(few_mugs(1, "lucky-scratch"))
    card = take_card(client, "lucky-inline")

    shown = card.play(client)
    (held,) = house.rows(Voucher)
    claimed = Card(card.action, ticket_in(shown)).claim(client)

    (given,) = house.rows(Voucher)
    (entry,) = house.rows(Entry)
    assert "Mug" in shown.text and held.code not in shown.text
    assert (held.state, given.state) == ("reserved", "awarded")
    assert given.code in claimed.text
    assert (entry.state, entry.unit) == ("claimed", 1)
    assert house.letters("prize", to=EMAIL)[0].params["code"] == given.code


def test_who_won_is_told_until_when_it_is_kept(publish, client, house, clock):
    """CR-10: the time is that of the play, however late the form is shown again."""
    publish(few_mugs(1, "lucky-scratch"))
    card = take_card(client, "lucky-inline")

    shown = card.play(client)
    clock.advance(timedelta(minutes=20))
    again = Card(card.action, ticket_in(shown)).claim(client, "nowhere")
    claimed = Card(card.action, ticket_in(again)).claim(client)

    said = "We keep your prize for you until"
    hour_later = (
        clock.moment + unclaimed.RESERVED_FOR - timedelta(minutes=20)
    ).astimezone(ZoneInfo(ZONE))
    assert f"{said} {hour_later:%H:%M}." in shown.text
    assert f"{said} {hour_later:%H:%M}." in again.text
    assert said not in claimed.text


def test_who_won_nothing_is_told_of_no_time(publish, client):
    publish(few_mugs(0, "lucky-scratch", losing=1))

    shown = take_card(client, "lucky-inline").play(client)

    assert "We keep your prize" not in shown.text


def test_nothing_is_known_of_who_plays_and_does_not_claim(publish, client, house):
    publish(few_mugs(1, "lucky-scratch"))

    take_card(client, "lucky-inline").play(client)

    assert house.rows(Contact) == house.rows(Outbox) == []


def test_a_claim_sent_twice_is_one_claim(publish, app, client, house):
    """F8: six claims of one play at once."""
    publish(few_mugs(5, "lucky-scratch", **ONCE))
    card = take_card(client, "lucky-inline")
    card.play(client)

    answers = at_once(
        [partial(card.claim, app.test_client()) for _ in range(6)], threads=6
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({without_chance(answer) for answer in answers}) == 1
    assert len(house.rows(Voucher, state="awarded")) == 1
    assert len(house.letters("prize")) == 1


def test_a_play_is_claimed_by_one_person(publish, client, house):
    """T12: a second person with the same ticket gets nothing of the first one's."""
    publish(few_mugs(2, "lucky-scratch"))
    card = take_card(client, "lucky-inline")
    card.play(client)
    card.claim(client)
    before = house.dump()

    answer = card.claim(client, "thief@example.com")

    code = house.rows(Voucher, state="awarded")[0].code
    assert answer.status_code == 409
    assert code not in answer.text and EMAIL not in answer.text
    assert house.dump() == before


def test_a_claim_without_a_play_is_refused(publish, client, house):
    publish(few_mugs(2, "lucky-scratch"))
    before = house.dump()

    answer = take_card(client, "lucky-inline").claim(client)

    assert answer.status_code == 409
    assert house.dump() == before


def test_what_is_not_claimed_goes_back_into_the_game(publish, client, house, clock):
    """A reservation lapses after an hour, and somebody else can win the unit."""
    publish(few_mugs(1, "lucky-scratch"))
    late = take_card(client, "lucky-inline")
    late.play(client)
    clock.advance(unclaimed.RESERVED_FOR)

    assert lapse(house) == 1
    assert lapse(house) == 0
    next_one = take_card(client, "lucky-inline")
    next_one.play(client)
    won = next_one.claim(client, "next@example.com")
    too_late = late.claim(client)

    (unit,) = house.rows(Voucher)
    assert unit.state == "awarded" and unit.code in won.text
    assert too_late.status_code == 410
    assert "went back into the game" in too_late.text
    assert unit.code not in too_late.text
    assert house.letters(to=EMAIL) == []


def test_a_faulty_claim_that_is_too_late_hears_so(publish, client, house, clock):
    """Not of a fault in a field that the next page does not even have."""
    publish(few_mugs(1, "lucky-scratch"))
    late = take_card(client, "lucky-inline")
    late.play(client)
    clock.advance(unclaimed.RESERVED_FOR)
    lapse(house)

    answer = late.claim(client, "not an address")

    assert answer.status_code == 410
    assert "went back into the game" in answer.text


def test_a_faulty_claim_without_a_play_is_refused(publish, client, house):
    publish(few_mugs(1, "lucky-scratch"))

    answer = take_card(client, "lucky-inline").claim(client, "not an address")

    assert answer.status_code == 409
    assert 'href="#field-email"' not in answer.text


def test_a_claim_just_in_time_is_kept(publish, client, house, clock):
    publish(few_mugs(1, "lucky-scratch"))
    card = take_card(client, "lucky-inline")
    card.play(client)
    clock.advance(unclaimed.RESERVED_FOR - timedelta(seconds=1))

    assert lapse(house) == 0
    assert card.claim(client).status_code == 200


@pytest.mark.parametrize("email", [EMAIL, "not an address"])
def test_the_hour_is_over_also_while_no_worker_runs(
    publish, client, house, clock, email
):
    """What the worker does late makes no claim valid, and the unit stays whole (G1)."""
    publish(few_mugs(1, "lucky-scratch"))
    card = take_card(client, "lucky-inline")
    card.play(client)
    clock.advance(unclaimed.RESERVED_FOR)
    before = house.dump()

    late = card.claim(client, email)

    assert late.status_code == 410
    assert "The time to claim is over" in late.text
    assert house.dump() == before
    assert lapse(house) == 1
    (unit,) = house.rows(Voucher)
    assert (unit.state, unit.entry_id) == ("free", None)
    assert without_chance(card.claim(client, email)) == without_chance(late)


def test_who_claims_after_the_hour_hears_so_and_not_of_their_turns(
    publish, client, house, clock
):
    publish(few_mugs(2, "lucky-scratch", **ONCE))
    first, late = (take_card(client, "lucky-inline") for _ in range(2))
    first.play(client)
    late.play(client)
    first.claim(client)
    clock.advance(unclaimed.RESERVED_FOR)

    assert late.claim(client).status_code == 410


def test_claims_and_the_worker_at_the_end_of_the_hour_agree(
    publish, app, client, house, clock
):
    """G1, G2: who is told 200 has the prize, and every other unit can be won again."""
    publish(few_mugs(6, "lucky-scratch"))
    cards = [take_card(client, "lucky-inline") for _ in range(6)]
    for card in cards:
        card.play(client)
    clock.advance(unclaimed.RESERVED_FOR - timedelta(seconds=1))
    claims = [
        partial(card.claim, app.test_client(), f"p{number}@example.com")
        for number, card in enumerate(cards)
    ]

    def lapse_at_the_hour() -> int:
        # Another machine, whose clock is a second ahead.
        with house.database.transaction() as session:
            return unclaimed.lapse_due(
                session, now=clock.now() + timedelta(seconds=1), most=2
            )

    came = at_once([*claims, lapse_at_the_hour, lapse_at_the_hour], threads=8)

    told = [answer.status_code for answer in came[:6]]
    awarded, free = (house.rows(Voucher, state=s) for s in ("awarded", "free"))
    assert set(told) <= {200, 410}
    assert len(awarded) == told.count(200) == len(house.rows(Entry, state="claimed"))
    assert len(free) == told.count(410) == came[6] + came[7]


def test_what_was_won_is_claimed_in_spite_of_a_pause(publish, client, house):
    """A pause, or the end, takes nothing away from who has played before it."""
    publish(few_mugs(1, "lucky-scratch"))
    card = take_card(client, "lucky-inline")
    card.play(client)
    set_paused(house, paused=True)

    assert client.get("/w/lucky-inline").status_code == 403
    assert card.claim(client).status_code == 200


@pytest.mark.parametrize("flow", ["form-first", "play-first"])
def test_who_took_part_in_time_is_told_so_afterwards(publish, client, house, flow):
    """F9: an answer that was lost is given again, also where nobody can play now."""
    publish(few_mugs(5, flow=flow))
    card, late = take_card(client), take_card(client)
    send = card.play if flow == "play-first" else partial(card.enter, consents=PURPOSE)
    first = send(client)
    set_paused(house, paused=True)
    before = house.dump()

    again = send(client)
    refused = [
        late.enter(client),
        send(client, more={"seed": "ff" * 16}),
        Card(card.action, card.ticket[:-1]).enter(client),
    ]

    assert first.status_code == again.status_code == 200
    assert without_chance(first) == without_chance(again)
    assert {answer.status_code for answer in refused} == {403}
    assert house.dump() == before


def test_a_faulty_claim_keeps_the_play_and_what_was_typed(publish, pages, house):
    publish(few_mugs(1, "lucky-scratch"))
    start = pages.get("/w/lucky-inline?lang=en")
    reveal = pages.submit(start.form("/entries"), **AGREED)

    again = pages.submit(
        reveal.form("/entries"),
        status=422,
        email="not an address",
        first_name="Iris",
        consent__newsletter="yes",
    )

    values = again.form("/entries").values
    assert values["email"] == "not an address"
    assert values["first_name"] == "Iris"
    assert values["consent.newsletter"] == "yes"
    assert "consent.personal_offers" not in values
    done = pages.submit(again.form("/entries"), email=EMAIL)
    assert house.rows(Voucher)[0].code in done.html


@pytest.mark.parametrize("name", ["lucky-scratch", "welcome-scratch"])
def test_an_address_takes_part_as_often_as_promised(publish, app, client, house, name):
    """T12, PZ-10: also when eight tickets of one address arrive in the same moment."""
    publish(sure_win(name, entries_per_address=2))
    cards = [take_card(client, name.replace("scratch", "inline")) for _ in range(8)]
    if name == "lucky-scratch":
        for card in cards:
            card.play(client)
        arrive = [partial(card.claim, app.test_client()) for card in cards]
    else:
        arrive = [partial(card.enter, app.test_client()) for card in cards]

    answers = at_once(arrive, threads=8)

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 2 + [409] * 6
    assert len(house.rows(Entry, state="claimed")) == 2
    assert len(house.rows(Voucher, state="awarded")) == 2
    assert len(house.rows(Contact)) == 1
