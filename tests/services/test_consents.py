"""The proof of a yes: what was shown, when, where and by whom (PR-01, PR-02, PR-07)."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.domain.evidence import name_of, unpacked
from server.domain.seals import NONCE_BYTES, SealError, open_for, seal_for
from server.models import ConsentEvent, Evidence, Text
from server.services import consents, leftovers
from server.worker import Worker
from tests.factories import campaign_file
from tests.visits import EMAIL, NOTICED, take_card

PAGE = "http://localhost:8401/product/mug"
AGENT = "Mozilla/5.0 (Test; rv:1)"
(KEYS,) = [kind for kind in leftovers.KINDS if kind.name == "network_addresses"]
SOCKET = "203.0.113.7"
ELSEWHERE = {"environ_overrides": {"REMOTE_ADDR": "198.51.100.9"}}


@pytest.fixture
def confirmed(publish, app, client, house, smtp):
    """Somebody who said one yes, was mailed over SMTP, and pressed the button."""
    publish(campaign_file("welcome-scratch"))
    card = take_card(client, page=f"{PAGE}?name=iris#top")
    card.enter(
        client,
        consents=["newsletter"],
        headers={"User-Agent": AGENT},
        environ_overrides={"REMOTE_ADDR": SOCKET},
    )
    link = house.link("confirm")
    worker = Worker(app)
    worker.deliver()
    worker.close()
    form = {"shown": house.shown(client, link)}
    client.post(link, data=form, headers={"User-Agent": "Phone"}, **ELSEWHERE)
    return smtp


def test_the_evidence_holds_all_that_proves_a_yes(house, confirmed):
    """PR-02: every field, opened with the person's own key."""
    asked, sent, given = house.facts()
    request, mail, press = (house.evidence(event) for event in (asked, sent, given))
    (delivery,) = [
        d for d in confirmed.to(EMAIL) if d.message["Message-ID"] == mail["message_id"]
    ]

    assert [asked.act, sent.act, given.act] == ["requested", "doi_sent", "given"]
    assert {e.purpose for e in (asked, sent, given)} == {"newsletter"}
    assert request["controller"].startswith("Noord & Zon")
    assert (request["yes"], request["no"]) == (["newsletter"], ["personal_offers"])
    assert (request["ip"], request["user_agent"]) == (SOCKET, AGENT)
    assert request["email"] == EMAIL
    assert request["page"] == PAGE
    assert request["at"] == asked.at.isoformat()
    assert asked.context == {
        "campaign": "welcome-scratch",
        "version": 1,
        "placement": "welcome-inline",
        "place": "web",
        "device": None,
    }
    assert mail["body_sha256"] == hashlib.sha256(delivery.raw).hexdigest()
    assert mail["at"] == sent.at.isoformat()
    assert (press["ip"], press["user_agent"]) == ("198.51.100.9", "Phone")
    assert press["at"] == given.at.isoformat()
    assert given.method == "mailbox-confirmed-post"
    assert (given.locale, given.channel) == ("en", "email")


def test_an_address_is_known_for_as_long_as_the_key_of_its_month(
    house, confirmed, database
):
    """DS-04: then the network is left, and the evidence is what the ledger names."""
    asked = house.facts()[0]
    assert (house.evidence(asked)["ip"], asked.at.strftime("%Y-%m")) == (
        SOCKET,
        "2026-03",
    )

    with database.transaction() as session:
        a_year_later = datetime(2027, 3, 31, 23, 59, tzinfo=UTC)
        assert leftovers.remove(session, KEYS, now=a_year_later) == 0
        assert (
            leftovers.remove(session, KEYS, now=datetime(2027, 4, 1, tzinfo=UTC)) == 1
        )

    told = house.evidence(asked)
    assert "ip" not in told
    assert told["network"] == "203.0.113.0/24"
    assert SOCKET not in str(told)


