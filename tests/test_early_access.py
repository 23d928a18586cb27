"""A waiting list: who is let in early and when, and nobody twice (DO-01, CR-15)."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from server.domain.consent import request_text
from server.models import Campaign, Entry, Outbox, Standing
from server.services import contacts, invitations, privacy
from server.services.contacts import Reason
from server.worker import Worker
from tests.factories import campaign_file, shop_file
from tests.letters import end_leases
from tests.people import contact_of, tell
from tests.servers import ROOT, Program
from tests.visits import at_once, take_card
from tests.waiting import until

LIST = "black-friday-page"
ADA, BOB, CAS = "ada@home.test", "bob@home.test", "cas@home.test"
DAY = timedelta(days=1)
# The list takes people for 20 days, early access starts after 21 and lasts a week.
STARTS, ENDS = 21 * DAY, 28 * DAY
CODE = "EERDER26"


@pytest.fixture
def opened(publish):
    publish(campaign_file("black-friday"))


@pytest.fixture
def worker(app, smtp, opened):
    made = Worker(app)
    yield made
    made.close()


@pytest.fixture
def join(client, house):
    """Put somebody on the list; `confirmed=False` leaves the mail unanswered."""

    def join(email, *, yes=("early_access",), confirmed=True, more=None, **query):
        card = take_card(client, LIST, **query)
        done = card.send(client, {"email": email}, consents=yes, more=more)
        assert done.status_code == 200, done.get_data(as_text=True)
        if confirmed:
            house.press(client, house.link("confirm", to=email))

    return join


@pytest.fixture
def letters(smtp, worker, clock):
    """Let the worker invite and deliver; return to whom early access was mailed."""

    def letters():
        while worker.invite(now=clock.now()):
            pass
        while worker.deliver():
            pass
        return sorted(
            mail.recipients[0] for mail in smtp.taken if CODE in mail.text("plain")
        )

    return letters


def test_those_who_confirmed_are_let_in_when_it_starts(join, letters, clock, now):
    """CR-15: at its moment, and not a second before."""
    join(ADA)
    join(BOB)
    clock.moment = now + STARTS - timedelta(seconds=1)
    assert letters() == []

    clock.moment = now + STARTS

    assert letters() == [ADA, BOB]


def test_nobody_is_written_to_twice(join, letters, clock, now):
    join(ADA)
    clock.advance(timedelta(hours=1))
    join(ADA, confirmed=False)
    clock.moment = now + STARTS
    assert letters() == [ADA]

    clock.advance(DAY)

    assert letters() == [ADA]


def test_who_has_not_confirmed_is_not_written_to(join, letters, clock, now):
    """DO-01."""
    join(ADA)
    join(BOB, confirmed=False)
    clock.moment = now + STARTS

    assert letters() == [ADA]


def test_who_said_yes_to_something_else_is_not_written_to(join, letters, clock, now):
    join(ADA, yes=["newsletter"])
    join(BOB, yes=["newsletter", "early_access"])
    clock.moment = now + STARTS

    assert letters() == [BOB]


def test_who_withdrew_is_not_written_to(join, letters, client, house, clock, now):
    """WD-03."""
    join(ADA)
    join(BOB)
    client.post(house.link("unsubscribe", to=ADA))
    clock.moment = now + STARTS

    assert letters() == [BOB]
    assert len(house.rows(Outbox, letter="early")) == 1


def test_who_withdraws_after_it_was_queued_is_not_written_to(
    join, letters, worker, client, house, clock, now
):
    """I6: nothing is sent whose reason is gone."""
    join(ADA)
    clock.moment = now + STARTS
    worker.invite(now=clock.now())
    client.post(house.link("unsubscribe", to=ADA))

    assert letters() == []
    assert [row.state for row in house.rows(Outbox, letter="early")] == ["dropped"]


def test_who_is_suppressed_is_not_written_to(
    join, letters, house, database, clock, now
):
    """DS-02."""
    join(ADA)
    join(BOB)
    with database.transaction() as session:
        contacts.suppress(
            session, house.person(ADA), reason=Reason.NEVER, until=None, now=clock.now()
        )
    clock.moment = now + STARTS

    assert letters() == [BOB]


@pytest.mark.parametrize("when", ["before", "after it was queued"])
def test_who_is_restricted_is_not_written_to(
    join, letters, worker, house, database, clock, now, when
):
    """GDPR 18: their data is kept and not used."""
    join(ADA)
    join(BOB)
    who = house.person(ADA)
    clock.moment = now + STARTS
    if when != "before":
        worker.invite(now=clock.now())
    with database.transaction() as session:
        privacy.restrict(
            session,
            who,
            is_restricted=True,
            use=privacy.Use("nl", "office", {}),
            tools=house.app.extensions["tools"],
            now=clock.now(),
        )

    assert letters() == [BOB]


def test_a_block_that_is_over_keeps_nobody_out(
    join, letters, house, database, clock, now
):
    join(ADA)
    with database.transaction() as session:
        until = clock.now() + DAY
        contacts.suppress(
            session,
            house.person(ADA),
            reason=Reason.NOT_ME,
            until=until,
            now=clock.now(),
        )
    clock.moment = now + STARTS

    assert letters() == [ADA]


def test_who_confirms_while_it_is_on_is_let_in_then(
    join, letters, client, house, smtp, clock, now
):
    clock.moment = now + 20 * DAY - timedelta(minutes=1)
    join(ADA, confirmed=False)
    clock.moment = now + STARTS
    assert letters() == []

    clock.advance(2 * DAY)
    # The worker has sent the mail, so its link is taken from there.
    house.press(client, _link(smtp, ADA))

    assert letters() == [ADA]


def _link(smtp, to):
    (mail,) = smtp.to(to)
    return next(
        word.partition("service.test")[2]
        for word in mail.text("plain").split()
        if "/confirm/" in word
    )


def test_after_its_end_nobody_is_let_in(join, letters, clock, now):
    """CR-15: a code that works no longer is not mailed."""
    join(ADA)
    clock.moment = now + ENDS

    assert letters() == []


def test_what_is_queued_and_not_sent_before_the_end_is_not_sent(
    join, letters, worker, clock, house, now
):
    join(ADA)
    clock.moment = now + ENDS - timedelta(minutes=1)
    worker.invite(now=clock.now())
    clock.moment = now + ENDS

    assert letters() == []
    assert [row.state for row in house.rows(Outbox, letter="early")] == ["dropped"]


def test_a_paused_list_waits(join, letters, database, clock, now):
    join(ADA)
    clock.moment = now + STARTS
    with database.transaction() as session:
        session.scalars(select(Campaign)).one().state = "paused"
    assert letters() == []

    with database.transaction() as session:
        session.scalars(select(Campaign)).one().state = "published"

    assert letters() == [ADA]


def test_a_yes_to_the_words_of_another_promotion_is_none_to_these(
    join, letters, publish, client, house, clock, now
):
    """PR-07: last year's list had other words, and its people say nothing here."""
    last = campaign_file(
        "black-friday",
        code="last-year",
        placements=[{"code": "last-year", "shape": "inline"}],
        purposes__0__texts__en__ask="Yes, mail me the code of last year.",
    )
    publish(last)
    card = take_card(client, "last-year")
    card.send(client, {"email": ADA}, consents=["early_access"])
    house.press(client, house.link("confirm", to=ADA))
    clock.advance(timedelta(hours=1))
    join(ADA, yes=["newsletter"])
    clock.moment = now + STARTS

    taken = letters()

    # What was asked for there comes from there, once.
    assert taken == [ADA]
    rows = house.rows(Entry)
    assert [row.invited_at is not None for row in rows] == [True, False]


