"""Rights of a person: objection, restriction, erasure (DS-01 to DS-03, T30)."""

import threading
from datetime import timedelta

import pytest

from server.domain.links import Salt
from server.models import (
    Attribute,
    AudienceMember,
    ConsentEvent,
    Contact,
    Entry,
    Evidence,
    Link,
    OptIn,
    Outbox,
    Standing,
    Suppression,
)
from server.sealing import Sealing
from server.services import (
    audiences,
    contacts,
    ledger,
    ledger_audit,
    links,
    optins,
    privacy,
)
from server.services.consents import Circumstances
from server.services.contacts import Reason
from server.worker import Worker
from tests.factories import campaign_file
from tests.people import contact_of, email_of
from tests.visits import at_once, sure_win, take_card

ANN = "ann@example.com"
USE = privacy.Use("nl", "test", {"ip": "192.0.2.7"})


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def who(database, tools):
    """Return a person by their address."""

    def who(mailbox=ANN):
        with database.reading() as session:
            row = contact_of(session, mailbox, tools.vault)
            return contacts.person(session, row.id, vault=tools.vault)

    return who


@pytest.fixture
def use(database, tools, clock):
    """Use a right in a transaction of its own: `use(privacy.erase, person)`."""

    def use(right, person, **more):
        with database.transaction() as session:
            now = clock.now()
            return right(session, person, use=USE, tools=tools, now=now, **more)

    return use


@pytest.fixture
def ann(publish, client, house, who):
    """Somebody who won, said yes to the newsletter and confirmed it."""
    publish(sure_win(days=365))
    take_card(client).enter(client, ANN, consents=["newsletter"])
    link = house.link("confirm", to=ANN)
    client.post(link, data={"shown": house.shown(client, link)})
    return who()


@pytest.fixture
def audited(database, tools, clock):
    """Seal what there is and check all of it."""

    def audited():
        Sealing(database, tools).go_round(now=clock.now())
        with database.standing_still() as session:
            (tip,) = ledger.tips(session)
            return ledger_audit.verify(
                session,
                tip,
                keys=tools.notary.publics,
                step=lambda _: None,
                now=clock.now(),
            )

    return audited


def acts(house):
    return [fact.act for fact in house.rows(ConsentEvent)]


