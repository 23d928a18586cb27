"""Who is erased is gone, and what others rely on stays (DS-02, DS-03, T24, T30, G5).

On both databases, over HTTP and by the worker.
"""

from dataclasses import replace
from datetime import timedelta

from server.domain.ledger import Notary
from server.domain.months import months_after
from server.domain.transcript import verify
from server.domain.voucher import Verdict
from server.models import (
    Contact,
    Entry,
    Evidence,
    Link,
    Outbox,
    Preference,
    RaffleExclusion,
    RaffleStep,
    Suppression,
    Voucher,
)
from server.sealing import Sealing
from server.services import (
    consents,
    ledger,
    ledger_audit,
    links,
    outbox,
    privacy,
    vouchers,
)
from server.services.vouchers import By
from server.worker import Worker
from tests.faults import fail_everywhere
from tests.people import email_of, tell
from tests.raffles import UNTIL_DRAW, Desk, raffle_file, take_part
from tests.test_transcripts import lines_of
from tests.test_transcripts import play as play_in
from tests.visits import EMAIL, few_mugs, take_card

DAY = timedelta(days=1)
NOTARY = Notary([b"k" * 32])


def to(house, moment):
    """Set the clock."""
    house.clock.moment = moment


def people(house):
    return house.emails()


def test_the_ledger_verifies_and_the_address_is_nowhere(
    say_yes, house, keeper, erase, now
):
    """DS-03: erased by hand, by the clock, and still there."""
    say_yes("canary-ann@example.com")
    say_yes("canary-ben@example.com")
    say_yes("cas@example.com")
    with house.database.transaction() as session:
        told = {"answers": {"first_name": "Canary"}, "source": {"order": "canary-7"}}
        for entry in session.query(Entry):
            tell(session, entry, house.vault, **told)
    sealing = Sealing(
        house.database, replace(house.app.extensions["tools"], notary=NOTARY)
    )
    sealing.go_round(now=house.clock.now())
    refs = {email_of(row, house.vault): row.subject_ref for row in house.rows(Contact)}

    erase("canary-ann@example.com")
    to(house, months_after(now, 37))
    keeper.run()
    to(house, months_after(now, 37 + 61))
    assert keeper.run().erased == 2
    while sealing.go_round(now=house.clock.now()):
        pass

    _verify(house)
    assert "canary" not in repr(house.dump()).lower()
    assert house.rows(Evidence) == []
    assert house.rows(Link) == []
    with house.database.reading() as session:
        shop_id = house.rows(Contact)[0].shop_id
        for email, ref in refs.items():
            found = privacy.erased_subject(
                session, shop_id, email, tools=house.app.extensions["tools"]
            )
            # Whom the clock let go of, nobody finds by their address any more.
            assert found == (ref if email == "canary-ann@example.com" else None)
            assert consents.history(session, ref)[-1].act == "erased"


def _verify(house):
    with house.database.standing_still() as session:
        (tip,) = (tip for tip in ledger.tips(session) if tip.shop == "demo")
        return ledger_audit.verify(
            session,
            tip,
            keys=NOTARY.publics,
            step=lambda _: None,
            now=house.clock.now(),
        )


def test_the_draws_of_who_was_erased_still_verify(publish, client, house, erase):
    """PZ-08: what was drawn stays, for whoever checks the draw."""
    publish(few_mugs(2, losing=1, days=3))
    play_in(client, 5)
    house.clock.advance(DAY + timedelta(minutes=11))
    before = verify(lines_of(client))
    for number in range(5):
        erase(f"v{number}@example.com")

    report = verify(lines_of(client))

    assert report == before
    assert report.plays == 5


def test_the_code_of_who_was_erased_is_still_redeemed(publish, client, house, erase):
    """It was won, and whoever holds it has it; nobody can say who that was."""
    publish(few_mugs(1))
    take_card(client).enter(client)
    (unit,) = house.rows(Voucher)
    shop_id = house.person().shop_id
    erase()

    with house.database.transaction() as session:
        done = vouchers.redeem(
            session,
            shop_id,
            unit.code,
            by=By("operator", place="Till 1"),
            directory=house.app.extensions["directory"],
            now=house.clock.now(),
        )

    assert done.verdict is Verdict.REDEEMED


