"""The ceiling: a Flask view that does only the same rows, and nothing else.

Same server, same database, same tables, same writer lock, prebuilt Core statements
in one transaction (DESIGN.md section 8). It checks nothing, draws nothing, signs
nothing and seals nothing.
"""

import os
from typing import Any

from flask import Flask, Response, render_template_string, request
from sqlalchemy import Table

from server import clock
from server.db import Database
from server.models import (
    Base,
    Campaign,
    ConsentEvent,
    Contact,
    Entry,
    Evidence,
    Link,
    Mailbox,
    OptIn,
    Outbox,
    Placement,
    Prize,
    Shop,
    Voucher,
)
from server.settings import load_settings

PAGE_BYTES = 6 * 1024
# A plain page of 6 KB as Jinja renders one: a head, and a list of short rows.
PAGE = (
    "<!doctype html><html><head><title>{{ title }}</title></head><body><ul>"
    "{% for row in rows %}<li><b>{{ row }}</b> {{ ticket }}</li>{% endfor %}"
    "</ul></body></html>"
)


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


def create_app() -> Flask:
    """Return the bare service, on the database that the settings name."""
    app = Flask(__name__)
    database = Database(load_settings().database_url)
    ids = _first_rows(database)

    @app.post("/bare")
    def entry() -> Response:
        email = request.form["email"]
        with database.transaction() as session:
            _insert(session.connection(), ids, email)
        return Response("ok")

    @app.get("/page")
    def page() -> str:
        return render_template_string(
            PAGE, title="Bare", rows=range(110), ticket=os.urandom(16).hex()
        )

    return app


def _first_rows(database: Database) -> dict[str, int]:
    """Make the shop, campaign, placement and prize that the rows point to."""
    now = clock.now()
    with database.transaction() as session:
        shop = Shop(
            code=f"bare-{os.urandom(4).hex()}",
            name="Bare",
            definition={},
            version=1,
            created_at=now,
        )
        session.add(shop)
        session.flush()
        campaign = Campaign(
            shop_id=shop.id,
            code=shop.code,
            state="published",
            version=1,
            opens_at=now,
            closes_at=now,
            sealed_seed=b"",
            anchor="",
            epochs=1,
            created_at=now,
        )
        session.add(campaign)
        session.flush()
        placement = Placement(campaign_id=campaign.id, code=shop.code, channel="web")
        prize = Prize(campaign_id=campaign.id, key="bare", stock=None)
        session.add_all([placement, prize])
        session.flush()
        return {
            "shop": shop.id,
            "campaign": campaign.id,
            "placement": placement.id,
            "prize": prize.id,
        }


def _insert(connection: Any, ids: dict[str, int], email: str) -> None:
    now = clock.now()
    random = os.urandom
    subject = random(16)
    contact = connection.scalar(
        RETURNING[Contact],
        {
            "public_id": random(12).hex(),
            "shop_id": ids["shop"],
            "email": email,
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
        [
            {
                "key": random(32),
                "sendings": "c1790000000 p1790000000",
                "touched_at": now,
            }
            for _ in range(2)
        ],
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
            "play_print": random(32),
            "claim_print": random(32),
            "answers": {"first_name": "An"},
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
            "wordings": {"newsletter": subject.hex() * 2, "offers": subject.hex() * 2},
            "requested_at": now,
            "expires_at": now,
        },
    )
    proof = random(32)
    connection.execute(
        INSERTS[Evidence],
        {"sha256": proof, "contact_id": contact, "sealed": random(400)},
    )
    connection.execute(
        INSERTS[ConsentEvent],
        [
            {
                "shop_id": ids["shop"],
                "subject_ref": subject,
                "purpose": purpose,
                "channel": "email",
                "act": "requested",
                "method": "form",
                "text_hash": proof,
                "notice_hash": proof,
                "form_hash": proof,
                "locale": "nl",
                "context": {
                    "campaign": "welcome-scratch",
                    "version": 1,
                    "placement": "welcome-inline",
                    "place": "web",
                    "device": None,
                    "page": "http://localhost:8401/demo/done",
                },
                "evidence_hash": proof,
                "optin_id": optin,
                "at": now,
            }
            for purpose in ("newsletter", "offers")
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
                "message_id": f"<{random(16).hex()}@127.0.0.1>",
                "sealed": random(260),
                "state": "waiting",
                "due_at": now,
                "attempts": 0,
                "created_at": now,
            }
            for letter in ("confirm", "prize")
        ],
    )
