"""A code out of a box opens a game, one play uses it up, each page explains (PZ-11)."""

from datetime import timedelta
from functools import partial

import pytest

from server.models import BoxCode, ConsentEvent, Entry, Voucher
from server.services import boxcodes, unclaimed
from tests.boxes import ENTRIES, PLACEMENT, fill_boxes, scan, take_box
from tests.factories import campaign_file
from tests.pages import faults
from tests.visits import AGREED, Card, at_once, few_mugs, take_card, ticket_in

DAY = timedelta(days=1)
AT_ONCE = 20
FORM_FIRST = {"flow": "form-first"}


@pytest.fixture
def boxes(publish, database, vault, now):
    """Three boxes of the demo's campaign."""
    publish(campaign_file("box-scratch"))
    return fill_boxes(database, vault, now=now)


@pytest.fixture
def label(boxes):
    return boxes.labels[0]


def wrong(number: int) -> str:
    """Return a QR code's letters that nobody has made."""
    return f"{number:022d}"


def test_a_scan_opens_the_game(pages, label):
    """PZ-11: 128 random bits, and no order number or address in the link."""
    page = pages.get(f"/b/{label.qr}?lang=en")

    assert page.h1 == "There is more in your box"
    assert page.form("/entries").action == ENTRIES
    assert len(label.qr) == 22


def test_a_hundred_scans_keep_the_code_fresh(client, house, label):
    """PZ-11: neither a scan nor a preview nor a HEAD uses it up, or writes at all."""
    before = house.dump()

    for _ in range(100):
        assert scan(client, label).status_code == 200
    assert client.head(f"/b/{label.qr}").status_code == 200
    assert client.options(f"/b/{label.qr}").status_code == 200

    assert house.dump() == before
    assert take_box(client, label).enter(client).status_code == 200


def test_a_play_uses_the_code_up_and_the_next_scan_says_when(client, pages, label):
    take_box(client, label).enter(client)

    page = pages.get(f"/b/{label.qr}", status=410)

    assert page.h1 == "Met deze code is al gespeeld"
    assert "2 maart 2026" in page.text
    typed = pages.post("/b/", data={"code": label.typed}, status=410)
    assert typed.h1 == page.h1


def test_a_code_ends_one_play_and_leaves_the_others(client, boxes):
    take_box(client, boxes.labels[0]).enter(client)

    assert scan(client, boxes.labels[1]).status_code == 200


def test_what_was_won_waits_for_who_scans_again(client, house, label):
    """A phone that lost its page finds the same prize, and no second play."""
    won = take_box(client, label).play(client)
    assert won.status_code == 200

    again = scan(client, label)

    assert again.status_code == 200
    assert 'name="email"' in again.get_data(as_text=True)
    card = Card(ENTRIES, ticket_in(again))
    assert card.claim(client, consents=["newsletter"]).status_code == 200
    (entry,) = house.rows(Entry)
    assert entry.state == "claimed"
    assert scan(client, label).status_code == 410


def test_what_was_not_claimed_in_time_does_not_come_back(client, house, label, clock):
    take_box(client, label).play(client)
    clock.advance(timedelta(hours=2))
    with house.database.transaction() as session:
        unclaimed.lapse_due(session, now=clock.now())

    assert scan(client, label).status_code == 410


def test_it_does_not_come_back_while_no_worker_runs_either(client, label, clock):
    take_box(client, label).play(client)
    clock.advance(unclaimed.RESERVED_FOR)

    assert scan(client, label).status_code == 410


def test_the_same_ticket_is_told_the_same_again(client, house, label):
    card = take_box(client, label)

    first, second = card.enter(client), card.enter(client)

    assert first.status_code == second.status_code == 200
    assert len(house.rows(Entry)) == 1


@pytest.mark.parametrize("flow", ["play-first", "form-first"])
def test_twenty_who_play_one_code_at_once_make_one_entry(
    app, publish, database, vault, now, house, flow
):
    """T12, PZ-10: the row count decides, and who was late is told."""
    publish(campaign_file("box-scratch", flow=flow))
    label = fill_boxes(database, vault, now=now).labels[0]
    cards = [take_box(app.test_client(), label) for _ in range(AT_ONCE)]

    def enter(number: int, card: Card) -> int:
        email = f"player{number}@example.com"
        return card.enter(app.test_client(), email).status_code

    tries = [partial(enter, number, card) for number, card in enumerate(cards)]
    statuses = at_once(tries, threads=AT_ONCE)

    assert sorted(statuses) == [200] + [410] * (AT_ONCE - 1)
    (entry,) = house.rows(Entry)
    (used,) = [row for row in house.rows(BoxCode) if row.entry_id]
    assert used.entry_id == entry.id


