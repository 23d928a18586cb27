"""Killed at any moment, under load, with a mail server that fails (G2, G3, F1, F2)."""

import collections
import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from server.domain.seals import Vault
from tests.conftest import load_database_url
from tests.mail import MailServer, Mode
from tests.people import email_of
from tests.servers import Postgres
from tests.stress.conftest import PLACEMENT
from tests.stress.service import PATIENCE_S, Play, Player, Service, size
from tests.stress.test_awards import assert_no_error

STOCK = 200
SEALED = "c.subject_ref, c.sealed_key, c.sealed_email"
LEASE_S = 5
# None: the mail server is not there.
MOODS = [Mode.OK, Mode.LATER, Mode.OK, Mode.DROP, Mode.GREY, None]
# The first waits of a retry are minutes; here they are brought forward.
DRAIN_S = 180.0
CHECK_INDEXES = """
  SELECT bt_index_check(c.oid, true) FROM pg_class c
  JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.amname = 'btree' AND n.nspname = 'public' AND c.relkind = 'i'
"""


@pytest.fixture
def cluster(database_kind: str, request: pytest.FixtureRequest) -> Postgres | None:
    """The PostgreSQL server of this run, if it is the one that is used."""
    if database_kind == "sqlite":
        return None
    found: Postgres = request.getfixturevalue("postgres")
    return found


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(2, id="2"),
        pytest.param(size("KILLS", 50), id="full", marks=pytest.mark.stress),
    ],
)
def test_what_was_acknowledged_survives_every_kill(
    serve: Callable[..., Service],
    ask: Callable[[str], list[Any]],
    smtp: MailServer,
    bare_database_url: str,
    cluster: Postgres | None,
    rounds: int,
    say: Callable[[str], None],
) -> None:
    """I1, I3 to I8 over kills of web and worker and all moods of a mail server."""
    service = serve(
        stock=STOCK,
        weight=2,
        smtp_url=smtp.url,
        JAWOORD_LEASE_SECONDS=str(LEASE_S),
    )
    crowd = Crowd(service, size=8)
    weather = Weather(smtp)
    crowd.start()
    weather.start()
    chance = random.Random(7)  # noqa: S311  # when to kill, nothing secret

    try:
        for _ in range(rounds):
            crowd.wait_for_another()
            time.sleep(chance.uniform(0.0, 1.0))
            service.kill_web()
            time.sleep(chance.uniform(0.3, 1.5))
            service.kill_worker()
    finally:
        won = crowd.stop()
        weather.stop()
    assert crowd.broken == []
    drain(service, ask, bare_database_url)

    kills = 2 * rounds
    check_entries(ask, won, service.vault)
    check_awards(ask, won, service.vault)
    sent = check_mails(ask, smtp, most_extra=rounds + weather.cuts)
    check_database(ask, cluster)
    refused = {status for player in crowd.players for status in player.refused}
    assert refused <= {503, 429}
    say(
        f"{kills} kills, {len(won)} acknowledged plays, {len(sent)} mails due, "
        f"{len(smtp.taken) - len(sent)} sent twice, {weather.cuts} cut lines, "
        f"{sum(p.cuts for p in crowd.players)} broken connections",
    )
    assert_no_error(service)


class Crowd:
    """Visitors who play one game after another until they are told to stop."""

    def __init__(self, service: Service, *, size: int) -> None:
        self.players = [Player(service.port, PLACEMENT) for _ in range(size)]
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()
        self._ending = threading.Event()
        self._won: list[Play] = []
        self.broken: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(player,))
            for player in self.players
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for_another(self) -> None:
        """Return once a play is acknowledged, however slow the machine is."""
        before, deadline = len(self._won), time.monotonic() + PATIENCE_S
        while len(self._won) == before:
            assert not self.broken, self.broken
            assert time.monotonic() < deadline, "nobody gets to play"
            time.sleep(0.05)

    def stop(self) -> list[Play]:
        """Let each end the game it is in, and return all that was acknowledged."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        return self._won

    def _work(self, player: Player) -> None:
        try:
            while not self._ending.is_set():
                with self._turn:
                    number = next(self._numbers)
                consents = ("newsletter",) if number % 2 else ()
                play = player.play(f"speler.{number}@huispost.nl", *consents)
                with self._turn:
                    self._won.append(play)
                # Enough to keep the house busy, not to fill its queue for hours.
                time.sleep(0.1)
        except BaseException as error:
            self.broken.append(error)
            raise
        finally:
            player.close()


class Weather:
    """A mail server that takes mail, puts it off, cuts the line and goes away.

    It may also know only who came before.
    """

    def __init__(self, smtp: MailServer) -> None:
        self._smtp = smtp
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._change)

    @property
    def cuts(self) -> int:
        """How many mails were taken without a word; each may come once more."""
        return len(self._smtp.dropped)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Be fair from now on."""
        self._ending.set()
        self._thread.join()

    def _change(self) -> None:
        for mood in itertools.cycle(MOODS):
            if self._ending.wait(1.0):
                break
            if mood is None:
                self._smtp.stop()
                self._ending.wait(1.0)
                self._smtp.start()
            else:
                self._smtp.mode = mood
        self._smtp.mode = Mode.OK