def test_the_same_words_are_one_yes_wherever_it_was_given(
    join, letters, publish, client, house, clock, now
):
    """DO-10: who is asked the very same thing again need not confirm it twice."""
    other = campaign_file(
        "black-friday",
        code="other-list",
        placements=[{"code": "other-list", "shape": "inline"}],
        early_access__after_days=200,
    )
    publish(other)
    card = take_card(client, "other-list")
    card.send(client, {"email": ADA}, consents=["early_access"])
    house.press(client, house.link("confirm", to=ADA))
    clock.advance(timedelta(hours=1))
    join(ADA, confirmed=False)
    clock.moment = now + STARTS

    assert letters() == [ADA]


def test_a_new_moment_is_the_one_that_counts(join, letters, publish, clock, now):
    join(ADA)
    publish(campaign_file("black-friday", early_access__after_days=25))
    clock.moment = now + STARTS
    assert letters() == []

    clock.moment = now + 25 * DAY

    assert letters() == [ADA]


# --- the letter --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said", "moment"),
    [
        ("nl", "De deuren zijn voor jou open.", "30 maart 2026, 12:30"),
        ("en", "The doors are open for you.", "30 March 2026, 12:30"),
    ],
)
def test_the_letter_brings_code_button_end_and_a_way_out(
    join, letters, smtp, clock, now, language, said, moment
):
    """WD-01, WD-02, CR-14, CR-15: in the language of the form, with real dates."""
    join(ADA, lang=language, more={"first_name": "Ada"})
    clock.moment = now + STARTS
    letters()

    mail = smtp.to(ADA)[-1]
    text, html = mail.text("plain"), mail.text("html")
    for words in (said, CODE, "Ada.", moment, "http://localhost:8401/demo/"):
        assert words in text and words in html
    assert "/unsubscribe/" in text
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.message["Subject"].startswith("Noord & Zon: ")


