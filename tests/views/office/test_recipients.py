"""Who else is told about people, in the office (DS-06, T1)."""

import pytest
from sqlalchemy import update

from server.models import Contact, Delivery, Webhook
from server.services import privacy
from server.services.contacts import person
from server.services.office import pager
from tests.office import EMAIL

LIST = "/office/demo/recipients"
ENGLISH = {"headers": {"Accept-Language": "en"}}


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def erased(house, tools, now):
    """The player was erased, and the recipient could not be told; return the event."""
    with house.database.transaction() as session:
        (contact,) = session.query(Contact).all()
        who = person(session, contact.id, vault=tools.vault)
        privacy.erase(
            session, who, use=privacy.Use("nl", "test", {}), tools=tools, now=now
        )
        session.execute(
            update(Delivery)
            .where(Delivery.event == "contact.erased")
            .values(state="dead", settled_at=now, answer="500")
        )
        (row,) = session.query(Delivery).filter_by(event="contact.erased")
        return row.message_id


def rows(house, model):
    with house.database.reading() as session:
        return session.query(model).order_by(model.id).all()


def test_it_says_who_is_told_and_how_that_stands(owner, house):
    page = owner.get(LIST, **ENGLISH)

    card = page.root.by_id(house.recipient).text
    assert "Mailing program" in card and "mail.example" in card
    assert "/hook" not in card, "the rest of an address may be a secret"
    assert "A try of the line" in page.root.by_id(house.message).text
    assert "webhook add demo NAME URL" in page.text


def test_who_may_only_look_sees_nothing_of_it(viewer, staff):
    for pages in (viewer, staff):
        pages.get(LIST, status=403)
        assert LIST not in pages.get("/office/demo/outbox").html


def test_a_state_narrows_the_list(owner, house):
    assert owner.get(f"{LIST}?state=dead").root.by_id(house.message)
    assert not owner.get(f"{LIST}?state=waiting").root.all("table")
    owner.get(f"{LIST}?state=opened", status=404)
    owner.get(f"{LIST}?after=made-up", status=404)


def test_every_event_is_on_one_page_and_only_one(owner, house, monkeypatch):
    monkeypatch.setattr(pager, "LINES", 2)
    for _ in range(4):
        owner.submit(owner.get(LIST).form("/test"), status=303)

    shown = [row.attrs["id"] for row in owner.every_row(LIST)]
    waiting = [row.attrs["id"] for row in owner.every_row(f"{LIST}?state=waiting")]

    names = [row.message_id for row in reversed(rows(house, Delivery))]
    assert shown == names
    assert waiting == names[:4]


def test_off_and_on(owner, house):
    owner.submit(owner.get(LIST).form(f"{house.recipient}/off"), status=303)
    assert rows(house, Webhook)[0].state == "off"
    owner.submit(owner.get(LIST).form(f"{house.recipient}/on"), status=303)

    assert rows(house, Webhook)[0].state == "active"
    assert house.audits() == ["recipient.off", "recipient.on"]


def test_the_line_is_tried(owner, house):
    owner.submit(owner.get(LIST).form("/test"), status=303)

    assert [(row.event, row.state) for row in rows(house, Delivery)] == [
        ("webhook.test", "dead"),
        ("webhook.test", "waiting"),
    ]
    assert house.audits() == ["recipient.test"]


def test_what_was_given_up_is_tried_again_once(owner, house):
    form = owner.get(LIST).form("/retry")
    for _ in range(2):
        response = owner.client.post(
            form.action, data=form.values, headers={"HX-Request": "true"}
        )
        html = response.get_data(as_text=True)
        assert f'<tr id="{house.message}">' in html and "/retry" not in html

    assert rows(house, Delivery)[0].state == "waiting"
    assert house.audits() == ["delivery.retry"]


def test_whom_an_erasure_was_about_is_shown_to_who_has_to_tell(owner, house, erased):
    """GDPR 19, PR-10: the address is nowhere else any more, and looking is noted."""
    page = owner.get(LIST, **ENGLISH)
    assert EMAIL not in page.html

    shown = owner.submit(page.form("/address"), status=200)

    assert EMAIL in shown.root.by_id(erased).text
    assert house.audits() == ["delivery.address"]


def test_told_by_hand_forgets_the_address(owner, house, erased):
    row = owner.get(LIST, **ENGLISH).root.by_id(erased)
    assert "Told by hand" in row.text
    form = owner.get(LIST).form(f"{erased}/told")

    owner.submit(form, status=303)

    (done,) = [row for row in rows(house, Delivery) if row.message_id == erased]
    assert (done.state, done.sealed) == ("acknowledged", None)
    assert "told by hand" in owner.get(LIST, **ENGLISH).root.by_id(erased).text
    assert house.audits() == ["delivery.told"]


def test_a_person_s_page_says_whom_it_was_told_to(owner, house, erased):
    page = owner.get(f"/office/demo/contacts/{house.contact}", **ENGLISH)

    assert "Whom this was told to" in page.text
    table = next(t for t in page.root.all("table") if "Recipient" in t.text)
    assert "Mailing program" in table.text and "Was erased" in table.text
