"""Network addresses in evidence, sealed under the key of their month (DS-04)."""

from datetime import datetime

import pytest

from server.db import Database
from server.domain.seals import KEY_BYTES, NONCE_BYTES, Vault, seal_for
from server.services import traces
from server.services.tools import Tools
from tests.tooling import tools_with

ABOUT, NONCE = b"s" * 16, b"n" * NONCE_BYTES
FACTS = {"ip": "192.0.2.7", "link": 1}


@pytest.fixture
def tools(vault: Vault) -> Tools:
    return tools_with(vault)


def cover(session, tools: Tools, now: datetime):
    return traces.covered(
        session, FACTS, about=ABOUT, nonce=NONCE, tools=tools, now=now
    )


def test_a_key_that_was_taken_back_seals_nothing_more(
    database: Database, tools: Tools, vault: Vault, now: datetime
):
    """AB-03: the first fact of a month may be of work that is only pretended."""
    with database.transaction() as session:
        pretence = session.connection().begin_nested()
        # The second one finds the key that the first has stored.
        for _ in range(2):
            cover(session, tools, now)
        pretence.rollback()

    with database.transaction() as session:
        told, trace = cover(session, tools, now)

    with database.reading() as session:
        shown = traces.uncovered(session, told, trace, about=ABOUT, vault=vault)
    assert shown["ip"] == FACTS["ip"]


def test_a_key_that_stays_is_remembered(
    database: Database, tools: Tools, now: datetime
):
    with database.transaction() as session:
        cover(session, tools, now)

    assert list(tools.months) == [f"{now:%Y-%m}"]


def test_a_trace_under_another_key_hides_nothing_but_the_address(
    database: Database, tools: Tools, vault: Vault, now: datetime
):
    """Earlier versions could forget a key, and sealed a month of addresses with it."""
    with database.transaction() as session:
        told, _ = cover(session, tools, now)
    lost = seal_for(b"k" * KEY_BYTES, b"192.0.2.7", nonce=NONCE, about=ABOUT)

    with database.reading() as session:
        shown = traces.uncovered(session, told, lost, about=ABOUT, vault=vault)

    assert shown == {"link": 1, "network": "192.0.2.0/24"}
