"""What people asked of their data, and its clock (DS-01, DS-02, DS-03; GDPR 12(3))."""

from datetime import timedelta

import pytest

from server.domain.months import months_after
from server.models import (
    Audit,
    ConsentEvent,
    Contact,
    Evidence,
    Outbox,
    RightsRequest,
    Standing,
    Suppression,
)
from server.services import privacy
from tests.faults import fail_everywhere
from tests.office import EMAIL, play, token
from tests.pages import Pages
from tests.people import email_of
from tests.visits import House as Inside

PAGE = "/office/demo/rights"
DAY = timedelta(days=1)


@pytest.fixture
def pages(house, clock):
    """The owner's browser in English, signed in at the moment of the clock."""

    def pages() -> Pages:
        client = house.client(house.owner, now=clock.now())
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return Pages(client)

    return pages


@pytest.fixture
def look(pages):
    return lambda path=PAGE: pages().get(path)


@pytest.fixture
def ask(pages):
    """Write a request down, as the owner."""

    def ask(kind, email=EMAIL, *, status=303, **more):
        browser = pages()
        form = browser.get(PAGE).form("write-down")
        return browser.submit(form, status=status, kind=kind, email=email, **more)

    return ask


@pytest.fixture
def press(pages):
    """Press the button of a form whose address ends like this."""

    def press(action, path=PAGE, *, status=303, times=1, **more):
        browser = pages()
        form = browser.get(path).form(action)
        return [browser.submit(form, status=status, **more) for _ in range(times)][-1]

    return press


@pytest.fixture
def carry_out(press, house):
    """Carry out what was asked last."""

    def carry_out(**more):
        return press(f"{newest(house).public_id}/carry-out", **more)

    return carry_out


def rows(house, model):
    with house.database.reading() as session:
        return session.query(model).order_by(*model.__table__.primary_key).all()


def newest(house):
    return rows(house, RightsRequest)[-1]


def acts(house):
    return [event.act for event in rows(house, ConsentEvent)]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "31 days left"),
        (25, "6 days left"),
        (30, "1 day left"),
        (31, "1 day too late"),
        (40, "9 days too late"),
    ],
)
def test_the_clock_runs_in_words(look, clock, days, words):
    """From 2 March it is due on 2 April; not told by colour alone (WCAG 1.4.1)."""
    clock.advance(days * DAY)

    heading = look().root.one("article").one("h3").text

    assert heading == f"Access {words}"


def test_what_is_due_first_is_on_top_and_what_was_closed_below(
    press, look, ask, house, clock
):
    clock.advance(DAY)
    ask("restrict")
    press(f"{house.right}/settle", note="Sent by post on 3 March")
    ask("object")
    ask("erase", came=(clock.now() - 20 * DAY).date().isoformat())

    page = look()

    headings = [one.one("h3").text for one in page.root.all("article")]
    assert [words.split()[0] for words in headings] == [
        "Erasure",
        "Restriction",
        "Objection",
    ]
    closed = page.root.one("section", aria_labelledby="closed")
    assert "Sent by post on 3 March" in closed.text
    assert EMAIL in closed.text


def test_a_month_begins_when_the_letter_came(ask, house, clock):
    ask("access", came=(clock.now() - 10 * DAY).date().isoformat())

    request = newest(house)

    assert request.opened_at.date() == (clock.now() - 10 * DAY).date()
    assert request.due_at == months_after(request.opened_at, 1)
    assert request.member_id == house.owner


@pytest.mark.parametrize("came", ["soon", "2025-11-30", "2026-03-09"])
def test_a_day_that_it_cannot_have_come(ask, house, came):
    page = ask("access", came=came, status=422)

    assert page.root.by_id("problem").text
    assert len(rows(house, RightsRequest)) == 1


