"""A ledger as big as years of a shop: sealed, signed, and then verified whole."""

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.db import Database
from server.domain.evidence import name_of
from server.domain.seals import Vault
from server.models import Contact, Evidence, OptIn, Standing, Text
from server.models.base import Base, table
from server.models.consent import ConsentEvent
from server.sealing import Sealing
from server.services import ledger, ledger_audit
from tests.factories import make
from tests.stress.service import size
from tests.tooling import NOTARY, tools_with

TOOLS = tools_with(Vault((b"d" * 32,)))
ACTS = ("requested", "doi_sent", "given", "withdrawn")
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_ONCE = 2_500
# What a sealed piece of evidence weighs.
SEALED_BYTES = 180


def columns(row: Base) -> dict[str, Any]:
    """Return a row's values by the names of its columns."""
    return {each.name: getattr(row, each.name) for each in row.__table__.columns}


def fill(database: Database, *, people: int, days: int) -> None:
    """Store people with four facts each, ended by a withdrawal."""
    with database.transaction() as session:
        shown = hashlib.sha256(b"Yes.").digest()
        make(session, Text, now=FIRST, sha256=shown, body="Yes.")
        optin = make(session, OptIn, now=FIRST)
        person = session.get_one(Contact, optin.contact_id)
        person.sealed_key = b"sealed"
        fact = make(
            session,
            ConsentEvent,
            now=FIRST,
            contact=person,
            optin_id=optin.id,
            act="requested",
            context={"campaign": "lucky", "version": 1, "place": "web", "page": "/x"},
            **dict.fromkeys(("text_hash", "notice_hash", "form_hash"), shown),
            evidence_hash=hashlib.sha256(b"first").digest(),
        )
        make(
            session,
            Evidence,
            now=FIRST,
            contact_id=person.id,
            sealed=b"first",
            name=name_of(fact.evidence_hash),
        )
        like, acted, purpose = columns(person), columns(fact), fact.purpose
    first_contact, first_fact = like["id"] + 1, acted["id"] + 1
    for start in range(0, people, AT_ONCE):
        rows: dict[type[Base], list[dict[str, Any]]] = {
            model: [] for model in (Contact, Evidence, ConsentEvent, Standing)
        }
        for number in range(start, min(start + AT_ONCE, people)):
            own = hashlib.sha256(b"person %d" % number).digest()
            contact_id = first_contact + number
            rows[Contact].append(
                like
                | {"id": contact_id, "subject_ref": own[:16], "public_id": own.hex()}
                | {"email_hash": own}
            )
            at = FIRST + timedelta(days=number * days // people)
            for place, act in enumerate(ACTS):
                sealed = (own * SEALED_BYTES)[: SEALED_BYTES - 1] + bytes([place])
                named = hashlib.sha256(sealed).digest()
                rows[Evidence].append(
                    {"name": name_of(named), "contact_id": contact_id, "sealed": sealed}
                )
                event_id = first_fact + number * len(ACTS) + place
                own_fact = {"id": event_id, "contact_id": contact_id, "act": act}
                rows[ConsentEvent].append(
                    acted | own_fact | {"evidence_hash": named, "at": at}
                )
            rows[Standing].append(
                {
                    "contact_id": contact_id,
                    "purpose": purpose,
                    "act": act,
                    "text_hash": shown,
                    "event_id": event_id,
                }
            )
        with database.transaction() as session:
            for model, values in rows.items():
                session.connection().execute(table(model).insert(), values)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(4_000, id="4000"),
        pytest.param(size("EVENTS", 1_000_000), id="full", marks=pytest.mark.stress),
    ],
)
def test_a_big_ledger_is_sealed_signed_and_whole(
    database: Database, events: int, say: Callable[[str], None]
) -> None:
    """PR-05, G4: every entry hashed anew, every proof looked at, every yes asked."""
    fill(database, people=events // len(ACTS), days=9)
    sealing = Sealing(database, TOOLS)
    began, sealed = time.monotonic(), 0
    for day in range(10):
        now = FIRST + timedelta(days=day + 1)
        while done := sealing.go_round(now=now):
            sealed += done
    sealing_s = time.monotonic() - began

    began = time.monotonic()
    with database.standing_still() as session:
        (tip,) = ledger.tips(session)
        whole = ledger_audit.verify(
            session, tip, keys=NOTARY.publics, step=lambda _: None, now=now
        )
    say(
        f"{sealed:,} facts sealed in {sealing_s:.0f} s, "
        f"verified in {time.monotonic() - began:.0f} s"
    )

    assert sealed == whole.entries == whole.covered == events + 1
    assert whole.waiting == 0
