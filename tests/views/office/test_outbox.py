"""A shop's mails: where each stands, and trying a dead one again."""

from datetime import timedelta
from pathlib import Path

from server.models import Outbox
from server.services.office import pager
from server.views.office.words import WORDS
from tests.office import EMAIL, play

LIST = "/office/demo/outbox"
LETTERS = Path(__file__).parents[3] / "templates" / "mail"


def test_every_letter_has_a_name():
    written = {folder.name for folder in LETTERS.iterdir() if folder.is_dir()}

    assert written == set(WORDS["letter"])


def test_a_mail_shows_its_state_its_answer_and_a_masked_address(viewer, house):
    page = viewer.get(LIST, headers={"Accept-Language": "en"})

    row = page.root.by_id("mail-" + house.mail.partition("@")[0]).text
    assert "i***@home.example" in row
    assert "Given up" in row
    assert "550 5.1.1 Gone" in row
    assert EMAIL not in page.html


def test_a_mail_that_is_held_back_says_when_it_goes(viewer, house, now):
    with house.database.transaction() as session:
        mail = session.query(Outbox).filter_by(state="dead").one()
        mail.state = "waiting"
        mail.created_at = mail.due_at = now + timedelta(days=3)

    page = viewer.get(LIST, headers={"Accept-Language": "en"})

    row = page.root.by_id("mail-" + house.mail.partition("@")[0]).text
    assert "planned for 5 Mar 2026" in row
    assert "next try" not in row


def test_a_state_narrows_the_list(viewer):
    dead = viewer.get(f"{LIST}?state=dead").root.one("tbody").all("tr")
    waiting = viewer.get(f"{LIST}?state=waiting")

    assert len(dead) == 1
    assert not waiting.root.all("table")
    viewer.get(f"{LIST}?state=opened", status=404)


def test_every_mail_is_on_one_page_and_only_one(viewer, app, house, now, monkeypatch):
    monkeypatch.setattr(pager, "LINES", 1)
    for number in range(3):
        play(app, house.database, now, email=f"p{number}@home.example")
    with house.database.transaction() as session:
        mails = session.query(Outbox).order_by(Outbox.id.desc()).all()
        for number, mail in enumerate(mails):
            mail.state = "waiting" if number % 2 else "dead"
        names = [f"mail-{mail.message_id[1:].partition('@')[0]}" for mail in mails]
    assert len(names) > 4

    shown = [row.attrs["id"] for row in viewer.every_row(LIST)]
    dead = [row.attrs["id"] for row in viewer.every_row(f"{LIST}?state=dead")]

    assert shown == names
    assert dead == names[::2]


def test_an_owner_tries_a_dead_letter_again(owner, house, now):
    form = owner.get(LIST).form("retry")

    sent = owner.submit(form, status=303)

    assert sent.location == LIST
    with house.database.reading() as session:
        mail = session.query(Outbox).filter_by(message_id=f"<{house.mail}>").one()
        assert (mail.state, mail.attempts, mail.due_at) == ("waiting", 0, now)
    assert house.audits() == ["outbox.retry"]


def test_a_script_gets_the_row_and_a_second_press_does_nothing(owner, house):
    form = owner.get(LIST).form("retry")

    for _ in range(2):
        response = owner.client.post(
            form.action, data=form.values, headers={"HX-Request": "true"}
        )
        html = response.get_data(as_text=True)
        assert response.status_code == 200
        assert f'<tr id="mail-{house.mail.partition("@")[0]}">' in html
        assert "/retry" not in html
    assert house.audits() == ["outbox.retry"]


def test_a_press_on_a_mail_that_was_delivered_meanwhile_shows_it(owner, house):
    """No index knows the names of those, and it is there all the same."""
    form = owner.get(LIST).form("retry")
    with house.database.transaction() as session:
        session.query(Outbox).filter_by(state="dead").one().state = "delivered"

    response = owner.client.post(
        form.action, data=form.values, headers={"HX-Request": "true"}
    )

    assert response.status_code == 200
    assert house.mail.partition("@")[0] in response.get_data(as_text=True)
    assert house.audits() == []


def test_a_mail_that_is_none_is_not_there(owner):
    form = owner.get(LIST).form("retry")

    owner.post("/office/demo/outbox/made@up/retry", data=form.values, status=404)


def test_a_viewer_sees_no_button(viewer):
    assert not [
        form
        for form in viewer.get(LIST).root.all("form")
        if "retry" in form.attrs["action"]
    ]
