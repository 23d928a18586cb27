"""What a campaign's raffles bind the shop to, as rows that exist before any entry."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import raffle as rules
from server.domain.campaign import Campaign as CampaignFile
from server.domain.seals import NONCE_BYTES, Vault
from server.models.campaign import Campaign
from server.models.raffle import Raffle
from server.services.tools import Chance


def keep(
    session: Session,
    campaign: Campaign,
    file: CampaignFile,
    *,
    vault: Vault,
    random: Chance,
) -> None:
    """Bring the rows of a draft in line with its file.

    Each raffle's secret is made here and sealed; its commitment is public (`rf-1`).
    """
    rows = {
        row.key: row
        for row in session.scalars(
            select(Raffle).where(Raffle.campaign_id == campaign.id)
        )
    }
    for wanted in file.raffles:
        row = rows.pop(wanted.key, None)
        if row is None:
            row = _make(campaign, wanted.key, vault=vault, random=random)
            session.add(row)
        row.draws_at = wanted.draws_at(campaign.closes_at)
        row.needs_randomness = bool(wanted.randomness)
    for row in rows.values():
        session.delete(row)
    session.flush()


def _make(campaign: Campaign, key: str, *, vault: Vault, random: Chance) -> Raffle:
    secret = random(rules.SECRET_BYTES)
    return Raffle(
        campaign_id=campaign.id,
        key=key,
        sealed_secret=vault.seal(
            secret, nonce=random(NONCE_BYTES), about=seal_name(campaign.code, key)
        ),
        commitment=rules.commitment(secret),
        state="waiting",
        changes=0,
    )


def seal_name(campaign: str, key: str) -> bytes:
    """Return what a raffle's secret is sealed to, so that it fits no other one."""
    return f"raffle|{campaign}|{key}".encode()
