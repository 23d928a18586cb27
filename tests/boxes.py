"""Boxes with a code in each, for the tests of what becomes of them."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.db import Database
from server.domain.boxcodes import Label
from server.domain.seals import Vault
from server.services import boxcodes
from server.services.boxcodes import Wanted
from tests.visits import Card, ticket_in

PLACEMENT = "box-scratch-code"
ENTRIES = f"/w/{PLACEMENT}/entries"
LINK = re.compile(r"/b/[\w-]{22}")


@dataclass(frozen=True, slots=True)
class Boxes:
    """A batch that was made, with its labels as they would be printed."""

    batch: str
    labels: list[Label]


def fill_boxes(
    database: Database, vault: Vault, *, now: datetime, size: int = 3, **more: Any
) -> Boxes:
    """Make a batch and return it with all its labels."""
    wanted = Wanted(**{"placement": PLACEMENT, "name": "Autumn", "size": size} | more)
    with database.transaction() as session:
        batch = boxcodes.create(
            session, wanted, vault=vault, now=now, random=os.urandom
        )
    with database.reading() as session:
        sheets = boxcodes.sheets(session, batch, vault=vault)
    assert sheets
    return Boxes(batch, list(sheets.labels(1, size + 1)))


def scan(client: FlaskClient, label: Label) -> TestResponse:
    """Point a phone at a label, and do nothing else."""
    return client.get(f"/b/{label.qr}?lang=en")


def take_box(client: FlaskClient, label: Label) -> Card:
    """Scan a label and return the ticket that comes with the game."""
    answer = scan(client, label)
    assert answer.status_code == 200, answer.status
    return Card(ENTRIES, ticket_in(answer))


Filled = Callable[..., Boxes]
