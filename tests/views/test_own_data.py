"""What people do about their own data: DS-01, DS-02, T17, T22."""

import json
import re
from datetime import timedelta
from functools import partial

import pytest

from server.domain.rights import due
from server.models import (
    AddressChange,
    ConsentEvent,
    Contact,
    RightsRequest,
    Suppression,
)
from server.services import consents
from server.worker import Worker
from tests.pages import Pages
from tests.visits import EMAIL, READING, at_once, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)
NEW = "iris@new.example"


@pytest.fixture
def reader(publish, client, house):
    """Somebody who won and confirmed both consents; returns the link to their page."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH, more={"first_name": "Iris"})
    house.press(client, house.link("confirm"))
    return house.link("preferences")


def asked(house):
    return [(row.kind, row.outcome) for row in house.rows(RightsRequest)]


# --- refuse, hold, take along ------------------------------------------------------


def test_refusing_ends_all_for_good_and_can_be_ended(pages, house, reader):
    """DS-02, GDPR 21(3): a fact, a suppression, a settled request."""
    done = pages.submit(pages.get(reader).form("/never"), status=303)

    assert set(house.standing().values()) == {"withdrawn"}
    assert ("*", "objected") in house.acts()
    assert [row.reason for row in house.rows(Suppression)] == ["never"]
    assert asked(house) == [("object", "objected")]
    page = pages.follow(done)
    # Said where it stands for good, once.
    assert page.text.count("You asked never to be mailed") == 1
    assert page.root.one("div", role="status").text.startswith("You asked never")
    assert "What you won" in page.text

    house.clock.advance(READING)
    ended = pages.submit(page.form("/ask-again"), status=303)
    assert house.rows(Suppression) == []
    assert ("*", "objection_ended") in house.acts()
    assert "You can be asked again" in pages.follow(ended).text
    house.verify_ledger()


def test_data_on_hold_is_kept_and_can_be_used_again(pages, house, reader):
    """GDPR 18: what was said yes to stands all the while."""
    done = pages.submit(pages.get(reader).form("/hold"), status=303)

    (contact,) = house.rows(Contact)
    assert contact.restricted_at == house.clock.now()
    assert set(house.standing().values()) == {"given"}
    assert asked(house) == [("restrict", "restricted")]

    page = pages.follow(done)
    assert page.text.count("on hold") == 1
    assert "on hold" in page.root.one("div", role="status").text
    again = pages.get(reader)
    assert again.text.count("on hold") == 1 and not again.root.all("div", role="status")

    house.clock.advance(READING)
    pages.submit(page.form("/use"), status=303)
    assert house.rows(Contact)[0].restricted_at is None
    assert [act for key, act in house.acts() if key == "*"] == [
        *("restricted", "restriction_ended")
    ]
    assert len(asked(house)) == 1
    house.verify_ledger()


@pytest.mark.parametrize("lang", ["en", "nl"])
@pytest.mark.parametrize(
    ("begin", "end", "button"),
    [
        ("/hold", "/use", {"en": "Use my data again", "nl": "Gebruik mijn gegevens"}),
        ("/never", "/ask-again", {"en": "End this", "nl": "Maak dit ongedaan"}),
    ],
)
def test_a_machine_that_posts_every_form_ends_no_hold_and_no_refusal(
    pages, client, house, reader, begin, end, button, lang
):
    """G12, DS-02: it sends what it finds at once, or nothing that it was shown."""
    link = f"{reader}?lang={lang}"
    client.post(f"{reader}{begin}")
    page = pages.get(link)
    before = house.dump()

    hasty = pages.submit(page.form(end), status=303)
    unread = pages.submit(page.form(end), status=303, shown=None)

    assert house.dump() == before
    assert hasty.location == unread.location
    again = pages.follow(hasty)
    asks = {"en": "press the button once more", "nl": "nog één keer op de knop"}
    assert asks[lang] in again.root.one("p", role="alert").text
    assert button[lang] in again.text
    house.clock.advance(READING)
    pages.submit(again.form(end), status=303)
    assert house.dump() != before


def test_the_data_comes_as_a_file_and_its_use_is_noted(client, house, reader):
    """GDPR 15, 20: a press, since to have it is a fact."""
    assert client.get(f"{reader}/data").status_code == 405

    answer = client.post(f"{reader}/data")

    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="my-data.json"'
    )
    assert json.loads(answer.text)["person"]["email"] == EMAIL
    assert ("*", "accessed") in house.acts()
    (row,) = house.rows(RightsRequest)
    assert (row.kind, row.outcome, row.member_id) == ("access", "accessed", None)
    assert row.due_at == due(row.opened_at)
    house.verify_ledger()


def test_the_file_is_not_fetched_without_end(client, reader):
    answers = [client.post(f"{reader}/data") for _ in range(21)]

    statuses = [answer.status_code for answer in answers]
    assert statuses == 20 * [200] + [429]
    assert "Then your file is made anew" in answers[-1].text


def test_pressing_to_and_fro_writes_no_ledger_without_end(client, house, reader):
    """Each press is a fact for ever; the page says so, and nothing has changed."""
    before = len(house.rows(ConsentEvent))
    client.post(f"{reader}/hold")
    told = {"shown": house.shown(client, reader)}

    answers = [
        client.post(f"{reader}/{act}", data=told)
        for _ in range(15)
        for act in ("hold", "use", "ask-again")
    ]

    assert len(house.rows(ConsentEvent)) - before <= 10
    assert "Nothing was changed by this press" in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "60"
    assert {answer.status_code for answer in answers[:6]} == {303}
    assert {answer.status_code for answer in answers[10:]} == {429}


def test_saying_yes_and_no_in_turn_is_limited_as_well(client, pages, house, reader):
    form = pages.get(reader).form("/save").values
    switch = next(b for b in pages.get(reader).root.all("input", role="switch"))
    yes = form | {switch.attrs["name"]: "f" * 64}

    answers = [client.post(f"{reader}/save", data=yes) for _ in range(11)]

    statuses = [answer.status_code for answer in answers]
    assert (statuses[0], statuses[-1]) == (303, 429)


def test_no_limit_keeps_anybody_from_stopping_mails(client, house, reader):
    """WD-01: whatever was pressed before."""
    for _ in range(15):
        client.post(f"{reader}/hold")

    off = {"shown.newsletter": "1"}
    for act in ("save", "stop", "all-off", "never"):
        assert client.post(f"{reader}/{act}", data=off).status_code == 303
    assert client.post(house.link("unsubscribe")).status_code == 303
    assert set(house.standing().values()) == {"withdrawn"}


@pytest.mark.parametrize("act", ["never", "hold", "erase"])
def test_twenty_presses_at_once_are_one(app, client, house, reader, act):
    who = house.person()
    told = {"shown": house.shown(client, f"{reader}/erase")}

    at_once(
        [
            partial(app.test_client().post, f"{reader}/{act}", data=told)
            for _ in range(20)
        ],
        threads=20,
    )

    assert len(house.rows(RightsRequest)) == 1
    with house.database.reading() as session:
        acts = [event.act for event in consents.history(session, who.subject_ref)]
    wanted = {"never": "objected", "hold": "restricted", "erase": "erased"}[act]
    assert acts.count(wanted) == 1
    house.verify_ledger()


# --- a new address -----------------------------------------------------------------


def ask(pages, house, link, email=NEW):
    """Ask for a new address; return the link in the mail to it."""
    page = pages.get(pages.get(link).link("Correct my address"))
    done = pages.submit(page.form("/address"), status=303, email=email)
    assert done.location == "/done/address_asked/demo/en"
    return house.link("rectify", to=email)


def test_a_new_address_is_confirmed_from_there(pages, client, house, reader):
    """DS-01, GDPR 16: what was said yes to moves along, the old address is told."""
    link = ask(pages, house, reader)
    assert house.emails()[0] == EMAIL
    page = pages.get(link)
    assert "i***@new.example" in page.text
    assert len(page.root.all("button")) == 1

    pressed = house.press(client, link)

    assert pressed.location == "/done/address_changed/demo/en"
    (contact,) = house.rows(Contact)
    assert house.emails() == [NEW]
    assert set(house.standing(NEW).values()) == {"given"}
    assert asked(house) == [("rectify", "rectified")]
    (fact,) = [fact for fact in house.facts(NEW) if fact.act == "rectified"]
    assert house.evidence(fact, NEW)["email_before"] == EMAIL
    (notice,) = house.letters("moved")
    assert notice.to == EMAIL
    assert notice.params["mailbox"] == "i***@new.example"
    page = pages.get(house.link("preferences", to=NEW))
    assert "i***@new.example" in page.text
    house.verify_ledger()


def test_looking_moves_nothing(client, house, pages, reader):
    """DO-02: neither does a press within a second, which no person makes."""
    link = ask(pages, house, reader)
    before = house.dump()

    for _ in range(20):
        assert client.get(link).status_code == 200
    assert client.head(link).status_code == 200
    assert client.post(link).status_code == 422

    assert house.dump() == before


def test_a_link_to_a_new_address_works_once(client, house, pages, reader):
    link = ask(pages, house, reader)
    form = {"shown": house.shown(client, link)}
    client.post(link, data=form)
    before = house.dump()

    again = client.post(link, data=form)

    assert again.status_code == 410
    assert client.get(link).status_code == 410
    assert house.dump() == before


def test_twenty_moves_at_once_are_one(app, client, house, pages, reader):
    link = ask(pages, house, reader)
    form = {"shown": house.shown(client, link)}

    answers = at_once(
        [partial(app.test_client().post, link, data=form) for _ in range(20)],
        threads=20,
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 410, 422}
    assert len(house.letters("moved")) == 1
    assert asked(house) == [("rectify", "rectified")]


def test_after_seven_days_it_is_over(client, house, pages, reader):
    link = ask(pages, house, reader)
    house.clock.advance(7 * DAY - timedelta(seconds=1))
    assert client.get(link).status_code == 200

    house.clock.advance(timedelta(seconds=1))

    assert client.get(link).status_code == 410
    form = {"shown": house.shown(client, link)}
    assert client.post(link, data=form).status_code in {410, 422}
    assert house.emails()[0] == EMAIL


def test_a_second_wish_takes_the_first_back(client, house, pages, reader):
    first = ask(pages, house, reader)
    house.clock.advance(timedelta(minutes=11))
    second = ask(pages, house, reader, "iris@other.example")

    assert client.get(first).status_code == 410
    house.press(client, second)
    assert house.emails()[0] == "iris@other.example"


def test_an_address_of_somebody_else_is_asked_alike_and_never_taken(
    client, house, pages, reader
):
    """T17: asking tells nothing, and the press no more than that it is too old."""
    take_card(client).enter(client, NEW)
    link = ask(pages, house, reader)
    free = pages.get(link).text

    taken = client.post(link, data={"shown": house.shown(client, link)})

    assert taken.status_code == 410
    assert sorted(house.emails()) == sorted([EMAIL, NEW])
    house.clock.advance(8 * DAY)
    assert client.get(link).text == taken.text
    assert "i***@new.example" in free
    assert house.letters("moved") == []


@pytest.mark.parametrize("typed", ["", "iris", "a@b@c.nl", "x@nowhere", EMAIL])
def test_what_is_no_new_address_is_kept_and_explained(pages, house, reader, typed):
    page = pages.get(f"{reader}/address")

    again = pages.submit(page.form("/address"), status=422, email=typed)

    assert again.form("/address").values["email"] == typed
    assert again.root.all("p", id="problem")
    assert house.rows(AddressChange) == []


def test_a_stranger_is_mailed_once_however_often_it_is_asked(pages, house, reader):
    """T16: the limits of a mailbox hold, and the answer is the same."""
    ask(pages, house, reader)
    for _ in range(3):
        ask(pages, house, reader)

    assert len(house.letters("rectify")) == 1


def test_a_refusal_moves_along(client, house, pages, reader):
    """GDPR 21(3): it is the person's, whatever their address."""
    client.post(f"{reader}/never")
    house.press(client, ask(pages, house, reader))

    assert not house.person(NEW).may_be_asked(house.clock.now())
    link = house.link("preferences", to=NEW)
    told = {"shown": house.shown(client, link)}
    client.post(f"{link}/ask-again", data=told)
    assert house.person(NEW).may_be_asked(house.clock.now())


