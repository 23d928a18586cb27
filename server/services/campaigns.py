"""Publish campaigns from their files, and find what visitors may see of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from server.domain import chance, lint
from server.domain.campaign import Campaign, parse_campaign
from server.domain.parts import Fault, FileError, as_tables
from server.domain.placement import Placement
from server.domain.seals import NONCE_BYTES, Vault
from server.domain.shop import Retention, ShopFile, parse_shop
from server.models import campaign as models
from server.models.base import rows_changed
from server.models.placement import Placement as PlacementRow
from server.models.prize import Prize as PrizeRow
from server.models.shop import Shop
from server.services import (
    audiences,
    images,
    prizes,
    raffle_promises,
    shared_codes,
    shops,
)
from server.services.tools import Chance

KNOWN_FOR = timedelta(seconds=1)
FROZEN = (
    *("mechanic", "award", "flow", "fallback", "starts", "ends", "days"),
    *("entries_per_address", "entries_per_day", "person"),
)
FROZEN_PRIZE = (
    *("key", "kind", "weight", "stock", "value_cents", "code"),
    *("pool", "valid_days", "returns", "release", "options", "raffle"),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What an import did, and what it would advise."""

    version: int
    is_new_version: bool
    advice: list[Fault]


@dataclass(frozen=True, slots=True)
class Live:
    """A placement, its campaign and its shop, as one version serves them."""

    campaign_id: int
    shop_id: int
    placement_id: int
    version: int
    shop_version: int
    state: str
    opens_at: datetime
    closes_at: datetime
    shop: ShopFile
    campaign: Campaign
    placement: Placement
    table: chance.Table
    prize_ids: dict[str, int]
    last_seed: bytes
    epochs: int
    # Limited prizes without a free unit as of a moment ago; a draw does not rely on it.
    sold_out: frozenset[str] = frozenset()
    # Those whose units of today are used up, and when more are released.
    resting: tuple[tuple[str, datetime], ...] = ()
    # Until when it asks everybody for a proof, because of a spike (AB-02).
    guarded_until: datetime | None = None

    @property
    def gone(self) -> frozenset[str]:
        """Return the prizes that cannot be won at this moment."""
        return self.sold_out.union(key for key, _ in self.resting)

    def is_guarded(self, now: datetime) -> bool:
        """Return whether a spike makes it stricter at this moment."""
        return self.guarded_until is not None and now < self.guarded_until

    def is_open(self, now: datetime) -> bool:
        """Return whether somebody may play at this moment."""
        return self.state == "published" and self.opens_at <= now < self.closes_at

    def seed(self, epoch: int) -> bytes:
        """Return the secret seed of a campaign day."""
        return chance.seed_for(self.last_seed, epochs=self.epochs, epoch=epoch)


def save_shop(session: Session, shop: ShopFile, *, now: datetime) -> Shop:
    """Make a shop from its file, or bring it up to date.

    Raises `FileError` if a picture that it names is not kept here.
    """
    if faults := images.missing(session, shop):
        raise FileError(faults)
    row = shops.find(session, shop.code)
    if row is None:
        row = Shop(code=shop.code, created_at=now, version=0)
        session.add(row)
    row.name = shop.name
    row.definition = as_tables(shop)
    row.version += 1
    session.flush()
    return row


def save(
    session: Session,
    campaign: Campaign,
    *,
    vault: Vault,
    now: datetime,
    random: Chance,
    publish: bool = True,
) -> Saved:
    """Make a campaign from its file, or a new version of it.

    Raises `FileError` naming every fault; then nothing of it is stored. Once
    published, odds, prizes and dates stay as they are (PZ-09); until then each file
    brings its own.
    """
    shop = shops.find(session, campaign.shop)
    row = session.scalar(
        select(models.Campaign)
        .where(models.Campaign.code == campaign.code)
        # What was a draft a moment ago may be promised by another import now.
        .with_for_update(key_share=True)
    )
    before = load(session, campaign.code)
    pools = prizes.pools(session, row.id, before) if row and before else {}
    campaign = prizes.counted(campaign, pools)
    faults = lint.judge(campaign) + _foreign_faults(session, campaign, shop, row)
    if publish:
        faults += prizes.pool_faults(campaign, pools)
    if row is None or row.state == "draft":
        faults += lint.not_too_late(campaign, now)
        faults += _shared_faults(session, campaign, shop, row)
    refusals = [fault for fault in faults if fault.refuses]
    # A missing shop is among the faults.
    if refusals or shop is None:
        raise FileError(refusals)
    if row is None:
        row = models.Campaign(shop_id=shop.id, code=campaign.code, created_at=now)
        row.state, row.version = "draft", 0
        session.add(row)
    if row.state == "draft":
        _set_dates(row, campaign, vault=vault, now=now, random=random)
        session.flush()
        prizes.stock(session, row.id, campaign, before=before, random=random)
        raffle_promises.keep(session, row, campaign, vault=vault, random=random)
    is_new = _add_version(session, row, campaign, now=now)
    _place(session, row, campaign)
    row.invites_at, row.invites_until = (
        campaign.early_access.window(row.opens_at)
        if campaign.early_access
        else (None, None)
    )
    if publish and row.state == "draft":
        row.state = "published"
    session.flush()
    return Saved(row.version, is_new, [fault for fault in faults if not fault.refuses])


