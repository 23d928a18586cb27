"""One person, and the proof of each of their choices (PR-01, PR-02, PR-10)."""

import pytest

from server.models import Campaign, ConsentEvent, Contact, Entry
from tests.factories import campaign_file, publish
from tests.office import AGENT, EMAIL, IP
from tests.people import add_attribute, contact_of


@pytest.fixture
def path(house) -> str:
    return f"/office/demo/contacts/{house.contact}"


def test_the_page_says_what_the_person_wants_and_since_when(viewer, path):
    page = viewer.get(path, headers={"Accept-Language": "en"})

    today = page.root.one("section", aria_labelledby="today").text
    assert page.h1 == EMAIL
    assert "Yes Newsletter newsletter since 2 Mar 2026, 11:30" in today


def test_each_act_has_its_proof(viewer, house, path):
    """The field-presence test of PR-02; what is sealed is tested below."""
    page = viewer.get(path, headers={"Accept-Language": "en"})

    with house.database.reading() as session:
        events = session.query(ConsentEvent).all()
    acts = page.root.one("ol", class_="acts").all("li")
    assert [e.act for e in events] == ["requested", "doi_sent", "given"]
    assert len(acts) == 3
    hows = (
        "in the form, by ticking a box that was empty",
        "the mail server of the mailbox took it",
        "by pressing the button behind the link in the mail",
    )
    for act, event, how in zip(acts, events, hows, strict=True):
        for digest in (event.text_hash, event.notice_hash, event.form_hash):
            assert digest.hex() in act.text
        assert "2026-03-02 10:30:00.000 UTC" in act.text
        assert f"Method {how}" in act.text
        assert "welcome-inline" in act.text
        # Sealed like the rest of what is about the person.
        assert "http://localhost:8401/demo/" not in act.text
        assert "Ja, mail mij de nieuwsbrief" in act.text
    assert "@service.test>" in page.text


def test_the_page_alone_shows_nobody_address_and_browser(owner, viewer, path):
    for pages in (owner, viewer):
        html = pages.get(path).html
        assert IP not in html
        assert AGENT not in html


def test_an_owner_opens_evidence_and_that_is_noted(owner, house, path):
    form = owner.get(path).form(house.evidence)

    page = owner.submit(form)

    assert page.h1 == EMAIL
    assert IP in page.text
    assert AGENT in page.text
    assert house.audits() == ["evidence.show"]
    # In words, and on the shop's clock; the files keep what was sealed.
    panel = page.root.by_id(f"evidence-{house.evidence}")
    assert "requested" not in panel.text
    assert "2 mrt 2026, 11:30" in panel.text


def test_a_script_gets_the_evidence_alone(owner, house, path):
    form = owner.get(path).form(house.evidence)

    part = owner.post(form.action, data=form.values, headers={"HX-Request": "true"})

    assert IP in part.text
    assert EMAIL in part.text
    assert not part.root.all("html")
    assert house.audits() == ["evidence.show"]


def test_a_viewer_opens_no_evidence(viewer, house, path):
    page = viewer.get(path)

    assert not [f for f in page.root.all("form") if "evidence" in f.attrs["action"]]


def test_evidence_of_somebody_else_is_not_there(owner, house, app, now, path):
    from tests.office import play

    play(app, house.database, now, email="other@home.example")
    with house.database.reading() as session:
        other = contact_of(session, "other@home.example", house.vault)
    form = owner.get(path).form(house.evidence)

    for wrong in (
        f"/office/demo/contacts/{other.public_id}/evidence/{house.evidence}",
        f"{path}/evidence/{'0' * 64}",
        f"{path}/evidence/zz",
    ):
        owner.post(wrong, data=form.values, status=404)
    assert house.audits() == []


def test_a_destroyed_key_is_said_and_the_page_still_stands(owner, house, path):
    """GDPR 17: the evidence is gone, the ledger is not."""
    with house.database.transaction() as session:
        session.query(Contact).one().sealed_key = b"destroyed"
    form = owner.get(path).form(house.evidence)

    page = owner.submit(form)

    assert IP not in page.html
    assert page.h1 == "Een adres dat geen sleutel opent"