@pytest.mark.parametrize(
    ("kind", "email"), [("marry", EMAIL), ("erase", "iris"), ("erase", "")]
)
def test_what_cannot_be_written_down_says_why(ask, house, kind, email):
    page = ask(kind, email, status=422)

    assert page.root.by_id("problem").text
    assert page.root.by_id("email").attrs["value"] == email, "nothing typed is lost"
    assert len(rows(house, RightsRequest)) == 1
    assert house.audits() == []


def test_an_address_nobody_has_is_told_so(ask, house):
    page = ask("erase", "nobody@home.example", status=200)

    assert "You know nobody with this address" in page.text
    assert len(rows(house, RightsRequest)) == 1


def test_an_erased_address_is_told_so_with_the_facts_that_are_left(
    ask, carry_out, house
):
    """DS-03: the shop can still prove what happened, to whoever names the address."""
    ask("erase")
    carry_out(sure="yes")

    page = ask("access", status=200)

    answer = page.root.one("section", aria_labelledby="answer")
    assert "This person was erased on 2 Mar 2026" in answer.text
    facts = [row.text for row in answer.one("tbody").all("tr")]
    assert len(facts) == len(rows(house, ConsentEvent))
    assert "Was erased everything by a member of the shop, at" in facts[-1]


def test_erasing_needs_to_be_sure_and_is_done_once(ask, carry_out, house):
    ask("erase")
    before = acts(house)
    carry_out(status=422)
    (kept,) = rows(house, Contact)

    carry_out(sure="yes", times=2)

    assert email_of(kept, house.vault) == EMAIL
    assert rows(house, Contact)[0].sealed_email == b""
    assert acts(house)[len(before) :] == ["withdrawn", "erased"]
    assert rows(house, Evidence) == []
    request = newest(house)
    assert (request.outcome, request.settled_at) == ("erased", house.now)
    assert house.audits() == ["rights.erase.open", "rights.erase"]
    assert EMAIL not in repr([audit.subject for audit in rows(house, Audit)])


def test_restricting_and_ending_it(ask, carry_out, house, press, look):
    ask("restrict")
    carry_out()
    path = f"/office/demo/contacts/{house.contact}"
    told = look(path)
    press("restriction/end", path)
    page = look(path)

    assert "Restricted since 2 Mar 2026." in told.text
    assert "Restricted since" not in page.text
    assert rows(house, Contact)[0].restricted_at is None
    assert acts(house)[-2:] == ["restricted", "restriction_ended"]
    outcomes = [one.outcome for one in rows(house, RightsRequest)]
    assert outcomes == [None, "restricted", "restriction_ended"]
    assert house.audits()[-1] == "rights.restrict.end"


def test_objecting_and_ending_it(ask, carry_out, house, press, look):
    """DS-02: all that stands ends; who takes it back has said yes to nothing."""
    ask("object")
    carry_out()
    path = f"/office/demo/contacts/{house.contact}"
    told = look(path)
    stopped = [row.reason for row in rows(house, Suppression)]

    press("objection/end", path)

    assert "Objected on 2 Mar 2026." in told.text
    assert stopped == ["never"]
    assert rows(house, Suppression) == []
    assert [row.act for row in rows(house, Standing)] == ["withdrawn"]
    assert acts(house)[-3:] == ["withdrawn", "objected", "objection_ended"]


@pytest.mark.parametrize("what", ["restriction", "objection"])
def test_what_is_not_there_cannot_be_ended(house, what):
    client = house.client(house.owner)
    path = f"/office/demo/contacts/{house.contact}/{what}/end"

    answer = client.post(path, data={"csrf_token": token(client)})

    assert answer.status_code == 303
    assert len(rows(house, RightsRequest)) == 1
    assert house.audits() == []


def test_a_new_address_is_never_confirmed_in_the_office(ask, look, house):
    """DO-15: it is recorded, and closed with a note; nothing carries it out."""
    ask("rectify")

    article = look().root.by_id(f"right-{newest(house).public_id}")

    assert [form.attrs["action"].rsplit("/", 1)[1] for form in article.all("form")] == [
        "settle"
    ]


