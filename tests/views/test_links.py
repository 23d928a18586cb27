"""The links in our mails: only the press of a button does anything."""

import re
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from server import create_app
from server.domain import optin as rules
from server.domain.links import Salt, Signer
from server.domain.optin import State
from server.models import ConsentEvent, Link, OptIn, Suppression, Text
from server.settings import load_settings
from tests.factories import campaign_file, shop_file
from tests.html import parse
from tests.visits import EMAIL, at_once, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def state(house) -> str:
    return house.rows(OptIn)[-1].state


# --- looking -----------------------------------------------------------------------


def test_looking_fifty_times_changes_nothing(client, house, signed_up):
    """DO-02, T5: GET, HEAD and OPTIONS, as scanners and previews send them."""
    before = house.dump()

    for path in (signed_up, house.link("unsubscribe")):
        for number in range(50):
            agent = {"User-Agent": f"scanner/{number}", "Purpose": "prefetch"}
            assert client.get(path, headers=agent).status_code == 200
        head = client.head(path)
        assert (head.status_code, head.data) == (200, b"")
        assert client.options(path).status_code == 200

    assert house.dump() == before
    assert house.press(client, signed_up).status_code == 303, "and it still works"


def test_the_landing_page_says_who_asked_what_of_whom(pages, house, signed_up):
    """DO-03: sender, purposes, the masked address, when; one main button, one out."""
    page = pages.get(signed_up)

    for said in ("Noord & Zon", "i***@example.com", "Newsletter", "suit me"):
        assert said in page.text
    assert EMAIL not in page.html
    assert len(page.root.all("button", class_="main")) == 1
    assert page.form("/not-me").method == "post"
    assert re.search(r"2026", page.text)


def test_who_else_gets_the_address_is_named_at_every_step(publish, client, house):
    """CR-05: on the card, in the notice, before the press, and in the proof."""
    shared = {"recipient": "Lampenhuis B.V.", "products": "lamps and cords"}
    changes = {
        f"purposes__0__texts__{locale}__{name}": said
        for locale in ("nl", "en")
        for name, said in shared.items()
    }
    publish(sure_win(days=365, **changes))

    asking = parse(client.get("/w/welcome-inline?lang=en").text)
    take_card(client).enter(client, consents=BOTH)
    landing = client.get(house.link("confirm")).text

    about = asking.all("dl", id="about-newsletter")[0].text
    assert "Lampenhuis B.V.: lamps and cords" in about
    notice = asking.all("details", id="notice")[0].text
    assert "Lampenhuis B.V. (lamps and cords)" in notice
    assert "Lampenhuis B.V.: lamps and cords" in landing
    kept = [text.body for text in house.rows(Text) if "Lampenhuis" in text.body]
    assert any("Lampenhuis B.V.: lamps and cords" in body for body in kept)


def test_the_landing_page_needs_no_script_and_presses_nothing_itself(client, signed_up):
    """DO-02: no script at all, nothing takes the focus, no other host."""
    answer = client.get(signed_up)

    assert "<script" not in answer.text and "autofocus" not in answer.text
    assert "http-equiv" not in answer.text
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href|action)="(https?:[^"]+)"', answer.text)
    assert all("privacy" in source for source in sources)


# --- confirming --------------------------------------------------------------------


def test_one_press_confirms(client, house, signed_up):
    """DO-01, DO-02, T22: active only now; the browser ends at an address without it."""
    assert house.standing() == {}

    pressed = house.press(client, signed_up)

    assert pressed.status_code == 303
    assert pressed.location.startswith("/done/confirmed/")
    assert signed_up.rpartition("/")[2] not in pressed.location
    assert house.standing() == dict.fromkeys(BOTH, "given")
    assert "it is confirmed" in client.get(pressed.location).text


def test_a_second_press_says_when_it_was_done(client, house, signed_up):
    """DO-06: 200, the date, and no second fact."""
    house.press(client, signed_up)
    before = house.dump()

    house.clock.advance(3 * DAY)
    again = client.post(signed_up)
    looked = client.get(signed_up)

    for answer in (again, looked):
        assert answer.status_code == 200
        assert "already confirmed" in answer.text
        assert "2 March 2026" in answer.text
    assert house.dump() == before