def test_the_way_out_of_the_letter_works(
    join, letters, smtp, client, house, clock, now
):
    """WD-01: by the header alone."""
    join(ADA)
    clock.moment = now + STARTS
    letters()
    header = smtp.to(ADA)[-1].message["List-Unsubscribe"].strip("<>")

    client.post(header.partition("service.test")[2])

    assert house.standing(ADA) == {"early_access": "withdrawn"}


def test_the_letter_repeats_nothing_that_was_typed_but_a_name(
    join, letters, smtp, clock, now
):
    """AB-06, T16."""
    more = {"wish": "Buy at evil.example", "h.utm_source": "evil.example"}
    join(ADA, more=more)
    clock.moment = now + STARTS
    letters()

    assert b"evil" not in smtp.to(ADA)[-1].raw


def test_a_name_that_is_none_is_not_greeted(
    join, worker, smtp, database, clock, now, vault
):
    """AB-06: not even one that got past the form."""
    join(ADA)
    with database.transaction() as session:
        entry = session.scalars(select(Entry)).one()
        told = {"first_name": "Win\r\nBcc: eve@home.test http://evil.example"}
        tell(session, entry, vault, answers=told)
    clock.moment = now + STARTS

    worker.invite(now=clock.now())
    worker.deliver()

    mail = smtp.to(ADA)[-1]
    assert b"evil" not in mail.raw and b"eve@" not in mail.raw
    assert mail.recipients == (ADA,)


def test_the_words_are_those_of_the_newest_version(
    join, letters, smtp, publish, clock, now
):
    """A code that was decided later reaches who joined before."""
    join(ADA)
    publish(campaign_file("black-friday", early_access__code="LATER-1"))
    clock.moment = now + STARTS
    letters()

    assert "LATER-1" in smtp.to(ADA)[-1].text("plain")


# --- races and crashes -------------------------------------------------------------


def test_two_workers_at_once_write_one_letter_to_each(
    app, opened, join, database, house, clock, now
):
    people = [f"p{number}@home.test" for number in range(6)]
    for email in people:
        join(email)
    clock.moment = now + STARTS
    tools, directory = app.extensions["tools"], app.extensions["directory"]
    with database.reading() as session:
        calls = invitations.waiting(session, directory=directory, now=clock.now())

    def invite():
        with database.transaction() as session:
            return invitations.invite(session, calls, tools=tools, now=clock.now())

    invited = at_once([invite] * 4, threads=4)

    assert sorted(invited) == [0, 0, 0, 6]
    assert sorted(letter.to for letter in house.letters("early")) == people