def test_no_address_lies_in_the_evidence_itself(house, confirmed):
    """PR-10: the person's key alone does not show from where they acted."""
    who = house.person()
    asked = house.facts()[0]
    (row,) = house.rows(Evidence, name=name_of(asked.evidence_hash))

    plain = open_for(who.key, row.sealed, about=who.subject_ref)
    told, trace = unpacked(plain, nonce=row.sealed[:NONCE_BYTES])

    assert told["network"] == "203.0.113.0/24" and trace
    assert SOCKET.encode() not in plain
    assert SOCKET not in str(told)


def test_evidence_of_an_earlier_version_is_read_as_ever(house, confirmed):
    """PR-10: it was JSON as it is, with the sealed address in hex in it."""
    who, (asked, *_) = house.person(), house.facts()
    (row,) = house.rows(Evidence, name=name_of(asked.evidence_hash))
    today = house.evidence(asked)
    plain = open_for(who.key, row.sealed, about=who.subject_ref)
    told, trace = unpacked(plain, nonce=row.sealed[:NONCE_BYTES])
    sealed = seal_for(
        who.key,
        rfc8785.dumps({**told, "trace": trace.hex()}),
        nonce=b"n" * NONCE_BYTES,
        about=who.subject_ref,
    )
    digest = hashlib.sha256(sealed).digest()
    with house.database.transaction() as session:
        session.add(Evidence(contact_id=who.id, name=name_of(digest), sealed=sealed))

    with house.database.reading() as session:
        before = consents.evidence(session, who, digest, vault=house.vault)

    assert before == today
    assert before["ip"] == SOCKET


def test_evidence_that_no_version_wrote_is_an_error(house, confirmed):
    who = house.person()
    sealed = seal_for(who.key, b"?", nonce=b"n" * NONCE_BYTES, about=who.subject_ref)
    digest = hashlib.sha256(sealed).digest()
    with house.database.transaction() as session:
        session.add(Evidence(contact_id=who.id, name=name_of(digest), sealed=sealed))

    with house.database.reading() as session, pytest.raises(SealError):
        consents.evidence(session, who, digest, vault=house.vault)


def test_a_press_within_seconds_of_the_mail_is_marked_and_counts(house, confirmed):
    """DO-11: never trusted or blocked by that alone."""
    given = house.facts()[-1]

    assert (given.act, house.evidence(given)["suspect"]) == ("given", ["fast"])


@pytest.mark.parametrize(
    ("waited", "networks", "signs"),
    [
        (timedelta(seconds=9), "", ["fast"]),
        (timedelta(seconds=11), "", None),
        (timedelta(hours=1), "198.51.100.0/24", ["scanner"]),
        (timedelta(hours=1), "192.0.2.0/24, 2001:db8::/32", None),
    ],
)
def test_what_speaks_against_a_person_stands_in_the_evidence(
    publish, house_with, clock, smtp, waited, networks, signs
):
    """DO-11: a fast press, or one from a network of scanners."""
    publish(campaign_file("welcome-scratch"))
    house = house_with(SCANNER_NETWORKS=networks)
    client = house.app.test_client()
    take_card(client).enter(client, consents=["newsletter"])
    link = house.link("confirm")
    worker = Worker(house.app)
    worker.deliver()
    worker.close()
    clock.advance(waited - timedelta(seconds=2))

    client.post(link, data={"shown": house.shown(client, link)}, **ELSEWHERE)

    given = house.facts()[-1]
    assert (given.act, house.evidence(given).get("suspect")) == ("given", signs)


def test_the_ledger_points_to_copies_of_what_was_shown(house, confirmed):
    """PR-01, PR-02: form, notice and text, byte for byte, under their hashes."""
    (given,) = [e for e in house.facts() if e.act == "given"]
    copies = {row.sha256: row for row in house.rows(Text)}

    for digest, kind, words in (
        (given.text_hash, "purpose", "the newsletter of Noord & Zon"),
        (given.notice_hash, "notice", "Autoriteit Persoonsgegevens"),
        (given.form_hash, "form", 'name="consent.newsletter"'),
    ):
        copy = copies[digest]
        assert hashlib.sha256(copy.body.encode()).digest() == digest
        assert (copy.kind, copy.locale) == (kind, "en")
        assert words in copy.body