def test_the_mail_to_a_new_address_stops_and_opens_nothing(
    app, smtp, house, pages, reader, client
):
    """A stranger to whom it went by mistake may read nothing and stop nobody's mail."""
    ask(pages, house, reader)
    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()

    (delivery,) = smtp.to(NEW)
    mail, said = delivery.message, delivery.text() + delivery.text("html")
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None
    assert "/rectify/" in said
    assert "/preferences/" not in said
    assert "/unsubscribe/" not in said
    for other in smtp.to(EMAIL):
        assert "/unsubscribe/" in other.message["List-Unsubscribe"]


def test_the_links_in_a_real_mail_open_its_page_and_stop_the_mails(
    app, smtp, house, pages, reader
):
    """SO-04, WD-01: from the mail as it arrived, in two presses."""
    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()
    mail = smtp.to(EMAIL)[-1]
    paths = dict(re.findall(r"http://[^/\s]+(/(\w+)/\S+)", mail.text()))
    places = {place: path for path, place in paths.items()}

    page = pages.get(places["preferences"])
    pages.submit(page.form("/all-off"), status=303)

    assert set(house.standing().values()) == {"withdrawn"}
    assert pages.get(places["unsubscribe"]).form("/unsubscribe")


# --- erasing -----------------------------------------------------------------------