def test_a_crash_before_the_commit_leaves_everybody_waiting(
    join, letters, worker, house, clock, now, monkeypatch
):
    """SAFETY 1: marked and queued together, or not at all."""
    join(ADA)
    clock.moment = now + STARTS

    def crash(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(invitations.outbox, "put_mails", crash)
        with suppress(KeyboardInterrupt):
            worker.invite(now=clock.now())
    assert house.rows(Outbox, letter="early") == []
    assert house.rows(Entry)[0].invited_at is None

    assert letters() == [ADA]


def test_batches_reach_everybody(join, worker, smtp, clock, now, monkeypatch):
    monkeypatch.setattr(invitations.waiting, "__kwdefaults__", {"most": 2})
    for number in range(5):
        join(f"p{number}@home.test")
    clock.moment = now + STARTS

    rounds = [worker.invite(now=clock.now()) for _ in range(4)]

    assert rounds == [True, True, True, False]


class TestTheProcess:
    PEOPLE = 4
    PATIENCE_S = 120.0

    @pytest.fixture
    def waiting(self, publish, clock, client, house, smtp):
        """People on a list that lets them in since an hour, by the real clock."""
        real = datetime.now(UTC)
        clock.moment = real - STARTS - timedelta(hours=1)
        publish(campaign_file("black-friday"), now=clock.now())
        people = [f"p{number}@home.test" for number in range(self.PEOPLE)]
        for email in people:
            card = take_card(client, LIST)
            card.send(client, {"email": email}, consents=["early_access"])
            house.press(client, house.link("confirm", to=email))
        return people

    @pytest.fixture
    def start(self, environ, tmp_path):
        started = []

        def start():
            program = Program(
                [sys.executable, "-m", "server", "worker"],
                log=tmp_path / f"worker-{len(started)}.log",
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **environ},
            )
            started.append(program)
            return program

        yield start
        for program in started:
            if program.process.poll() is None:
                program.kill()

    def test_killed_again_and_again_it_writes_to_each_once(
        self, waiting, start, smtp, house, database
    ):
        """SAFETY F2, I5: one letter each, one name each, however often it is killed."""
        program = None

        async def kill_after_taking(server, session, envelope):
            answer = await original(server, session, envelope)
            early = [mail for mail in smtp.taken if CODE in mail.text("plain")]
            if program is not None and len(early) in {1, 3}:
                program.process.send_signal(signal.SIGKILL)
                program.process.wait()
            return answer

        original = smtp.handle_DATA
        smtp.handle_DATA = kill_after_taking
        for _ in range(2):
            program = start()
            with suppress(subprocess.TimeoutExpired):
                program.process.wait(self.PATIENCE_S)
            assert program.process.returncode == -signal.SIGKILL
            end_leases(database)
        program = start()

        def states():
            return {row.state for row in house.rows(Outbox, letter="early")}

        until(lambda: states() == {"delivered"}, within_s=self.PATIENCE_S)

        rows = house.rows(Outbox, letter="early")
        assert len(rows) == self.PEOPLE
        early = [mail for mail in smtp.taken if CODE in mail.text("plain")]
        assert {mail.recipients[0] for mail in early} == set(waiting)
        # A mail that was under way when it was killed may come twice, as one.
        assert len({mail.message["Message-ID"] for mail in early}) == self.PEOPLE
        assert len(early) <= self.PEOPLE + 2


def test_the_purposes_words_are_what_the_database_compares(
    database, opened, join, vault
):
    """What `waiting` looks for is what a yes was recorded under."""
    join(ADA)

    campaign, legal = campaign_file("black-friday"), shop_file().legal
    purpose = campaign.purposes[0]
    with database.reading() as session:
        standing = session.scalars(
            select(Standing).where(
                Standing.contact_id == contact_of(session, ADA, vault).id
            )
        ).one()
    assert (
        standing.text_hash == request_text(purpose, purpose.texts["en"], legal).sha256
    )