def test_no_page_holds_a_link_of_a_mail(owner, house, path):
    """DO-15: what is in a mail is in nobody's office."""
    import base64
    import json

    secrets = []
    with house.database.reading() as session:
        from server.models import Outbox

        vault = house.app.extensions["tools"].vault
        for mail in session.query(Outbox).filter(Outbox.sealed.is_not(None)):
            opened = vault.open(mail.sealed, about=mail.message_id.encode())
            secrets.append(json.loads(opened)["link"][1])
    assert secrets
    for address in (path, "/office/demo/outbox", "/office/demo/entries"):
        html = owner.get(address).html
        for secret in secrets:
            assert secret not in html
            assert base64.urlsafe_b64encode(secret.encode()).decode() not in html
        assert "/confirm/" not in html


def test_what_somebody_told_is_shown_with_where_when_and_what_for(viewer, house, path):
    """DS-01: each fact with its kind, its purpose, its source and its date."""
    with house.database.transaction() as session:
        entry, contact = session.query(Entry).one(), session.query(Contact).one()
        for key, kind, value in (
            ("birthday", "date", "--02-29"),
            ("likes", "choices", "sun,sea"),
            ("remark", "text", "<script>alert(1)</script>"),
            ("born", "date", "<b>"),
        ):
            fact = {"key": key, "kind": kind, "value": value, "at": house.now}
            add_attribute(session, entry, contact, house.vault, **fact)

    page = viewer.get(path, headers={"Accept-Language": "en"})

    told = page.root.one("section", aria_labelledby="told")
    rows = {row.one("th").text: row.text for row in told.all("tr")[1:]}
    assert set(rows) == {"birthday", "likes", "remark", "born"}
    for words in ("29 February", "Day of the year", "newsletter", "welcome-inline"):
        assert words in rows["birthday"]
    assert "2 Mar 2026, 11:30" in rows["birthday"]
    assert "sun, sea" in rows["likes"]
    assert "<script>alert(1)" in rows["remark"] and "<script>alert" not in page.html


def test_who_told_nothing_has_no_empty_table(viewer, path):
    assert not viewer.get(path).root.all("section", aria_labelledby="told")


def test_what_somebody_chose_is_called_as_it_was_asked(viewer, app, house, path):
    """The key stays beside it, for who looks in an export."""
    vault = app.extensions["tools"].vault
    with house.database.transaction() as session:
        publish(session, campaign_file("style-quiz"), vault=vault, now=house.now)
        quiz = session.query(Campaign).filter_by(code="style-quiz").one()
        entry, contact = session.query(Entry).one(), session.query(Contact).one()
        entry.campaign_id = quiz.id
        facts = {"colours": "blue,teal", "renamed": "blue"}
        for key, value in facts.items():
            add_attribute(
                session,
                entry,
                contact,
                vault,
                key=key,
                kind="choices",
                value=value,
                purpose="style_profile",
                at=house.now,
            )

    told = {}
    for language in ("en", "nl"):
        page = viewer.get(path, headers={"Accept-Language": language})
        section = page.root.one("section", aria_labelledby="told")
        told[language] = [row.text for row in section.all("tr")[1:]]

    # What no version knows any more is shown as it was kept.
    assert "in your wardrobe? colours Blue and white, teal" in told["en"][0]
    assert "Keep my style style_profile" in told["en"][0]
    assert "in jouw kast? colours Blauw en wit, teal" in told["nl"][0]
    assert told["en"][1].startswith("renamed blue")


def test_a_way_of_doing_it_is_told_in_the_language_of_the_reader(viewer, path):
    page = viewer.get(path, headers={"Accept-Language": "nl"})

    assert "mailbox-confirmed-post" not in page.html
    assert "Manier met een druk op de knop achter de link in de mail" in page.text