def test_it_cannot_be_carried_out_by_a_made_up_form_either(ask, house):
    ask("rectify")
    client = house.client(house.owner)
    path = f"{PAGE}/{newest(house).public_id}/carry-out"

    before = acts(house)
    answer = client.post(path, data={"csrf_token": token(client), "sure": "yes"})

    assert answer.status_code == 303
    assert newest(house).settled_at is None
    assert acts(house) == before


def test_closing_needs_a_note_and_happens_once(press, house):
    path = f"{house.right}/settle"

    press(path, note=" ", status=422)
    press(path, note="Sent", times=2)

    assert newest(house).outcome == "Sent"
    assert house.audits() == ["rights.access"]


def test_who_was_erased_has_no_address_on_any_page(ask, carry_out, house, look):
    ask("erase")
    carry_out(sure="yes")

    pages = [
        look(path)
        for path in (
            PAGE,
            "/office/demo/entries",
            "/office/demo/outbox",
            f"/office/demo/contacts/{house.contact}",
        )
    ]

    for page in pages:
        assert "rased on 2 Mar 2026" in page.text
        assert EMAIL not in page.html
    assert pages[-1].h1 == "Erased on 2 Mar 2026"
    assert "Show evidence" not in pages[-1].text


def test_facts_without_a_form_are_on_the_persons_page(ask, carry_out, house, look):
    ask("restrict")
    carry_out()

    loose = look(f"/office/demo/contacts/{house.contact}").root.one(
        "section", aria_labelledby="loose"
    )

    assert "Their data was restricted" in loose.text
    assert "everything" in loose.text


def test_the_persons_page_says_why_they_are_kept_and_what_grows_old(
    look, house, clock, app
):
    """DS-05: the warning in the office."""
    path = f"/office/demo/contacts/{house.contact}"
    with house.database.transaction() as session:
        session.query(RightsRequest).delete()
    fresh = look(path).text
    clock.moment = months_after(house.now, 30)
    stale = look(path).text

    assert "Kept without an end in sight: a yes stands." in fresh
    assert "No sign of life" not in fresh
    assert "This yes lapses on 2 Mar 2029" in stale


def test_only_owners_see_the_way_there(owner, viewer):
    assert PAGE in owner.get("/office/demo/entries").html
    assert PAGE not in viewer.get("/office/demo/entries").html


def test_a_mail_that_waits_for_who_is_erased_is_dropped(
    ask, carry_out, house, app, database
):
    """T30."""
    ask("erase")
    before = {row.id: row.state for row in rows(house, Outbox)}
    carry_out(sure="yes")

    after = rows(house, Outbox)
    assert all(row.sealed is None for row in after)
    assert {row.state for row in after} <= {"delivered", "dead", "dropped"}
    assert before.keys() == {row.id for row in after}


@pytest.mark.parametrize("kind", ["erase", "restrict", "object"])
def test_carrying_out_is_whole_or_has_not_happened(
    ask, house, app, database, vault, clock, kind
):
    """G5: fact, row, request and audit together, whichever statement fails."""
    ask(kind)
    inside = Inside(app, database, vault, clock)
    client = house.client(house.owner)
    form = {"csrf_token": token(client), "sure": "yes"}
    path = f"{PAGE}/{newest(house).public_id}/carry-out"

    failed, answer = fail_everywhere(inside, lambda: client.post(path, data=form))

    assert answer.status_code == 303
    assert {"consent_event", "rights_request", "audit", "COMMIT"} <= failed
    assert newest(house).settled_at is not None


def test_who_plays_again_after_an_erasure_is_somebody_new(
    ask, carry_out, house, app, database, now
):
    ask("erase")
    carry_out(sure="yes")
    play(app, database, now)

    ask("access")

    assert len(rows(house, Contact)) == 2
    with database.reading() as session:
        tools = app.extensions["tools"]
        shop_id = rows(house, Contact)[0].shop_id
        assert privacy.erased_subject(session, shop_id, EMAIL, tools=tools)