def test_twenty_presses_at_once_are_one(app, client, house, signed_up):
    """DO-06: one fact for each purpose, whatever arrives together."""
    form = {"shown": house.shown(client, signed_up)}

    answers = at_once(
        [partial(app.test_client().post, signed_up, data=form) for _ in range(20)],
        threads=20,
    )

    given = [act for _, act in house.acts() if act == "given"]
    assert len(given) == len(BOTH)
    assert state(house) == State.CONFIRMED
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(303) == 1
    assert set(statuses) <= {200, 303, 422}


@pytest.mark.parametrize(
    "shown", [None, "", "x", "forged", "too early", "too late", "another link"]
)
def test_what_no_person_has_pressed_is_asked_once_more(client, house, signed_up, shown):
    """DO-02: a POST needs the page, seen for a second and not half an hour ago."""
    signer, now = house.app.extensions["signer"], house.clock.now()
    link_id = house.rows(Link)[-1].id
    moment = int(now.timestamp() * 1000)
    made = {
        "forged": Signer(("k" * 32,)).sign(
            Salt.RENDER, [link_id, moment - 5000], now=now
        ),
        "too early": signer.sign(Salt.RENDER, [link_id, moment - 500], now=now),
        "too late": signer.sign(
            Salt.RENDER, [link_id, moment], now=now - rules.RENDER_LIFE - DAY
        ),
        "another link": signer.sign(Salt.RENDER, [link_id + 1, moment - 5000], now=now),
    }
    before = house.dump()

    answer = client.post(
        signed_up, data=None if shown is None else {"shown": made.get(shown, shown)}
    )

    assert answer.status_code == 422
    assert "press the button once more" in answer.text
    assert house.dump() == before


def test_a_crawler_that_tries_every_form_too_fast_confirms_nothing(
    client, house, signed_up
):
    """DO-02, G12: 45 scanners, each getting the page and posting it at once."""
    for _ in range(45):
        page = client.get(signed_up).text
        shown = re.search(r'name="shown" value="([^"]+)"', page)
        client.post(signed_up, data={"shown": shown[1]})

    assert state(house) == State.REQUESTED


def test_not_me_is_answered_alike_where_no_addresses_are_kept(publish, client, house):
    """PR-10: there is no network to count, and the press is the same."""
    publish(
        campaign_file("welcome-scratch"), shop=shop_file(keeps_network_addresses=False)
    )
    take_card(client).enter(client, consents=["newsletter"])

    answer = client.post(house.link("confirm") + "/not-me")

    assert (answer.status_code, answer.location) == (303, "/done/declined/demo/en")


# --- refused links -----------------------------------------------------------------


def bad_links(house, link: str) -> dict[str, str]:
    """Return spellings of a link that must lead nowhere."""
    place, token = link.split("/")[1:]
    other = "unsubscribe" if place == "confirm" else "confirm"
    signer, now = house.app.extensions["signer"], house.clock.now()
    row = house.rows(Link)[-1]
    foreign = Signer(("another key of at least 32 letters",))
    salt = {"confirm": Salt.CONFIRM, "unsubscribe": Salt.UNSUBSCRIBE}[place]
    secret = "00" * 16
    return {
        "another salt": f"/{other}/{token}",
        "another key": f"/{place}/" + foreign.sign(salt, [row.id, secret], now=now),
        "another secret": f"/{place}/" + signer.sign(salt, [row.id, secret], now=now),
        "no row": f"/{place}/" + signer.sign(salt, [row.id + 999, secret], now=now),
        "another payload": f"/{place}/" + signer.sign(salt, {"id": row.id}, now=now),
        "cut": f"/{place}/{token[:-1]}",
        "longer": f"/{place}/{token}A",
        "turned": f"/{place}/{token[::-1]}",
        "other case": f"/{place}/{token.swapcase()}",
        "nonsense": f"/{place}/x",
        "zero": f"/{place}/%00",
        "very long": f"/{place}/" + "x" * 5_000,
        "not ascii": f"/{place}/é",
    }


ENGLISH = {"Accept-Language": "en"}
PLACES = ("confirm", "unsubscribe", "preferences", "receipt", "prize")


def test_the_links_of_who_was_erased_say_what_any_bad_link_says(
    client, house, signed_up
):
    """GDPR 17: honest to who was erased, and news to nobody else."""
    house.press(client, house.link("confirm"))
    links = {place: house.link(place) for place in PLACES}
    house.press(client, f"{links['preferences']}/erase")

    for place, link in links.items():
        said = client.get(link, headers=ENGLISH)
        assert said.status_code == 404
        assert said.text == client.get(f"/{place}/nonsense", headers=ENGLISH).text
        assert "the data was erased" in said.text
        assert "the mail is old" in said.text