def test_who_was_erased_begins_anew(play, house, erase):
    play()
    erase()
    play()

    assert people(house) == ["", EMAIL]
    assert [row.reason for row in house.rows(Suppression)] == ["erased"]
    assert house.acts() == []


def test_an_erased_entrant_is_left_out_of_a_raffle(publish, client, house, erase):
    """T30: nobody could be told that they won."""
    publish(raffle_file(1, reserves=1))
    take_part(client, "ann", "ben", "cas")
    erase("ann@example.com")
    erase("ben@example.com")
    raffles = Desk(house)

    raffles.finish()

    (letter,) = house.letters("won")
    assert letter.to == "cas@example.com"
    assert [row.reason for row in house.rows(RaffleExclusion)] == ["erased"] * 2


def test_who_is_erased_after_the_list_was_closed_makes_room(
    publish, client, house, erase
):
    """T30: their place lapses in its days; the worker goes on."""
    publish(raffle_file(1, reserves=2))
    take_part(client, "ann", "ben", "cas")
    raffles = Desk(house)
    raffles.go_round(UNTIL_DRAW)
    for name in ("ann", "ben"):
        erase(f"{name}@example.com")

    raffles.finish(timedelta())
    for _ in range(2):
        raffles.finish(10 * DAY)

    (letter,) = house.letters("won")
    assert letter.to == "cas@example.com"
    unreached = house.rows(RaffleStep, step="undeliverable")
    assert {step.note for step in unreached} == {"their data was erased"}


def test_nothing_is_mailed_to_who_is_erased_between_claim_and_send(
    play, house, erase, tools, app, smtp
):
    """T30: a worker has their mails in its hands already."""
    play(consents=["newsletter"])
    worker = Worker(app)
    look_up = worker._look_up

    def erase_first(mails):
        assert [mail.params["to"] for mail in mails] == [EMAIL]
        erase()
        return look_up(mails)

    worker._look_up = erase_first
    claimed = worker.deliver(now=house.clock.now)
    worker.close()

    assert (claimed, smtp.taken) == (1, [])
    assert [row.state for row in house.rows(Outbox)] == ["dropped"]


def test_a_mail_queued_in_the_moment_of_erasure_is_dropped(
    play, house, erase, tools, app, smtp, now
):
    """T30: a link that was made too late leads nowhere, and the worker goes on."""
    play()
    who = house.person()
    erase()
    with house.database.transaction() as session:
        ref = links.make(
            session,
            contact_id=who.id,
            entry_id=None,
            optin_id=None,
            tools=tools,
            now=now,
        )
        params = {"to": EMAIL, "link": ref.as_payload()}
        mail = outbox.Mail("manage", who.shop_id, who.id, None, params)
        outbox.put_mails(session, [mail], tools=tools, now=now)
    worker = Worker(app)

    worker.deliver(now=house.clock.now)
    worker.close()

    assert smtp.taken == []
    assert house.rows(Outbox)[-1].state == "dropped"
    assert house.rows(Outbox)[-1].sealed is None


def test_an_erasure_is_whole_or_has_not_happened(say_yes, house, tools, now):
    """G5: whichever statement fails, on both databases."""
    say_yes()
    with house.database.transaction() as session:
        who = house.person()
        session.add(Preference(contact_id=who.id, purpose="newsletter", at=now))

    def forget():
        with house.database.transaction() as session:
            privacy.erase(
                session,
                who,
                use=privacy.Use("nl", "office", {}),
                tools=tools,
                now=house.clock.now(),
            )

    failed, _ = fail_everywhere(house, forget)

    assert {
        *("contact", "consent_event", "evidence", "standing", "suppression"),
        *("outbox", "address_change", "link", "attribute", "preference", "entry"),
        "COMMIT",
    } <= failed
    assert people(house) == [""]