def test_copies_are_kept_though_somebody_only_played_before(publish, client, house):
    """PR-01: a play stores none, so it must not pass for having stored them."""
    publish(campaign_file("lucky-scratch"))
    take_card(client, "lucky-inline").play(client)
    card = take_card(client, "lucky-inline")
    card.play(client)
    card.claim(client, consents=["newsletter"])

    (asked,) = house.facts()
    copies = {row.sha256 for row in house.rows(Text)}
    assert copies.issuperset((asked.text_hash, asked.notice_hash, asked.form_hash))


def test_the_copy_is_what_the_visitor_was_sent(publish, client, house):
    """PR-01: the stored form and notice are the very bytes of the page."""
    publish(campaign_file("welcome-scratch"))
    page = client.get("/w/welcome-inline?lang=en").text
    take_card(client).enter(client, consents=["newsletter"])

    (form,) = house.rows(Text, kind="form")
    (notice,) = house.rows(Text, kind="notice")
    assert notice.body in page
    for part in form.body.split("\n"):
        assert part in page


def test_an_edited_text_leaves_the_old_proof_as_it_was(
    publish, client, house, confirmed
):
    """PR-01, PR-07: another wording is another text, and the old copy stays."""
    before = house.rows(Text)
    asked = "Yes, mail me the letter of Noord & Zon about gardens."
    publish(campaign_file("welcome-scratch", purposes__0__texts__en__ask=asked))
    house.clock.advance(NOTICED)

    take_card(client).enter(client, "bram@example.com", consents=["newsletter"])

    after = {row.sha256: row.body for row in house.rows(Text)}
    assert all(after[row.sha256] == row.body for row in before)
    (event,) = house.facts("bram@example.com")
    assert asked in after[event.text_hash]
    assert event.context["version"] == 2
    assert event.text_hash != house.facts()[0].text_hash


def test_a_yes_to_other_words_is_asked_anew(publish, client, house, confirmed):
    """PR-07: who said yes to the old wording has not said yes to the new one."""
    asked = "Yes, mail me the letter of Noord & Zon about gardens."
    publish(campaign_file("welcome-scratch", purposes__0__texts__en__ask=asked))
    house.clock.advance(24 * 3_600 * NOTICED / 2)

    take_card(client).enter(client, consents=["newsletter"])

    assert house.acts()[-1] == ("newsletter", "requested")
    assert house.standing() == {"newsletter": "given"}, "until it is confirmed"
    assert len(house.letters("confirm")) == 1


def test_evidence_is_unreadable_without_its_persons_key(client, house, confirmed):
    """PR-10: neither address nor browser is in the clear anywhere in the row."""
    take_card(client).enter(client, "bram@example.com", consents=["newsletter"])

    for row in house.rows(Evidence):
        for secret in (EMAIL, SOCKET, AGENT, "198.51.100.9"):
            assert secret.encode() not in row.sealed
    (event, *_) = house.facts()
    with house.database.reading() as session:
        other = house.person("bram@example.com")
        assert (
            consents.evidence(session, other, event.evidence_hash, vault=house.vault)
            == {}
        )


def test_changed_evidence_is_noticed(house, confirmed):
    event = house.facts()[0]
    (row,) = house.rows(Evidence, name=name_of(event.evidence_hash))
    with house.database.transaction() as session:
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        session.merge(row)

    assert house.evidence(event) == {}


@pytest.mark.parametrize("table", ["consent_event", "consent_question", "text"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 'xx'", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_a_fact(
    house, confirmed, table, statement
):
    """PR-05, PR-07."""
    before = house.dump()

    with (
        pytest.raises(DBAPIError, match="append-only"),
        house.database.transaction() as session,
    ):
        column = "act" if table == "consent_event" else "locale"
        session.execute(text(statement.format(table, column)))

    assert house.dump() == before


def test_the_ledger_itself_is_about_nobody(house, confirmed):
    """PR-10, T29: no address, name, IP or browser in an event."""
    for event in house.rows(ConsentEvent):
        rows = event, event.question
        said = repr([getattr(r, c.key) for r in rows for c in r.__table__.columns])
        for secret in (EMAIL, "iris", SOCKET, AGENT, "198.51.100.9"):
            assert secret not in said
