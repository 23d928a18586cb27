"""Where is my prize: by the link in the letter, at no cost and without an account."""

from datetime import timedelta

import pytest

from server.domain import bars, qr
from server.domain.links import LinkRef, Salt
from server.models import CampaignVersion, Entry, Voucher, VoucherStep
from tests.factories import campaign_file, prize_table
from tests.visits import NOTHING, few_mugs, sure_win, take_card

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def link(publish, client, house):
    """The address of a prize page: a mug that is good for thirty days."""
    publish(
        campaign_file(
            "welcome-scratch",
            prizes=[prize_table(valid_days=30), NOTHING],
            fallback="nothing",
        )
    )
    take_card(client).enter(client)
    return house.link("prize")


def test_the_page_tells_what_was_won_how_to_use_it_and_until_when(pages, house, link):
    """PZ-07: no account, no payment, no field to fill in."""
    page = pages.get(link)

    assert page.h1 == "Your prize is waiting for you"
    assert house.rows(Voucher)[0].code in page.text
    assert "Use it until and including 1 April 2026." in page.text
    assert "Show the code at the till." in page.text
    assert "It costs you nothing" in page.text
    form = page.form()
    assert form.action == f"{link}/mail" and form.values == {}
    assert not page.root.all("script")
    assert "i***@example.com" in page.text and "iris@" not in page.html
    assert page.response.headers["X-Robots-Tag"] == "noindex"
    assert page.response.headers["Referrer-Policy"] == "no-referrer"


def test_the_code_is_there_as_a_qr_of_exactly_its_text(pages, client, house, link):
    """The very drawing of the code alone; tests/domain/test_qr.py decodes drawings."""
    shown = pages.get(link).root.all("img")[0].attrs

    picture = client.get(shown["src"])

    assert picture.mimetype == "image/svg+xml"
    assert picture.data == qr.svg(house.rows(Voucher)[0].code)
    assert shown["alt"] == "Your code as a QR, for the till"


def test_the_code_is_there_as_bars_for_an_older_scanner(pages, client, house, link):
    """`tests/domain/test_bars.py` reads them back."""
    shown = pages.get(link).root.one("img", class_="bars").attrs

    picture = client.get(shown["src"])

    assert picture.mimetype == "image/svg+xml"
    assert picture.data == bars.svg(house.rows(Voucher)[0].code)
    assert picture.headers["X-Robots-Tag"] == "noindex"
    assert shown["alt"] == "Your code as a bar code, for the till"


def test_a_code_too_long_for_bars_has_its_qr(publish, client, pages, house):
    publish(sure_win(prizes__0__code="A" * 25))
    take_card(client).enter(client)
    link = house.link("prize")

    page = pages.get(link)

    assert [image.attrs["width"] for image in page.root.all("img")] == ["200"]
    assert client.get(f"{link}/code-bars.svg").status_code == 404


def test_looking_fifty_times_changes_nothing(client, house, link):
    before = house.dump()
    for _ in range(25):
        assert client.get(link).status_code == 200
        assert client.head(f"{link}/code.svg").status_code == 200
    client.options(f"{link}/mail")

    assert house.dump() == before


def test_a_press_mails_it_once_more_to_the_same_address(
    pages, client, house, link, clock
):
    clock.advance(timedelta(minutes=10))
    page = pages.submit(pages.get(link).form(), status=303)

    assert page.location == "/done/mailed/demo/en"
    assert "Look in your mailbox" in pages.follow(page).text
    first, again = house.letters("prize")
    assert again.to == first.to
    same = ("prize", "code", "until", "play", "first_name")
    assert [again.params[k] for k in same] == [first.params[k] for k in same]
    assert [step.step for step in house.rows(VoucherStep)] == ["mailed_again"]
    # The new letter has a link of its own, and the old one keeps working.
    assert house.link("prize") != link
    for address in (link, house.link("prize")):
        assert client.get(address).status_code == 200


def test_pressing_again_and_again_stays_within_the_limits_of_a_mailbox(
    client, house, link, clock
):
    """The answer is the same whether a mail goes out or not."""
    answers = [client.post(f"{link}/mail") for _ in range(3)]

    assert {(a.status_code, a.location) for a in answers} == {
        (303, "/done/mailed/demo/en")
    }
    assert len(house.letters("prize")) == 1, "it was mailed only just now"

    for _ in range(6):
        clock.advance(timedelta(minutes=11))
        client.post(f"{link}/mail")

    assert len(house.letters("prize")) == 3, "three mails a day"
    assert len(house.rows(VoucherStep)) == 2


