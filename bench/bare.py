"""The ceiling: a Flask view that does only the same rows, and nothing else.

Same server, same database, same tables, same writer lock, prebuilt Core statements
in one transaction, as the budgets say; and for PostgreSQL, beside that, all
rows in one statement. It checks, draws, signs and seals nothing.
"""

import os

from flask import Flask, Response, render_template, request

from bench.bare_rows import PURPOSES, insert, insert_at_once
from server import clock
from server.db import Database
from server.domain.consent import Question
from server.models import Campaign, Placement, Prize, Shop
from server.services.questions import Questions
from server.settings import load_settings

PAGE_BYTES = 6 * 1024
# A plain page of 6 KB as Jinja renders one: a head, and a list of short rows.
PAGE = (
    "<!doctype html><html><head><title>{{ title }}</title></head><body><ul>"
    "{% for row in rows %}<li><b>{{ row }}</b> {{ ticket }}</li>{% endfor %}"
    "</ul></body></html>"
)


def create_app() -> Flask:
    """Return the bare service, on the database that the settings name."""
    app = Flask(__name__)
    database = Database(load_settings().database_url)
    ids = _first_rows(database)

    @app.post("/bare")
    def entry() -> Response:
        email = request.form["email"]
        with database.transaction() as session:
            insert(session.connection(), ids, email)
        return Response("ok")

    @app.post("/bare/at-once")
    def entry_at_once() -> Response:
        email = request.form["email"]
        with database.transaction() as session:
            insert_at_once(session.connection(), ids, email)
        return Response("ok")

    template = app.jinja_env.from_string(PAGE)

    @app.get("/page")
    def page() -> str:
        return render_template(
            template, title="Bare", rows=range(110), ticket=os.urandom(16).hex()
        )

    return app


def _first_rows(database: Database) -> dict[str, int]:
    """Make the shop, campaign, placement, prize and questions that rows point to."""
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
        asked = [
            Question(purpose, "email", b"t" * 32, b"n" * 32, b"f" * 32, "nl", {})
            for purpose in PURPOSES
        ]
        questions = Questions().keys(session, asked)
        return dict(zip(PURPOSES, questions, strict=True)) | {
            "shop": shop.id,
            "campaign": campaign.id,
            "placement": placement.id,
            "prize": prize.id,
        }
