"""The rows of one entry, written by the shortest way each database knows."""

import os

from sqlalchemy import Connection, Table, text

from server import clock
from server.domain.evidence import NAME_BYTES, name_of
from server.models import (
    Base,
    ConsentEvent,
    Contact,
    Entry,
    Evidence,
    Link,
    Mailbox,
    OptIn,
    Outbox,
    Voucher,
)

PURPOSES = ("newsletter", "offers")
# What a sealed piece of evidence of an entry weighs.
EVIDENCE_BYTES = 159
ANSWERS = '{"first_name":"An"}'


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


INSERTS = {
    model: _table(model).insert()
    for model in (ConsentEvent, Evidence, Mailbox, Outbox, Voucher)
}
RETURNING = {
    model: _table(model).insert().returning(_table(model).c.id)
    for model in (Contact, Entry, OptIn, Link)
}

# PostgreSQL's own ceiling: every row of an entry in one statement, one round trip.
CTE = """
WITH contact AS (
  INSERT INTO contact (public_id, shop_id, sealed_email, email_hash, subject_ref,
    sealed_key, locale, created_at, seen_at)
  VALUES (:public_id, :shop, :sealed_email, :h1, :subject, :sealed_key, 'nl', :now,
    :now)
  RETURNING id
), mailbox AS (
  INSERT INTO mailbox (key, sendings, touched_at)
  VALUES (:mailbox, 'c1790000000/1 p1790000000/1', :now)
), entry AS (
  INSERT INTO entry (ticket, campaign_id, version, placement_id, contact_id, state,
    locale, browser_seed, epoch, drawn, awarded, play_print, claim_print,
    sealed_answers, played_at, claimed_at)
  SELECT :ticket, :campaign, 1, :placement, contact.id, 'claimed', 'nl', :seed, 1,
    'ten_percent', 'ten_percent', :p1, :p2, :answers, :now, :now
  FROM contact RETURNING id
), voucher AS (
  INSERT INTO voucher (prize_id, code, state, entry_id, awarded_at)
  SELECT :prize, 'ZON10', 'awarded', entry.id, :now FROM entry
), optin AS (
  INSERT INTO optin (contact_id, entry_id, state, requested_at, expires_at)
  SELECT contact.id, entry.id, 'requested', :now, :now
  FROM contact, entry RETURNING id
), evidence AS (
  INSERT INTO evidence (contact_id, name, sealed)
  SELECT contact.id, :name, :evidence FROM contact
), event AS (
  INSERT INTO consent_event (shop_id, contact_id, question_id, act, method,
    evidence_hash, optin_id, at)
  SELECT :shop, contact.id, question, 'requested', 'form', :h1, optin.id,
    :now
  FROM contact, optin, (VALUES (:newsletter), (:offers)) AS questions (question)
), link AS (
  INSERT INTO link (secret_hash, contact_id, entry_id, optin_id, created_at)
  SELECT :h1, contact.id, entry.id, optin.id, :now FROM contact, entry, optin
)
INSERT INTO outbox (shop_id, contact_id, optin_id, letter, message_id, sealed, state,
  due_at, attempts, created_at)
SELECT :shop, contact.id, optin.id, letter, letter || :message_id, :mail, 'waiting',
  :now, 0, :now
FROM contact, optin, (VALUES ('confirm'), ('prize')) AS letters (letter)
"""

AT_ONCE = text(CTE)


def insert_at_once(connection: Connection, ids: dict[str, int], email: str) -> None:
    """Write them all in one statement, for PostgreSQL."""
    random = os.urandom
    subject = random(16)
    connection.execute(
        AT_ONCE,
        ids
        | {
            "sealed_email": random(len(email) + 28),
            "now": int(clock.now().timestamp() * 1000),
        }
        | {"public_id": random(9).hex(), "subject": subject}
        | {"name": random(NAME_BYTES), "h1": random(32), "mailbox": random(16)}
        | {"p1": random(8), "p2": random(8)}
        | {"sealed_key": random(64), "ticket": random(16), "seed": random(16)}
        | {"evidence": random(EVIDENCE_BYTES), "mail": random(260)}
        | {"answers": random(len(ANSWERS) + 28)}
        | {"message_id": f"<{random(12).hex()}@127.0.0.1>"},
    )


def insert(connection: Connection, ids: dict[str, int], email: str) -> None:
    """Write them with prebuilt Core statements."""
    now = clock.now()
    random = os.urandom
    subject = random(16)
    contact = connection.scalar(
        RETURNING[Contact],
        {
            "public_id": random(9).hex(),
            "shop_id": ids["shop"],
            # As long as it is once it is sealed.
            "sealed_email": random(len(email) + 28),
            "email_hash": random(32),
            "subject_ref": subject,
            "sealed_key": random(64),
            "locale": "nl",
            "created_at": now,
            "seen_at": now,
        },
    )
    connection.execute(
        INSERTS[Mailbox],
        {
            "key": random(16),
            "sendings": "c1790000000/1 p1790000000/1",
            "touched_at": now,
        },
    )
    entry = connection.scalar(
        RETURNING[Entry],
        {
            "ticket": random(16),
            "campaign_id": ids["campaign"],
            "version": 1,
            "placement_id": ids["placement"],
            "contact_id": contact,
            "state": "claimed",
            "locale": "nl",
            "browser_seed": random(16),
            "epoch": 1,
            "drawn": "ten_percent",
            "awarded": "ten_percent",
            "unit": None,
            "play_print": random(8),
            "claim_print": random(8),
            "sealed_answers": random(len(ANSWERS) + 28),
            "played_at": now,
            "claimed_at": now,
        },
    )
    connection.execute(
        INSERTS[Voucher],
        {
            "prize_id": ids["prize"],
            "number": None,
            "code": "ZON10",
            "state": "awarded",
            "entry_id": entry,
            "awarded_at": now,
        },
    )
    optin = connection.scalar(
        RETURNING[OptIn],
        {
            "contact_id": contact,
            "entry_id": entry,
            "state": "requested",
            "requested_at": now,
            "expires_at": now,
        },
    )
    proof = random(32)
    connection.execute(
        INSERTS[Evidence],
        {
            "contact_id": contact,
            "name": name_of(proof),
            "sealed": random(EVIDENCE_BYTES),
        },
    )
    connection.execute(
        INSERTS[ConsentEvent],
        [
            {
                "shop_id": ids["shop"],
                "contact_id": contact,
                "question_id": ids[purpose],
                "act": "requested",
                "method": "form",
                "evidence_hash": proof,
                "optin_id": optin,
                "at": now,
            }
            for purpose in PURPOSES
        ],
    )
    connection.scalar(
        RETURNING[Link],
        {
            "secret_hash": random(32),
            "contact_id": contact,
            "entry_id": entry,
            "optin_id": optin,
            "created_at": now,
        },
    )
    connection.execute(
        INSERTS[Outbox],
        [
            {
                "shop_id": ids["shop"],
                "contact_id": contact,
                "optin_id": optin,
                "letter": letter,
                "message_id": f"<{random(12).hex()}@127.0.0.1>",
                "sealed": random(260),
                "state": "waiting",
                "due_at": now,
                "attempts": 0,
                "created_at": now,
            }
            for letter in ("confirm", "prize")
        ],
    )