def load(session: Session, code: str) -> Campaign | None:
    """Return the newest version of a campaign, as its file would say it."""
    definition = session.scalar(
        select(models.CampaignVersion.definition)
        .join(models.Campaign, models.Campaign.id == models.CampaignVersion.campaign_id)
        .where(
            models.Campaign.code == code,
            models.CampaignVersion.number == models.Campaign.version,
        )
    )
    return None if definition is None else parse_campaign(definition)


def days_of(session: Session, code: str) -> int | None:
    """Return how many days a campaign is open, as it is stored; None if there is none.

    A file that says only when it ends is counted from when it was brought in.
    """
    return session.scalar(
        select(models.Campaign.epochs).where(models.Campaign.code == code)
    )


def shop_named(session: Session, code: str) -> ShopFile | None:
    """Return a shop as its file says it, or None."""
    definition = session.scalar(select(Shop.definition).where(Shop.code == code))
    return None if definition is None else parse_shop(definition)


def terms(session: Session, shop_id: int) -> Retention:
    """Return how long a shop keeps what it knows, as its newest file says it."""
    told = session.scalar(select(Shop.definition).where(Shop.id == shop_id)) or {}
    return Retention.model_validate(told.get("retention", {}))


def set_paused(session: Session, campaign_id: int, *, paused: bool) -> bool:
    """Pause a published campaign or let a paused one go on; False if it was not so."""
    before, after = ("published", "paused") if paused else ("paused", "published")
    found = session.execute(
        update(models.Campaign)
        .where(models.Campaign.id == campaign_id, models.Campaign.state == before)
        .values(state=after)
    )
    return rows_changed(found) == 1


_RUNNING = (
    select(func.min(PlacementRow.code))
    .join(models.Campaign, models.Campaign.id == PlacementRow.campaign_id)
    .where(
        models.Campaign.shop_id == bindparam("shop_id"),
        models.Campaign.state == "published",
        models.Campaign.opens_at <= bindparam("moment"),
        models.Campaign.closes_at > bindparam("moment"),
        PlacementRow.is_retired.is_(False),
    )
    .group_by(models.Campaign.id)
    .order_by(models.Campaign.id.desc())
)