def test_who_is_late_holds_no_prize(client, publish, database, vault, now, house):
    """What the late play had drawn goes back with everything else of it."""
    place = {"code": PLACEMENT, "channel": "box", "shape": "page"}
    publish(few_mugs(2, "lucky-scratch", placements=[place]))
    label = fill_boxes(database, vault, now=now).labels[0]
    first, second = take_box(client, label), take_box(client, label)

    assert first.play(client).status_code == 200
    assert second.play(client).status_code == 410

    states = sorted(row.state for row in house.rows(Voucher))
    assert states == ["free", "reserved"]


def test_a_refused_entry_leaves_the_code_fresh(client, publish, database, vault, now):
    """PZ-10: a second entry of one mailbox is refused, and its code stays good."""
    publish(campaign_file("box-scratch", flow="form-first", entries_per_address=1))
    one, other, _third = fill_boxes(database, vault, now=now).labels
    assert take_box(client, one).enter(client).status_code == 200

    assert take_box(client, other).enter(client).status_code == 409

    friend = take_box(client, other).enter(client, "friend@example.com")
    assert friend.status_code == 200


def test_a_form_with_a_mistake_leaves_the_code_fresh(client, label):
    card = take_box(client, label)

    assert card.enter(client, "no address").status_code == 422

    assert card.enter(client).status_code == 200


def test_a_minor_leaves_the_code_to_the_household(client, house, label):
    """MI-01: nothing is stored, so nothing is used up either."""
    before = house.dump()

    take_box(client, label).send(client, {"adult": "no", "terms": "yes"})

    assert house.dump() == before


# --- what a code is refused for ----------------------------------------------------


def test_a_withdrawn_code_says_so(pages, database, boxes, now):
    with database.transaction() as session:
        assert boxcodes.revoke(session, boxes.batch, now=now)

    page = pages.get(f"/b/{boxes.labels[0].qr}", status=410)

    assert page.h1 == "Deze code geldt niet meer"
    assert "Noord & Zon heeft haar ingetrokken" in page.text


def test_a_code_that_is_withdrawn_during_the_play_is_refused(
    client, database, boxes, now, house
):
    card = take_box(client, boxes.labels[0])
    with database.transaction() as session:
        boxcodes.revoke(session, boxes.batch, now=now)

    answer = card.enter(client)

    assert answer.status_code == 410
    assert house.rows(Entry) == []


def test_a_game_on_the_screen_is_replaced_by_what_happened(
    pages, client, database, boxes, now
):
    """The page's script puts a fragment into the page; without it the page comes."""
    card, late = (take_box(client, boxes.labels[0]) for _ in range(2))
    card.enter(client)
    asked = {"headers": {"HX-Request": "true"}}

    answer = late.enter(client, "late@example.com", **asked)
    gone = client.post(ENTRIES, data=AGREED, **asked)

    assert answer.status_code == 410
    for each in (answer, gone):
        assert faults(each.get_data(as_text=True)) == []
        assert each.get_data(as_text=True).count("<main") == 1
        assert "<html" not in each.get_data(as_text=True)
    assert "This code has been played" in answer.get_data(as_text=True)
    assert 'href="/b/"' in gone.get_data(as_text=True)


def test_a_code_is_good_from_its_day_until_its_end(
    pages, publish, database, vault, now, clock
):
    publish(campaign_file("box-scratch"))
    label = fill_boxes(
        database, vault, now=now, valid_from=now + DAY, valid_until=now + 2 * DAY
    ).labels[0]

    early = pages.get(f"/b/{label.qr}", status=403)
    clock.advance(DAY)
    pages.get(f"/b/{label.qr}")
    clock.advance(DAY)
    late = pages.get(f"/b/{label.qr}", status=410)

    assert early.h1 == "Deze code is voor later"
    assert "3 maart 2026, 11:30" in early.text
    assert late.h1 == "Deze code is verlopen"
    assert "4 maart 2026" in late.text


def test_a_campaign_that_is_over_says_so(pages, label, clock):
    clock.advance(timedelta(days=200))

    assert pages.get(f"/b/{label.qr}", status=410).h1 == "Dit spel is voorbij"