def test_erasing_takes_two_presses_and_says_what_stays(pages, reader, clock):
    """DS-01, T22: the second press ends at an address without the link."""
    page = pages.get(pages.get(reader).link("Erase me"))
    assert "What goes" in page.text
    assert "What stays" in page.text

    clock.advance(READING)
    done = pages.submit(page.form("/erase"), status=303)

    assert done.location == "/done/erased/demo/en"
    assert reader.rpartition("/")[2] not in done.location
    assert "Your data is erased" in pages.follow(done).h1


def test_a_machine_that_posts_every_form_erases_nobody(pages, reader, house):
    """G12: it sends what it finds at once, and nobody could undo it."""
    page = pages.get(f"{reader}/erase")
    before = house.dump()

    again = pages.submit(page.form("/erase"), status=422)

    assert "press the button once more" in again.text
    assert house.dump() == before
    house.clock.advance(READING)
    assert pages.submit(again.form("/erase"), status=303)


def test_erasing_leaves_the_address_nowhere(client, house, reader):
    """GDPR 17: in no table, no key that opens evidence; the ledger still holds."""
    client.post(f"{reader}/data")
    client.post(f"{reader}/address", data={"email": NEW})
    house.verify_ledger()

    assert house.press(client, f"{reader}/erase").status_code == 303

    everything = repr(house.dump())
    for gone in (EMAIL, NEW, "iris@", "Iris"):
        assert gone not in everything
    (contact,) = house.rows(Contact)
    assert (contact.sealed_email, contact.sealed_key) == (b"", b"")
    assert asked(house)[-1] == ("erase", "erased")
    house.verify_ledger()
    assert client.get(reader).status_code == 404
    assert client.post(f"{reader}/save").status_code == 404


def test_erased_is_not_objected_and_starts_anew(client, house, reader):
    """DS-02: an import is blocked by the hash; who types the address begins anew."""
    house.press(client, f"{reader}/erase")
    assert {row.reason for row in house.rows(Suppression)} == {"erased"}
    house.clock.advance(DAY)

    take_card(client).enter(client, consents=["newsletter"])

    assert len(house.letters("confirm")) == 1
    assert house.standing() == {}


def test_the_pages_speak_the_language_of_the_form(client, house, publish):
    publish(sure_win(days=365))
    take_card(client, lang="nl").enter(client, consents=BOTH)
    link = house.link("preferences")
    english = {"Accept-Language": "en"}

    for path, said in (
        (link, "Wat je krijgt van Noord"),
        (f"{link}/erase", "Wat er verdwijnt"),
        (f"{link}/address", "Wat is je nieuwe adres?"),
    ):
        page = Pages(client).get(path, headers=english)
        assert said in page.text
        assert page.root.one("html").attrs["lang"] == "nl"