class Directory:
    """Finds what a placement's code shows, and remembers it for a second.

    Every process keeps its own, so a pause reaches all of them within `KNOWN_FOR`.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[str, tuple[datetime, Live]] = {}
        self._running: dict[int, tuple[datetime, tuple[Live, ...]]] = {}
        self._built: dict[tuple[int, int, int], Live] = {}
        self._campaigns: dict[tuple[int, int], Campaign] = {}
        self._shops: dict[tuple[int, int], ShopFile] = {}

    def find(self, session: Session, code: str, *, now: datetime) -> Live | None:
        """Return what visitors may see under a code, open or not; None if nothing."""
        return self.known(code, now=now) or self._fresh(session, code, now=now)

    def _fresh(self, session: Session, code: str, *, now: datetime) -> Live | None:
        live = self._look_up(session, code, now=now)
        if live is None:
            self._known.pop(code, None)
        else:
            self._known[code] = (now, live)
        return live

    def running(
        self, session: Session, shop_id: int, *, now: datetime
    ) -> tuple[Live, ...]:
        """Return one placement of each of a shop's open campaigns, the newest first."""
        at, lives = self._running.get(shop_id, (now, None))
        if lives is None or abs(now - at) >= KNOWN_FOR:
            codes = session.scalars(_RUNNING, {"shop_id": shop_id, "moment": now})
            # Not as remembered, or what is shown could be two seconds old.
            found = [self._fresh(session, code, now=now) for code in codes.all()]
            lives = tuple(live for live in found if live and live.is_open(now))
            self._running[shop_id] = (now, lives)
        return lives

    def campaign(self, session: Session, campaign_id: int, number: int) -> Campaign:
        """Return one version of a campaign; versions never change, so it is kept."""
        key = (campaign_id, number)
        if key not in self._campaigns:
            definition = session.scalars(
                select(models.CampaignVersion.definition).where(
                    models.CampaignVersion.campaign_id == campaign_id,
                    models.CampaignVersion.number == number,
                )
            ).one()
            self._campaigns[key] = parse_campaign(definition)
        return self._campaigns[key]

    def shop(self, session: Session, shop_id: int, version: int) -> ShopFile:
        """Return a shop as its newest file says it; `version` is its row's."""
        key = (shop_id, version)
        if key not in self._shops:
            row = session.get_one(Shop, shop_id)
            self._shops[key] = parse_shop(row.definition)
        return self._shops[key]

    def forget(self) -> None:
        """Look everything up again, because this process has just changed it."""
        self._known.clear()
        self._running.clear()

    def known(self, code: str, *, now: datetime) -> Live | None:
        """Return what was found under a code within the last second."""
        known = self._known.get(code)
        return known[1] if known and abs(now - known[0]) < KNOWN_FOR else None

    def _look_up(self, session: Session, code: str, *, now: datetime) -> Live | None:
        found = session.execute(
            select(PlacementRow, models.Campaign, Shop.version)
            .join(models.Campaign, models.Campaign.id == PlacementRow.campaign_id)
            .join(Shop, Shop.id == models.Campaign.shop_id)
            .where(PlacementRow.code == code, PlacementRow.is_retired.is_(False))
        ).one_or_none()
        if found is None or found[1].state == "draft":
            return None
        placement, row, shop_version = found
        key = (placement.id, row.version, shop_version)
        if key not in self._built:
            self._built[key] = self._assemble(session, placement, row, shop_version)
        built = self._built[key]
        sold_out, resting = _lacking(session, built, now=now)
        return replace(
            built,
            state=row.state,
            sold_out=sold_out,
            resting=resting,
            guarded_until=row.guarded_until,
        )

    def _assemble(
        self,
        session: Session,
        placement: PlacementRow,
        row: models.Campaign,
        shop_version: int,
    ) -> Live:
        campaign = self.campaign(session, row.id, row.version)
        prize_ids = session.execute(
            select(PrizeRow.key, PrizeRow.id).where(PrizeRow.campaign_id == row.id)
        )
        return Live(
            campaign_id=row.id,
            shop_id=row.shop_id,
            placement_id=placement.id,
            version=row.version,
            shop_version=shop_version,
            state=row.state,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            shop=self.shop(session, row.shop_id, shop_version),
            campaign=campaign,
            placement=next(p for p in campaign.placements if p.code == placement.code),
            table=table_of(campaign),
            prize_ids={row.key: row.id for row in prize_ids},
            last_seed=self._vault.open(row.sealed_seed, about=row.code.encode()),
            epochs=row.epochs,
        )


def _lacking(
    session: Session, live: Live, *, now: datetime
) -> tuple[frozenset[str], tuple[tuple[str, datetime], ...]]:
    """Return which prizes have run out, and which until more of it is released."""
    units = prizes.next_units(session, live.campaign_id)
    today = chance.epoch_of(now, opens=live.opens_at)
    released = {
        key: live.table.slot(key).epoch_of(unit) for key, unit in units.items() if unit
    }
    return (
        frozenset(key for key, unit in units.items() if unit is None),
        tuple(
            (key, chance.begins(epoch, opens=live.opens_at))
            for key, epoch in sorted(released.items())
            if epoch > max(today, 1)
        ),
    )


def _foreign_faults(
    session: Session, campaign: Campaign, shop: Shop | None, row: models.Campaign | None
) -> list[Fault]:
    """Return what only the database knows to be wrong."""
    if shop is None:
        return [Fault("shop", f"there is no shop {campaign.shop!r}")]
    faults = images.missing(session, campaign)
    faults += audiences.changed(session, shop.id, campaign)
    if row is not None and row.shop_id != shop.id:
        faults.append(Fault("code", f"{campaign.code!r} is taken"))
    elif row is not None and row.state != "draft":
        faults += _changed_promises(session, campaign)
    taken = select(PlacementRow.code).where(
        PlacementRow.code.in_([p.code for p in campaign.placements]),
        PlacementRow.campaign_id != (row.id if row else -1),
    )
    faults += [
        Fault("placements", f"{code!r} is taken by another campaign")
        for code in session.scalars(taken)
    ]
    return faults