def test_the_game_opens_with_a_code_alone(client, pages, boxes):
    page = pages.get(f"/w/{PLACEMENT}?lang=en", status=403)

    assert "opens with the code in your box" in page.text
    other = ticket_in(client.get("/w/box-scratch-page"))
    assert Card(ENTRIES, other).play(client).status_code == 403
    assert client.post(ENTRIES, data=AGREED).status_code == 403
    assert client.get(f"/qr/{PLACEMENT}.svg").status_code == 404


def test_a_ticket_of_a_box_is_good_at_its_own_placement_alone(client, label):
    """T12: a code for one game opens no other."""
    card = take_box(client, label)

    answer = Card("/w/box-scratch-page/entries", card.ticket).play(client)

    assert answer.status_code == 422


def test_a_code_names_no_place_that_is_gone(client, publish, boxes):
    publish(campaign_file("box-scratch", placements__1=None))

    assert scan(client, boxes.labels[0]).status_code == 404


# --- typing ------------------------------------------------------------------------


def test_the_characters_beside_the_square_open_it_too(pages, label):
    page = pages.get("/b/")
    sloppy = label.typed.lower().replace("-", " ")

    game = pages.submit(page.form("/b/"), code=sloppy)

    assert game.form("/entries").action == ENTRIES


@pytest.mark.parametrize("path", ["/b/{}", "/b/{}?lang=nl"])
def test_a_typed_code_in_the_address_works_as_well(client, label, path):
    assert client.get(path.format(label.typed)).status_code == 200


def test_a_mistyped_code_names_the_check_and_keeps_what_was_typed(pages, label):
    swapped = label.typed[1] + label.typed[0] + label.typed[2:]
    if swapped == label.typed:
        swapped = ("1" if label.typed[0] != "1" else "2") + label.typed[1:]

    page = pages.post("/b/", data={"code": swapped}, status=422)

    assert f"het laatste teken, “{label.typed[-1]}”" in page.text
    assert page.form("/b/").values["code"] == swapped


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "Typ de code die op het kaartje"),
        ("7K2M-4QXR", "12 tekens en nog één"),
        ("7K2M-4QXR-9U3V-H", "“U” komt in geen"),
        ("<script>alert(1)</script>", "komt in geen"),
    ],
)
def test_other_slips_are_named(pages, boxes, code, said):
    assert said in pages.post("/b/", data={"code": code}, status=422).text


def test_a_code_that_we_do_not_know_is_asked_again(pages, boxes):
    page = pages.get(f"/b/{wrong(1)}", status=404)

    assert "We kennen deze code niet" in page.text
    assert page.form("/b/").values["code"] == ""


def test_no_page_of_a_code_is_kept_framed_or_told_to_others(client, label):
    """T10, T22: no-store, no-referrer, and no code in any address of the page."""
    for path in (f"/b/{label.qr}", "/b/", f"/b/{wrong(1)}"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in headers
    html = scan(client, label).get_data(as_text=True)
    assert label.qr not in html
    assert label.typed not in html


def test_the_ticket_says_which_box_it_was_but_not_its_code(client, house, label):
    take_box(client, label).enter(client, consents=["newsletter"])

    (event,) = house.rows(ConsentEvent, purpose="newsletter")
    assert event.context["place"] == "box"
    for table, rows in house.dump().items():
        told = str(rows)
        assert label.qr not in told, table
        assert label.typed not in told, table
        assert label.typed.replace("-", "") not in told, table


# --- being seen --------------------------------------------------------------------


def test_a_page_that_somebody_sees_says_so_once(client, house, label, clock):
    """The first form that a page sends counts it as opened; loading it does not."""
    card = take_box(client, label)
    moment = clock.now()

    for _ in range(3):
        answer = client.post("/b/opened", data={"ticket": card.ticket})
        assert answer.status_code == 204
        clock.advance(timedelta(minutes=1))

    opened = [row.opened_at for row in house.rows(BoxCode)]
    assert opened == [moment, None, None]
    assert [row.entry_id for row in house.rows(BoxCode)] == [None, None, None]


@pytest.mark.parametrize("ticket", ["", "nonsense", "link"])
def test_what_is_no_ticket_of_a_box_counts_nothing(client, house, boxes, ticket):
    if ticket == "link":
        ticket = take_card(client, "box-scratch-page").ticket

    answer = client.post("/b/opened", data={"ticket": ticket})

    assert answer.status_code == 204
    assert [row.opened_at for row in house.rows(BoxCode)] == [None] * 3


def test_a_play_without_script_was_opened_as_well(client, house, label):
    take_box(client, label).play(client)

    assert house.rows(BoxCode)[0].opened_at is not None
