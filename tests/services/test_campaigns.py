"""Importing a campaign: whole or not at all, and what was promised stays (PZ-09)."""

import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from server.domain import chance
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError, as_tables
from server.models import Campaign, CampaignVersion, Placement, Prize, Raffle, Voucher
from server.services import campaigns
from tests.factories import campaign_file, campaign_tables, prize_table, shop_file
from tests.visits import NOTICED, take_card

# How long an import waits for another before it is taken to be held back.
HELD_BACK_S = 1.0
LABEL = "prizes__0__texts__en__label"
PROMISES = {
    "odds": {"prizes__0__weight": 2},
    "stock": {"prizes__0__stock": 19},
    "value": {"prizes__0__value_cents": 2_000},
    "code": {"prizes__2__code": "ZON5"},
    "a prize fewer": {"prizes__1": None},
    "a prize more": {"prizes__4": None},
    "order": {},
    "length": {"days": 30},
    "flow": {"flow": "play-first"},
    "fallback": {"fallback": "ten_percent"},
    "release": {"prizes__0__release": "even"},
    "kind": {"prizes__0__kind": "benefit"},
    "turns": {"entries_per_day": 1},
}


@pytest.fixture
def save(database, vault, now):
    """Import a file as the command does, in a transaction of its own.

    That of its shop comes before it, which holds other imports of the shop back.
    """

    def save(campaign, *, shop=True, **options):
        with database.transaction() as session:
            if shop:
                campaigns.save_shop(session, shop_file(), now=now)
            return campaigns.save(
                session,
                campaign,
                **{"vault": vault, "now": now, "random": os.urandom} | options,
            )

    return save


def changed(what: str):
    """Return the published campaign with one promise changed."""
    if what == "a prize more":
        prizes = campaign_tables("welcome-scratch")["prizes"]
        return campaign_file("welcome-scratch", prizes=[*prizes, prize_table()])
    if what == "order":
        prizes = campaign_tables("welcome-scratch")["prizes"]
        return campaign_file("welcome-scratch", prizes=prizes[::-1])
    return campaign_file("welcome-scratch", **PROMISES[what])


@pytest.mark.parametrize("what", PROMISES)
def test_a_published_promise_cannot_be_changed(save, house, what):
    """PZ-09: refused with the place, and nothing of the file is kept."""
    save(campaign_file("welcome-scratch"))
    before = house.dump()

    with pytest.raises(FileError) as refused:
        save(changed(what))

    assert {fault.rule for fault in refused.value.faults} == {"PZ-09"}
    assert house.dump() == before


def test_a_draft_promises_nothing_yet(save, client, house):
    """PZ-09: until it is published, and until then nobody sees it."""
    save(campaign_file("welcome-scratch"), publish=False)
    assert client.get("/w/welcome-inline").status_code == 404

    save(campaign_file("welcome-scratch"), publish=True)

    assert house.rows(Campaign)[0].state == "published"
    assert client.get("/w/welcome-inline").status_code == 200


def test_a_draft_takes_its_days_from_the_file_that_is_published(
    save, house, now, vault
):
    """PZ-09: they count from that day, and the chain has a seed for each of them."""
    save(campaign_file("welcome-scratch", days=3), publish=False)
    (draft,) = house.rows(Campaign)
    later = now + timedelta(days=2)
    save(campaign_file("welcome-scratch", days=3), publish=False, now=later)
    (kept,) = house.rows(Campaign)

    published = later + timedelta(days=2)
    save(campaign_file("welcome-scratch", days=30), now=published)
    save(campaign_file("welcome-scratch", days=30), now=published + timedelta(days=1))

    assert (kept.opens_at, kept.closes_at) == (later, later + timedelta(days=3))
    assert kept.anchor == draft.anchor
    (row,) = house.rows(Campaign)
    assert (row.opens_at, row.epochs) == (published, 30)
    assert row.closes_at == published + timedelta(days=30)
    last = vault.open(row.sealed_seed, about=b"welcome-scratch")
    assert row.anchor == chance.seed_for(last, epochs=30, epoch=0).hex()


def test_a_draft_takes_its_dates_from_the_file_that_is_published(save, house, now):
    """Of a raffle too: else who came late would be in no list."""
    dates = {"days": None, "starts": now}
    month = now + timedelta(days=30)
    draft = campaign_file("summer-raffle", **dates, ends=month + timedelta(days=30))
    save(draft, publish=False)

    save(campaign_file("summer-raffle", **dates, ends=month))

    assert house.rows(Campaign)[0].closes_at == month
    assert house.rows(Raffle)[0].draws_at == month + timedelta(hours=24)