@pytest.mark.parametrize("place", ["confirm", "unsubscribe"])
def test_a_link_that_is_not_ours_leads_nowhere(client, house, signed_up, place):
    """DO-04, DO-05: each refused, with a page that tells nothing of anybody."""
    links = bad_links(house, house.link(place))
    before = house.dump()

    for why, path in links.items():
        looked, pressed = client.get(path), client.post(path)
        assert looked.status_code == 404, why
        assert pressed.status_code in {200, 404}, why
        for answer in (looked, pressed):
            assert "example.com" not in answer.text, why
            assert "Noord" not in answer.text, why

    assert house.dump() == before


def test_a_mail_program_gets_200_for_a_link_that_is_not_ours(client, house, signed_up):
    """WD-02."""
    for path in bad_links(house, house.link("unsubscribe")).values():
        if path.startswith("/unsubscribe/") and "%00" not in path:
            assert client.post(path, data=ONE_CLICK).status_code == 200


def test_the_unknown_page_speaks_the_visitors_language(pages):
    for lang, words in (("nl", "Deze link werkt niet"), ("en", "link does not work")):
        page = pages.get("/confirm/x", status=404, headers={"Accept-Language": lang})
        assert words in page.h1 or words in page.text


def test_a_link_outlives_a_rotation_of_keys_but_not_the_removal(
    house, environ, signed_up
):
    """DO-04, T26: an old key still opens it; a removed one does not."""
    old = house.app.config["SETTINGS"].secret_keys[0]
    new = "a new key that has at least 32 letters"

    for keys, status in ((f"{old},{new}", 200), (new, 404)):
        rotated = create_app(load_settings(environ | {"JAWOORD_SECRET_KEYS": keys}))
        rotated.extensions["database"].dispose()
        rotated.extensions["database"] = house.database
        assert rotated.test_client().get(signed_up).status_code == status


def test_one_shops_link_touches_no_other_shop(publish, client, house, signed_up):
    """T1: the same person at two shops is two people."""
    publish(
        sure_win(
            shop="other", code="others", placements=[{"code": "o", "shape": "inline"}]
        ),
        shop=shop_file(code="other"),
    )
    house.press(client, signed_up)
    mine = house.rows(ConsentEvent)
    house.clock.advance(DAY)
    take_card(client, "o").enter(client, consents=["newsletter"])
    theirs = house.link("confirm")
    house.press(client, theirs)

    client.post(house.link("unsubscribe"), data=ONE_CLICK)

    acts = [(e.shop_id, e.act) for e in house.rows(ConsentEvent)]
    first, second = sorted({shop for shop, _ in acts})
    assert (first, "withdrawn") not in acts and (second, "withdrawn") in acts
    assert len(mine) == 4


# --- time --------------------------------------------------------------------------


def test_an_expired_link_offers_a_new_one_without_the_address(
    client, pages, house, signed_up
):
    """DO-05: seven days; then one press mails a new link to the same mailbox."""
    house.clock.advance(7 * DAY - timedelta(seconds=1))
    assert client.get(signed_up).status_code == 200
    house.clock.advance(timedelta(seconds=1))
    letters = len(house.letters("confirm"))

    over = pages.get(signed_up, status=410)
    renewed = pages.submit(over.form("/renew"), status=303)
    new = house.link("confirm")

    assert "no longer valid" in over.text
    assert "email" not in over.form("/renew").values
    assert "Look in your mailbox" in pages.follow(renewed).text
    assert len(house.letters("confirm")) == letters + 1
    assert house.letters("confirm")[-1].to == EMAIL
    assert house.press(client, new).status_code == 303
    assert house.standing() == dict.fromkeys(BOTH, "given")


def test_a_late_press_confirms_nothing(client, house, signed_up):
    """DO-05: the page was opened in time and the button pressed too late."""
    house.clock.advance(7 * DAY - timedelta(seconds=1))
    form = {"shown": house.shown(client, signed_up)}

    answer = client.post(signed_up, data=form)

    assert answer.status_code == 410
    assert house.standing() == {}