def _shared_faults(
    session: Session, campaign: Campaign, shop: Shop | None, row: models.Campaign | None
) -> list[Fault]:
    """Return what is wrong with codes that, once published, are fixed."""
    if shop is None:
        return []
    return shared_codes.faults(
        session, campaign, shop_id=shop.id, campaign_id=row.id if row else None
    )


def _changed_promises(session: Session, campaign: Campaign) -> list[Fault]:
    before = load(session, campaign.code)
    if before is None:
        return []
    why = "is fixed once published; make a campaign with another code"
    faults = [
        Fault(name, why, "PZ-09")
        for name in FROZEN
        if getattr(before, name) != getattr(campaign, name)
    ]
    if _promised(before) != _promised(campaign):
        faults.append(Fault("prizes", why, "PZ-09"))
    if _to_be_drawn(before) != _to_be_drawn(campaign):
        faults.append(Fault("raffles", why, "PZ-09"))
    if _given(before) != _given(campaign):
        faults.append(Fault("quiz.outcomes", f"what each gives {why}", "PZ-09"))
    return faults


def _promised(campaign: Campaign) -> list[tuple[Any, ...]]:
    return [
        tuple(getattr(prize, name) for name in FROZEN_PRIZE)
        for prize in campaign.prizes
    ]


def _to_be_drawn(campaign: Campaign) -> list[dict[str, Any]]:
    """Return all that raffles promise but for the words about their prizes."""
    words = {"prizes": {"__all__": {"texts"}}}
    return [raffle.model_dump(exclude=words) for raffle in campaign.raffles]


def _given(campaign: Campaign) -> dict[str, str | None]:
    """Return which prize each outcome of a quiz gives, where that is how it is won."""
    if campaign.quiz is None or campaign.award != "outcome":
        return {}
    return {outcome.key: outcome.prize for outcome in campaign.quiz.outcomes}


def _set_dates(
    row: models.Campaign,
    campaign: Campaign,
    *,
    vault: Vault,
    now: datetime,
    random: Chance,
) -> None:
    """Let a draft be open as its newest file says, counted from this moment.

    Nobody has played it, so a chain of another length may take the place of its own.
    """
    row.opens_at, row.closes_at = campaign.window(now)
    epochs = chance.epochs_between(row.opens_at, row.closes_at)
    if row.epochs == epochs:
        return
    last_seed = random(chance.SEED_BYTES)
    row.epochs = epochs
    row.anchor = chance.seed_for(last_seed, epochs=epochs, epoch=0).hex()
    row.sealed_seed = vault.seal(
        last_seed, nonce=random(NONCE_BYTES), about=campaign.code.encode()
    )


def _add_version(
    session: Session, row: models.Campaign, campaign: Campaign, *, now: datetime
) -> bool:
    if row.version and load(session, row.code) == campaign:
        return False
    row.version += 1
    session.add(
        models.CampaignVersion(
            campaign_id=row.id,
            number=row.version,
            definition=as_tables(campaign),
            created_at=now,
        )
    )
    return True


def _place(session: Session, row: models.Campaign, campaign: Campaign) -> None:
    """Make the placements the file names, and retire those it names no longer."""
    rows = {
        placed.code: placed
        for placed in session.scalars(
            select(PlacementRow).where(PlacementRow.campaign_id == row.id)
        )
    }
    for placement in campaign.placements:
        placed = rows.pop(placement.code, None)
        if placed is None:
            placed = PlacementRow(campaign_id=row.id, code=placement.code)
            session.add(placed)
        placed.channel = placement.channel
        placed.is_retired = False
    for placed in rows.values():
        placed.is_retired = True


def table_of(campaign: Campaign) -> chance.Table:
    """Return the odds of a campaign as they are committed to and drawn from."""
    return chance.Table(
        slots=tuple(
            chance.Slot(prize.key, prize.weight, prize.stock, campaign.released(prize))
            for prize in campaign.outcomes
        ),
        fallback=campaign.falls_back_to,
    )