@pytest.mark.parametrize("publish", [True, False])
@pytest.mark.parametrize(
    ("days", "since", "says"),
    [
        (-1, None, "ends: the campaign is over already"),
        (0, None, "ends: the campaign is over already"),
        (-1, -30, "ends: the campaign is over already"),
        (367, None, "ends: a campaign lasts a year at most"),
    ],
)
def test_what_is_over_or_too_long_when_it_is_published_is_refused(
    save, house, now, publish, days, since, says
):
    """L-28: one without `starts` opens at that moment."""
    dates = {"days": None, "ends": now + timedelta(days=days)}
    if since is not None:
        dates["starts"] = now + timedelta(days=since)

    with pytest.raises(FileError, match=says):
        save(campaign_file("welcome-scratch", **dates), publish=publish)

    assert house.rows(Campaign) == []


def test_words_of_a_campaign_that_is_over_can_still_be_mended(save, house, now):
    dates = {"days": None, "ends": now + timedelta(days=3)}
    save(campaign_file("welcome-scratch", **dates))

    mended = campaign_file("welcome-scratch", **dates, **{LABEL: "A better word"})
    saved = save(mended, now=now + timedelta(days=9))

    assert saved.version == 2


@pytest.fixture
def overtaken(monkeypatch):
    """Let another import try to be done while one has just read the campaign.

    `overtaken(first, second)`: where a lock holds the second back, both go on after
    `HELD_BACK_S`.
    """

    def overtaken(first, second) -> None:
        load = campaigns.load
        with ThreadPoolExecutor(1) as pool:

            def load_late(session, code):
                monkeypatch.setattr(campaigns, "load", load)
                others.append(pool.submit(second))
                wait(others, timeout=HELD_BACK_S)
                return load(session, code)

            others: list[Future[None]] = []
            monkeypatch.setattr(campaigns, "load", load_late)
            first()
            others[0].result()

    return overtaken


@pytest.mark.parametrize("is_draft_first", [True, False])
def test_a_draft_imported_meanwhile_changes_no_dates_that_were_promised(
    save, overtaken, house, is_draft_first
):
    """PZ-09: whichever is done last, the dates are the published ones."""
    file = partial(campaign_file, "welcome-scratch")
    save(file(days=3), publish=False)

    def draft() -> None:
        with suppress(FileError):
            save(file(days=4), shop=False, publish=False)

    both = (draft, partial(save, file(days=30), shop=False))
    overtaken(*(both if is_draft_first else both[::-1]))

    (row,) = house.rows(Campaign)
    assert (row.state, row.epochs) == ("published", 30)
    assert row.closes_at - row.opens_at == timedelta(days=30)
    newest = max(house.rows(CampaignVersion), key=lambda version: version.number)
    assert newest.definition["days"] == 30


def test_a_changed_wording_is_a_new_version(save, client, house):
    """PZ-09, PR-07: the old one stays, and entries say which one they were made on."""
    save(campaign_file("welcome-scratch"))
    take_card(client).enter(client)
    house.clock.advance(NOTICED)

    saved = save(campaign_file("welcome-scratch", texts__en__title="Scratch away"))
    take_card(client).enter(client, "bram@example.com")

    assert (saved.version, saved.is_new_version) == (2, True)
    assert [row.number for row in house.rows(CampaignVersion)] == [1, 2]
    first = parse_campaign(house.rows(CampaignVersion)[0].definition)
    assert first == campaign_file("welcome-scratch")
    assert [row[3] for row in house.dump()["entry"]] == [1, 2]


def test_the_same_file_again_changes_nothing(save, house):
    save(campaign_file("welcome-scratch"))
    units = len(house.rows(Voucher))

    saved = save(campaign_file("welcome-scratch"))

    assert (saved.version, saved.is_new_version) == (1, False)
    assert len(house.rows(Voucher)) == units == 520


def test_what_comes_out_goes_in_again(save, database):
    """A campaign is data: import, export, import."""
    save(campaign_file("welcome-scratch"))

    with database.reading() as session:
        found = campaigns.load(session, "welcome-scratch")

    assert found == campaign_file("welcome-scratch")
    assert parse_campaign(as_tables(found)) == found


def test_a_picture_that_is_not_kept_here_is_refused(save, house):
    """T20: nothing is published that would ask for what nobody looked at."""
    for name in ("logo.png", f"{'a' * 64}.webp"):
        with pytest.raises(FileError) as refused:
            save(campaign_file("welcome-scratch", theme__logo=name))

        assert [fault.place for fault in refused.value.faults] == ["theme.logo"]
    assert house.rows(Campaign) == []


def test_every_fault_of_the_form_is_named_by_its_place():
    with pytest.raises(FileError) as refused:
        campaign_file(
            "welcome-scratch",
            format=2,
            mechanic="roulette",
            theme__accent="red; } body {",
            prizes__1__weight=-1,
            prizes__2__texts__nl__label="",
            purposes__0__channel="fax",
            placements__0__code="No Spaces",
            surprise=1,
        )

    assert {fault.place for fault in refused.value.faults} == {
        *("format", "mechanic", "theme.accent", "prizes[2].weight"),
        *("prizes[3].texts.nl.label", "purposes[1].channel"),
        *("placements[1].code", "surprise"),
    }