def test_renewing_again_and_again_mails_once(client, house, signed_up):
    """DO-05, DO-09: the limits of a mailbox hold, and the answer is the same."""
    house.clock.advance(7 * DAY)
    before = len(house.letters("confirm"))

    answers = [client.post(f"{signed_up}/renew") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert len(house.letters("confirm")) == before + 1


def test_a_mailbox_that_had_its_mails_is_not_renewed(client, house, signed_up):
    """DO-09, AB-01: three mails a day, whatever asks for the fourth."""
    house.clock.advance(7 * DAY)
    for _ in range(3):
        take_card(client).enter(client)
        house.clock.advance(timedelta(minutes=11))
    before = house.letters()

    answer = client.post(f"{signed_up}/renew")

    assert (answer.status_code, answer.location) == (303, "/done/renewed/demo/en")
    assert len(house.letters()) == len(before) == 5


def test_after_a_day_an_expired_request_is_over(pages, client, house, signed_up):
    house.clock.advance(7 * DAY + rules.RENEW_FOR)
    before = house.dump()

    page = pages.get(signed_up, status=410)
    client.post(f"{signed_up}/renew")

    assert not page.root.all("form")
    assert house.dump() == before


@pytest.mark.parametrize(
    ("stands", "status", "words"),
    [
        ("confirmed", 200, "already confirmed"),
        ("declined", 200, "This request was closed"),
        ("superseded", 410, "There is a newer mail"),
        ("expired", 410, "no longer valid"),
        ("undeliverable", 410, "no longer valid"),
    ],
)
def test_every_state_has_a_page_that_helps(
    pages, house, signed_up, stands, status, words
):
    """DO-05: and no press changes it any more."""
    with house.database.transaction() as session:
        session.execute(
            update(OptIn).values(state=stands, settled_at=house.clock.now())
        )
    before = house.dump()

    looked = pages.get(signed_up, status=status)
    pressed = pages.post(signed_up, status=status)
    pages.post(f"{signed_up}/not-me", status=status)

    assert words in looked.text and words in pressed.text
    assert house.dump() == before


# --- not me ------------------------------------------------------------------------


def test_who_says_it_was_not_them_is_left_alone(client, pages, house, signed_up):
    """DO-03: half a year without another question; the prize is nobody's business."""
    page = pages.get(signed_up)
    done = pages.submit(page.form("/not-me"), status=303)
    house.clock.advance(DAY)
    again = take_card(client).enter(client, consents=BOTH)

    assert "Good that you told us" in pages.follow(done).text
    assert state(house) == State.DECLINED
    assert house.standing() == {}
    assert house.rows(Suppression)[0].reason == "not_me"
    assert again.status_code == 200 and "press the button in it" in again.text
    assert len(house.letters("confirm")) == 1
    assert house.press(client, signed_up).status_code == 200
    assert house.standing() == {}

    house.clock.advance(rules.BLOCK_AFTER_NOT_ME)
    take_card(client).enter(client, consents=BOTH)
    assert len(house.letters("confirm")) == 2, "half a year later they may be asked"


# --- addresses ---------------------------------------------------------------------


def test_a_page_behind_a_link_leaks_it_nowhere(client, house, signed_up):
    """T22: not to a cache, not by Referer, not to a search engine."""
    paths = [signed_up, house.link("unsubscribe"), "/confirm/x"]
    answers = [client.get(path) for path in paths]
    answers.append(house.press(client, signed_up))
    answers.append(client.post(house.link("unsubscribe")))

    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in answer.headers


def test_the_page_after_a_press_is_nobodys(client, signed_up):
    """T22: it can be opened by anybody, and lists no more than we have."""
    assert client.get("/done/confirmed/demo/en").status_code == 200
    for path in ("/done/x/demo/en", "/done/confirmed/x/en", "/done/confirmed/demo/de"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_a_link_speaks_the_language_of_the_form(publish, client, house, lang):
    """CR-14: whatever the browser asks for, form, mail and page are in one language."""
    publish(campaign_file("welcome-scratch"))
    take_card(client, lang=lang).enter(client, consents=["newsletter"])
    other = {"nl": "en", "en": "nl"}[lang]

    page = client.get(house.link("confirm"), headers={"Accept-Language": other}).text

    assert f'<html lang="{lang}">' in page
    assert {"nl": "Nieuwsbrief", "en": "Newsletter"}[lang] in page