def test_who_has_won_keeps_the_words_they_won_under(publish, client, house, link):
    """PZ-09: a change is a new version, and an older entry stays with its own."""
    text = {"label": "Mug", "claim": "Only with an order of a hundred euros."}
    changed = prize_table(valid_days=30) | {"texts": {"nl": text, "en": text}}
    publish(
        campaign_file("welcome-scratch", prizes=[changed, NOTHING], fallback="nothing")
    )

    page = client.get(link, headers=ENGLISH).text

    assert "Show the code at the till." in page
    assert "a hundred euros" not in page
    assert [row.number for row in house.rows(CampaignVersion)] == [1, 2]
    assert [entry.version for entry in house.rows(Entry)] == [1]


ENDS = {
    "redeemed": (
        "This prize has been used",
        "It was on 4 March 2026, 11:30 (Till 1).",
    ),
    "lapsed": ("The time for this prize is over", "until and including 1 April 2026."),
    "revoked": ("This prize was taken back", "why; they can tell you more."),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_prize_at_its_end_says_so_and_mails_nothing(
    pages, client, house, link, clock, database, end
):
    clock.advance(timedelta(days=2))
    with database.transaction() as session:
        row = session.query(Voucher).filter_by(state="awarded").one()
        if end == "redeemed":
            row.redeemed_at, row.redeemed_place = clock.now(), "Till 1"
        if end != "lapsed":
            row.state = end
    if end == "lapsed":
        # By the clock alone, before the worker came by.
        clock.advance(timedelta(days=60))

    page = pages.get(link)
    pressed = client.post(f"{link}/mail")

    title, advice = ENDS[end]
    assert page.h1 == title and advice in page.text
    assert not page.root.all("form") and not page.root.all("img")
    assert client.get(f"{link}/code.svg").status_code == 404
    assert pressed.status_code == 303
    assert len(house.letters("prize")) == 1


def test_the_winner_is_not_told_the_name_of_staff(pages, link, clock, database):
    with database.transaction() as session:
        row = session.query(Voucher).filter_by(state="awarded").one()
        row.state, row.redeemed_at = "redeemed", clock.now()
        row.redeemed_by, row.redeemed_place = "member:7", "Office, Staff Name"

    page = pages.get(link)

    assert "It was on 2 March 2026, 11:30." in page.text
    assert "Staff Name" not in page.text


def bad_links(house, link):
    token = link.rpartition("/")[2]
    ref = house.letters("prize")[0].params["link"]
    signer = house.app.extensions["signer"]
    now = house.clock.now()
    other = LinkRef(ref[0], bytes(16))
    return {
        "changed": f"/prize/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}",
        "for another use": house.link("unsubscribe").replace("unsubscribe", "prize"),
        "with another secret": f"/prize/{signer.sign_link(Salt.PRIZE, other, now=now)}",
        "no link": "/prize/hello",
        "too long": f"/prize/{'A' * 5_000}",
    }


def test_every_link_that_is_not_ours_leads_to_the_same_page(client, house, link):
    bodies = set()
    for name, bad in bad_links(house, link).items():
        for method, tail in (("GET", ""), ("GET", "/code.svg"), ("POST", "/mail")):
            answer = client.open(bad + tail, method=method, headers=ENGLISH)
            assert answer.status_code == 404, name
            bodies.add(answer.text)
    assert len(bodies) == 1
    (body,) = bodies
    assert "This link does not work" in body
    assert 'href="/preferences?lang=en"' in body
    assert len(house.letters("prize")) == 1


def test_an_entry_that_won_nothing_has_no_prize_page(publish, client, house, link):
    publish(few_mugs(0, "lucky-scratch", losing=1, flow="form-first"))
    take_card(client, "lucky-inline").enter(
        client, "ada@example.com", consents=["newsletter"]
    )
    letter = house.letters("confirm", to="ada@example.com")[0]
    row, secret = letter.params["link"]
    ref = LinkRef(row, bytes.fromhex(secret))
    token = house.app.extensions["signer"].sign_link(
        Salt.PRIZE, ref, now=house.clock.now()
    )

    assert client.get(f"/prize/{token}").status_code == 404


def test_one_code_for_everybody_has_its_page_too(publish, pages, client, house):
    publish(sure_win())
    take_card(client).enter(client)

    page = pages.get(house.link("prize"))

    assert "MUG10" in page.text and "It does not expire." in page.text


def test_the_page_speaks_the_language_of_the_entry(publish, client, pages, house):
    publish(sure_win())
    take_card(client, lang="nl").enter(client)

    assert pages.get(house.link("prize")).h1 == "Je prijs ligt voor je klaar"