def test_every_fault_of_the_content_is_named_and_nothing_is_stored(save, house):
    save(campaign_file("lucky-scratch"))
    before = house.dump()

    with pytest.raises(FileError) as refused:
        save(
            campaign_file(
                "welcome-scratch",
                fallback="nobody",
                terms__en=None,
                purposes__0__texts__nl__ask="Ja, mail mij {iets}.",
                placements__0__code="lucky-dialog",
                fields__0__key="email",
            )
        )

    places = {fault.place for fault in refused.value.faults}
    assert {"fallback", "terms.en", "purposes[1].texts.nl", "placements"} <= places
    assert "fields[1].key" in places
    assert house.dump() == before


MUG = prize_table(stock=3)
TEN = prize_table("ten", stock=None)


@pytest.mark.parametrize(
    ("prizes", "place"),
    [
        ([MUG | {"weight": 0}, TEN | {"weight": 0}], "prizes"),
        ([MUG | {"release": [1, 2, 4]}, TEN], "prizes[1].release"),
        ([MUG | {"release": [3, 2, 3]}, TEN], "prizes[1].release"),
        ([MUG | {"release": [1, 3]}, TEN], "prizes[1].release"),
        ([MUG, TEN | {"release": "even"}], "prizes[2].release"),
        ([MUG | {"kind": "credit"}, TEN], "prizes[1].value_cents"),
        ([MUG | {"kind": "choice", "options": ["ten"]}, TEN], "prizes[1].kind"),
        ([MUG | {"pool": True}, TEN], "prizes[1].pool"),
        ([MUG | {"pool": True, "code": "ONE"}, TEN], "prizes[1].code"),
        ([MUG, TEN | {"stock": 5}], "fallback"),
    ],
)
def test_prizes_that_cannot_be_kept_are_refused_and_nothing_is_stored(
    save, house, prizes, place
):
    """Also over a draft that is there already: it stays as it was."""
    options = {"fallback": "ten", "days": 3}
    save(campaign_file("welcome-scratch", prizes=[MUG, TEN], **options), publish=False)
    before = house.dump()

    with pytest.raises(FileError) as refused:
        save(campaign_file("welcome-scratch", prizes=prizes, **options))

    assert place in {fault.place for fault in refused.value.faults}
    assert house.dump() == before


@pytest.mark.parametrize("name", ["price_cents", "phone_number", "purchase"])
def test_taking_part_has_no_price(name):
    """PZ-02: there is no place in a file for one."""
    with pytest.raises(FileError, match=name):
        campaign_file("welcome-scratch", **{name: 1})


def test_a_shop_that_is_not_there_is_a_fault(save, house):
    with pytest.raises(FileError, match="there is no shop"):
        save(campaign_file("welcome-scratch", shop="nobody"))

    assert house.rows(Campaign) == house.rows(Prize) == house.rows(Placement) == []


def test_nobody_takes_over_anothers_campaign_or_place(save, database, house, now):
    """T1: a code belongs to the shop that had it first."""
    save(campaign_file("welcome-scratch"))
    with database.transaction() as session:
        campaigns.save_shop(session, shop_file(code="other"), now=now)
    before = house.dump()["campaign"]

    for thief in (
        campaign_file("welcome-scratch", shop="other"),
        campaign_file("welcome-scratch", shop="other", code="mine"),
    ):
        with pytest.raises(FileError, match="is taken"):
            save(thief)

    assert house.dump()["campaign"] == before


def test_a_place_that_was_given_up_stays_taken(save, client, house):
    file = campaign_file("welcome-scratch")
    save(file)
    save(file.model_copy(update={"placements": file.placements[:1]}))
    house.clock.advance(NOTICED)

    assert client.get("/w/welcome-inline").status_code == 404
    with pytest.raises(FileError, match="is taken"):
        save(
            campaign_file(
                "lucky-scratch",
                placements=[{"code": "welcome-inline", "shape": "inline"}],
            )
        )


def test_limited_prizes_are_units_with_codes_of_their_own(save, house):
    save(campaign_file("welcome-scratch"))

    units = house.rows(Voucher)
    assert len({unit.code for unit in units}) == len(units) == 520
    assert {unit.state for unit in units} == {"free"}


def test_the_anchor_is_there_before_the_first_play(save, house, now):
    """iw-1: the chain is committed to when the campaign is made."""
    save(campaign_file("welcome-scratch"))

    (row,) = house.rows(Campaign)
    assert len(bytes.fromhex(row.anchor)) == 32
    assert row.epochs == 90
    assert row.closes_at - row.opens_at == timedelta(days=90)
    assert (row.opens_at, row.state) == (now, "published")