class TestErasure:
    def test_nothing_of_the_person_is_left(self, ann, use, house, audited):
        """DS-03: no address, no answer, no link, no evidence; the ledger is whole."""
        assert use(privacy.erase, ann)

        everything = str(house.dump())
        for trace in (ANN, "ann@", ann.email_hash.hex()[:12], "192.0.2."):
            assert trace not in everything
        for table in (Evidence, Link, Attribute):
            assert house.rows(table) == []
        (row,) = house.rows(Contact)
        assert (row.sealed_email, row.sealed_key) == (b"", b"")
        (entry,) = house.rows(Entry)
        assert (entry.sealed_answers, entry.sealed_source, entry.play_print) == (
            None,
            None,
            b"",
        )
        assert audited().entries == len(house.rows(ConsentEvent))

    def test_what_stood_has_ended_and_the_ledger_says_so(self, ann, use, house):
        use(privacy.erase, ann)

        assert acts(house)[-2:] == ["withdrawn", "erased"]
        assert [row.act for row in house.rows(Standing)] == ["withdrawn"]

    def test_a_second_time_changes_nothing(self, ann, use, house):
        use(privacy.erase, ann)
        before = house.dump()

        assert not use(privacy.erase, ann)
        assert house.dump() == before

    def test_at_once_it_is_done_once(self, ann, use, house):
        """A race on both databases."""
        together = threading.Barrier(6)

        def erase():
            together.wait()
            return use(privacy.erase, ann)

        done = at_once([erase] * 6, threads=6)

        assert sorted(done) == [False] * 5 + [True]
        assert acts(house).count("erased") == 1

    def test_mails_that_wait_are_not_sent(self, ann, use, app, smtp, house):
        """T30: erased between the claim of a mail and its sending."""
        assert {mail.kind for mail in house.letters()} == {
            "prize",
            "confirm",
            "receipt",
        }
        use(privacy.erase, ann)

        worker = Worker(app)
        worker.deliver()
        worker.close()

        assert smtp.taken == []
        assert {mail.state for mail in house.rows(Outbox)} == {"dropped"}
        assert {mail.sealed for mail in house.rows(Outbox)} == {None}

    def test_a_mail_that_a_worker_has_in_hand_is_not_sent(
        self, ann, use, app, smtp, monkeypatch
    ):
        worker = Worker(app)
        look_up = worker._look_up

        def erase_first(mails):
            use(privacy.erase, ann)
            monkeypatch.undo()
            return look_up(mails)

        monkeypatch.setattr(worker, "_look_up", erase_first)
        worker.deliver()
        worker.close()

        assert smtp.taken == []

    def test_no_open_request_of_theirs_stops_the_worker(
        self, ann, use, client, house, app, clock
    ):
        """One had expired while the worker was away, and nobody had closed it."""
        for wished in (["personal_offers"], ["newsletter", "personal_offers"]):
            take_card(client).enter(client, ANN, consents=wished)
            clock.advance(timedelta(days=8))
        use(privacy.erase, ann)

        worker = Worker(app)
        worker.keep_house(now=clock.now())
        worker.close()

        assert {row.state for row in house.rows(OptIn)} == {"confirmed", "declined"}

    def test_a_link_that_was_open_renews_nothing(
        self, publish, client, house, who, use, app, tools, clock
    ):
        """T30: erased between looking at an expired request and asking anew."""
        publish(campaign_file("welcome-scratch"))
        take_card(client).enter(client, ANN, consents=["newsletter"])
        signer, directory = app.extensions["signer"], app.extensions["directory"]
        token = house.link("confirm", to=ANN).rpartition("/")[2]
        clock.advance(timedelta(days=7, hours=1))
        ref = signer.read_link(Salt.CONFIRM, token, now=clock.now())
        with house.database.reading() as session:
            found = links.find(session, ref, directory=directory, vault=house.vault)
        use(privacy.erase, who())

        with house.database.transaction() as session:
            by = Circumstances(ip="", user_agent="")
            assert not optins.renew(session, found, by=by, tools=tools, now=clock.now())

    def test_no_right_is_used_after_it(self, ann, use, house):
        use(privacy.erase, ann)
        before = house.dump()

        assert use(privacy.object_to_marketing, ann) == []
        assert not use(privacy.end_objection, ann)
        assert not use(privacy.restrict, ann, is_restricted=True)
        assert house.dump() == before

    def test_a_hash_that_a_platform_was_told_to_remove_goes(
        self, ann, use, house, tools, now
    ):
        """DS-03: what it was not told of yet stays until it is."""
        with house.database.transaction() as session:
            for platform, removed_at in (("google", now), ("meta", None)):
                session.add(
                    AudienceMember(
                        shop_id=ann.shop_id,
                        contact_id=ann.id,
                        platform=platform,
                        kind="email",
                        **audiences.sealed(platform, "ab" * 32, tools=tools),
                        added_at=now,
                        removed_at=removed_at,
                    )
                )

        use(privacy.erase, ann)

        assert [row.platform for row in house.rows(AudienceMember)] == ["meta"]

    def test_the_facts_are_found_by_the_address_they_had(
        self, ann, use, database, tools
    ):
        use(privacy.erase, ann)

        with database.reading() as session:
            found = [
                privacy.erased_subject(session, ann.shop_id, mailbox, tools=tools)
                for mailbox in ("ann@EXAMPLE.com", "ben@example.com")
            ]
        assert found == [ann.subject_ref, None]

    def test_who_comes_back_by_themselves_begins_anew(
        self, ann, use, client, house, clock
    ):
        """An erasure is no objection: a new form makes a new person, and asks."""
        use(privacy.erase, ann)
        clock.advance(timedelta(days=2))

        take_card(client).enter(client, ANN, consents=["newsletter"])

        old, new = house.rows(Contact)
        assert [email_of(row, house.vault) for row in (old, new)] == ["", ANN]
        assert old.subject_ref != new.subject_ref
        assert acts(house)[-1] == "requested"

    def test_an_objection_outlives_it(self, ann, use, client, house, clock):
        """DS-02: who objected and was forgotten is still not asked."""
        use(privacy.object_to_marketing, ann)
        use(privacy.erase, ann)
        clock.advance(timedelta(days=2))

        take_card(client).enter(client, ANN, consents=["newsletter"])

        assert acts(house)[-1] == "erased"
        assert {row.reason for row in house.rows(Suppression)} == {"never", "erased"}


class TestObjection:
    def test_it_ends_all_and_is_a_fact(self, ann, use, house, audited):
        """DS-02; GDPR 21(3): absolute and at once."""
        assert use(privacy.object_to_marketing, ann) == ["newsletter"]

        assert acts(house)[-2:] == ["withdrawn", "objected"]
        assert audited().waiting == 0

    def test_nobody_is_asked_again_until_they_wish_it(
        self, ann, use, client, house, clock
    ):
        use(privacy.object_to_marketing, ann)
        clock.advance(timedelta(days=2))
        take_card(client).enter(client, ANN, consents=["newsletter"])
        assert acts(house)[-1] == "objected"

        assert use(privacy.end_objection, ann)
        take_card(client).enter(client, ANN, consents=["newsletter"])

        assert acts(house)[-2:] == ["objection_ended", "requested"]
        assert not use(privacy.end_objection, ann)

    def test_a_shorter_refusal_does_not_shorten_it(self, ann, use, who, database, now):
        use(privacy.object_to_marketing, ann)
        with database.transaction() as session:
            contacts.suppress(session, ann, reason=Reason.REFUSED, until=now, now=now)

        assert not who().may_be_asked(now)


def test_a_restriction_begins_and_ends_once(ann, use, house, audited):
    """DS-01; GDPR 18."""
    assert use(privacy.restrict, ann, is_restricted=True)
    assert not use(privacy.restrict, ann, is_restricted=True)
    assert house.rows(Contact)[0].restricted_at is not None
    assert use(privacy.restrict, ann, is_restricted=False)
    assert house.rows(Contact)[0].restricted_at is None

    assert acts(house)[-2:] == ["restricted", "restriction_ended"]
    assert [row.act for row in house.rows(Standing)] == ["given"]
    assert audited().waiting == 0
