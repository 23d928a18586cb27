"""A draft with a pool, and how its codes come in."""

import os

import pytest
from sqlalchemy import select

from server.models import Prize, Voucher
from server.services import campaigns
from tests.factories import (
    campaign_file,
    prize_table,
    publish,
    with_pictures,
)
from tests.visits import NOTHING

CODES = [f"SHOP-{number:04d}" for number in range(1, 13)]


NAMED = {
    "code": "pooled",
    "fallback": "nothing",
    "placements": [
        {"code": "pooled-inline", "channel": "web", "shape": "inline"},
    ],
}


def pooled(**changes):
    """Return a campaign of mugs whose codes another system made."""
    mug = prize_table(pool=True, **changes)
    if "stock" not in changes:
        del mug["stock"]
    return campaign_file("welcome-scratch", **NAMED, prizes=[mug, NOTHING])


@pytest.fixture
def save(database, vault, now):
    """Store the campaign, as a draft or published."""

    def save(file=None, *, publish=True):
        with database.transaction() as session:
            file = with_pictures(session, file or pooled(), now=now)
            return campaigns.save(
                session,
                file,
                vault=vault,
                now=now,
                random=os.urandom,
                publish=publish,
            )

    return save


@pytest.fixture
def draft(database, vault, now, save):
    """A draft with an empty pool; its shop has another campaign of ten mugs."""
    with database.transaction() as session:
        other = campaign_file(
            prizes=[prize_table(stock=3), NOTHING], fallback="nothing"
        )
        publish(session, other, vault=vault, now=now)
    save(publish=False)


@pytest.fixture
def bring_in(run, tmp_path, draft):
    """Import a file of codes and return how the command ended."""

    def bring_in(body, prize="mug", campaign="pooled"):
        file = tmp_path / "codes.txt"
        file.write_bytes(body if isinstance(body, bytes) else body.encode())
        return run("prize", "codes", "import", campaign, prize, file)

    return bring_in


@pytest.fixture
def kept(database):
    """The codes of the pool in order, its size, and whether an import is under way."""

    def kept():
        with database.reading() as session:
            campaign = select(campaigns.models.Campaign.id).filter_by(code="pooled")
            prize = session.scalars(
                select(Prize).where(Prize.campaign_id.in_(campaign), Prize.key == "mug")
            ).one()
            found = session.scalars(
                select(Voucher.code)
                .where(Voucher.prize_id == prize.id)
                .order_by(Voucher.number)
            ).all()
            return list(found), prize.stock, prize.importing is not None

    return kept