def drain(service: Service, ask: Callable[[str], list[Any]], url: str) -> None:
    """Let the time until the next tries pass, until every mail has gone."""
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        bring_forward(url)
        left = ask(
            "SELECT count(*) FROM outbox WHERE state NOT IN ('delivered', 'dropped')"
        )
        if left == [(0,)]:
            return
        time.sleep(1.0)
    raise AssertionError(
        ask("SELECT state, attempts, count(*) FROM outbox GROUP BY 1, 2")
    )


def bring_forward(url: str) -> None:
    """Make every mail that waits for its next try due now."""
    engine = create_engine(load_database_url(url), connect_args=_patience(url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE outbox SET due_at = created_at "
                "WHERE state = 'waiting' AND due_at > created_at"
            )
        )
    engine.dispose()


def _patience(url: str) -> dict[str, Any]:
    return {"timeout": 30} if url.startswith("sqlite") else {}


def check_entries(
    ask: Callable[[str], list[Any]], won: list[Play], vault: Vault
) -> None:
    """I1, I4: each acknowledged play is there once, with the outcome that was shown."""
    stored = collections.Counter(
        email_of(row, vault)
        for row in ask(
            f"SELECT {SEALED} FROM entry e JOIN contact c ON c.id = e.contact_id"  # noqa: S608  # our own columns
        )
    )
    lost = [play.email for play in won if not stored[play.email]]
    twice = [email for email, count in stored.items() if count > 1]
    assert lost == []
    assert twice == []
    assert ask("SELECT count(*) - count(DISTINCT ticket) FROM entry") == [(0,)]


def check_awards(
    ask: Callable[[str], list[Any]], won: list[Play], vault: Vault
) -> None:
    """I3: no more than there were, no code twice, none off the record."""
    codes = [play.code for play in won if play.code]
    awarded = {
        row.code: email_of(row, vault)
        for row in ask(
            f"SELECT v.code, {SEALED} FROM voucher v "  # noqa: S608  # our own columns
            "JOIN entry e ON e.id = v.entry_id "
            "JOIN contact c ON c.id = e.contact_id WHERE v.state = 'awarded'"
        )
    }
    assert len(codes) == len(set(codes))
    assert {play.code: play.email for play in won if play.code}.items() <= (
        awarded.items()
    )
    assert len(awarded) <= STOCK
    assert ask("SELECT count(*) FROM voucher") == [(STOCK,)]
    assert ask("SELECT count(*) FROM entry WHERE awarded = 'mug'") == [(len(awarded),)]


def check_mails(
    ask: Callable[[str], list[Any]], smtp: MailServer, *, most_extra: int
) -> set[str]:
    """I5, I6: all that was due came, under one Message-ID, and nothing else did."""
    due = {
        _bare(message_id)
        for (message_id,) in ask(
            "SELECT message_id FROM outbox WHERE state = 'delivered'"
        )
    }
    came = collections.Counter(str(mail.message["Message-ID"]) for mail in smtp.taken)
    by_id = {str(m.message["Message-ID"]): m.recipients for m in smtp.taken}
    known = {_bare(message_id): count for message_id, count in came.items()}
    assert set(known) == due
    assert all(len(recipients) == 1 for recipients in by_id.values())
    assert max(known.values(), default=1) <= 3
    assert sum(known.values()) - len(known) <= most_extra
    assert ask(
        "SELECT count(*) FROM entry e WHERE e.awarded = 'mug' AND NOT EXISTS "
        "(SELECT 1 FROM outbox o WHERE o.contact_id = e.contact_id "
        "AND o.letter = 'prize')"
    ) == [(0,)]
    return set(known)


def _bare(message_id: str) -> str:
    return message_id.strip("<> ")


def check_database(ask: Callable[[str], list[Any]], cluster: Postgres | None) -> None:
    """I8, I2: the database is whole, and every consent has its proof."""
    if cluster is None:
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
    else:
        with cluster.admin("bare") as admin:
            admin.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            admin.execute(CHECK_INDEXES)
    assert ask(
        "SELECT count(*) FROM consent_event e "
        "LEFT JOIN evidence p "
        "ON p.contact_id = e.contact_id AND p.name = substr(e.evidence_hash, 1, 8) "
        "WHERE p.name IS NULL"
    ) == [(0,)]
