"""A shop's campaigns: what they are, where they stand and what they have given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain import chance
from server.domain.campaign import Campaign as CampaignFile
from server.domain.campaign import parse_campaign
from server.domain.consent import request_text
from server.domain.parts import Locale
from server.domain.shop import Legal, ShopFile, parse_shop
from server.domain.voucher import GIVEN
from server.models.campaign import Campaign, CampaignVersion
from server.models.prize import Prize
from server.models.shop import Shop
from server.models.voucher import Voucher
from server.services import funnel
from server.services.campaigns import table_of
from server.services.funnel import Steps
from server.services.office import figures
from server.services.office.figures import Figures


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and the answers there were to choose, each by language."""

    label: dict[str, str]
    options: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in the list. `prizes` maps keys to labels by language."""

    id: int
    code: str
    names: dict[str, str]
    state: str
    opens_at: datetime
    closes_at: datetime
    version: int
    # Until when its visitors prove that they are people (AB-02).
    guarded_until: datetime | None
    prizes: dict[str, dict[str, str]]
    # What a quiz may lead to, told like the prizes.
    outcomes: dict[str, dict[str, str]]
    # What its consents are for, told like the prizes.
    purposes: dict[str, dict[str, str]]
    # Its questions by their keys, and by the attributes that the answers become.
    asked: dict[str, Asked]
    figures: Figures

    def standing(self, now: datetime) -> str:
        """Return the state with the dates in mind: a published one may be over."""
        if self.state == "published" and now < self.opens_at:
            return "planned"
        if self.state in {"published", "paused"} and now >= self.closes_at:
            return "closed"
        return self.state


@dataclass(frozen=True, slots=True)
class PrizeLine:
    """A prize with its odds and its stock; `left` is None where it never runs out.

    With a plan for its days, `released` is how many may have been won by now.
    """

    key: str
    labels: dict[str, str]
    kind: str
    chance: float
    stock: int | None
    reserved: int
    awarded: int
    left: int | None
    released: int | None

    @property
    def is_prize(self) -> bool:
        """Return whether there is anything to win in it."""
        return self.kind != "none"


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything about one campaign that the office shows."""

    line: Line
    file: CampaignFile
    legal: Legal
    published_at: datetime
    anchor: str
    table_hash: str
    prizes: list[PrizeLine]
    # From the mail to the press, by mail provider.
    funnel: dict[str, Steps]

    def wordings(self, locale: Locale) -> dict[str, str]:
        """Return what each purpose asks, exactly as the ledger would keep it."""
        return {
            purpose.key: request_text(purpose, purpose.texts[locale], self.legal).body
            for purpose in self.file.asked_in(locale)
        }


def listing(session: Session, shop_id: int) -> list[Line]:
    """Return a shop's campaigns, newest first."""
    rows = session.execute(_newest(shop_id).order_by(Campaign.id.desc())).all()
    sums = figures.by_campaign(session, [row[0].id for row in rows])
    return [_line(campaign, version, sums) for campaign, version in rows]


def by_code(session: Session, shop_id: int) -> dict[str, Line]:
    """Return a shop's campaigns by their codes, newest first."""
    return {line.code: line for line in listing(session, shop_id)}


def purposes(lines: dict[str, Line]) -> dict[str, dict[str, str]]:
    """Return what each purpose of a shop is called; the newest campaign says it."""
    oldest_first = reversed(list(lines.values()))
    return {key: texts for line in oldest_first for key, texts in line.purposes.items()}


def find(session: Session, shop_id: int, code: str, *, now: datetime) -> Detail | None:
    """Return a campaign of this shop, as it stands now."""
    found = session.execute(_newest(shop_id).where(Campaign.code == code)).one_or_none()
    if found is None:
        return None
    campaign, version = found
    file = parse_campaign(version.definition)
    epoch = chance.epoch_of(now, opens=campaign.opens_at)
    return Detail(
        line=_line(campaign, version, figures.by_campaign(session, [campaign.id])),
        file=file,
        legal=_shop(session, shop_id).legal,
        published_at=version.created_at,
        anchor=campaign.anchor,
        table_hash=table_of(file).digest(),
        prizes=_prizes(session, campaign.id, file, epoch=epoch),
        funnel=funnel.by_provider(session, campaign.id),
    )


def find_id(session: Session, shop_id: int, code: str) -> int | None:
    """Return the row of a campaign of this shop."""
    return session.scalar(
        select(Campaign.id).where(Campaign.shop_id == shop_id, Campaign.code == code)
    )


def _newest(shop_id: int) -> Any:
    return (
        select(Campaign, CampaignVersion)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Campaign.id)
            & (CampaignVersion.number == Campaign.version),
        )
        .where(Campaign.shop_id == shop_id)
    )


def _line(
    campaign: Campaign, version: CampaignVersion, sums: dict[int, Figures]
) -> Line:
    quiz = version.definition.get("quiz", {})
    return Line(
        id=campaign.id,
        code=campaign.code,
        names=version.definition["name"],
        state=campaign.state,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        version=campaign.version,
        guarded_until=campaign.guarded_until,
        prizes=_named(version.definition["prizes"], "label"),
        outcomes=_named(quiz.get("outcomes", ()), "title"),
        purposes=_named(version.definition.get("purposes", ()), "title"),
        asked=_asked(version.definition),
        figures=sums.get(campaign.id, Figures()),
    )


def _released(slot: chance.Slot, epoch: int) -> int:
    return slot.released(epoch) if epoch > 0 else 0


def _named(parts: Iterable[Any], word: str) -> dict[str, dict[str, str]]:
    """Return one text of each part of a definition, in each language, by key."""
    return {
        part["key"]: {locale: text[word] for locale, text in part["texts"].items()}
        for part in parts
    }


def _asked(definition: dict[str, Any]) -> dict[str, Asked]:
    found = {}
    for field in definition.get("fields", ()):
        options = {each["key"]: each["label"] for each in field.get("options", ())}
        found[field["key"]] = Asked(field["label"], options)
    for question in definition.get("quiz", {}).get("questions", ()):
        options = {each["key"]: each["label"] for each in question.get("answers", ())}
        found[question["key"]] = Asked(question["text"], options)
        if question.get("attribute"):
            found[question["attribute"]] = found[question["key"]]
    return found


def _shop(session: Session, shop_id: int) -> ShopFile:
    return parse_shop(
        session.scalars(select(Shop.definition).where(Shop.id == shop_id)).one()
    )


def _prizes(
    session: Session, campaign_id: int, file: CampaignFile, *, epoch: int
) -> list[PrizeLine]:
    rows = session.execute(
        select(Prize.key, Voucher.state, func.count())
        .join(Voucher, Voucher.prize_id == Prize.id)
        .where(Prize.campaign_id == campaign_id)
        .group_by(Prize.key, Voucher.state)
    )
    counts = {(key, state): count for key, state, count in rows}
    slots = table_of(file)
    whole = sum(prize.weight for prize in file.prizes) or 1
    return [
        PrizeLine(
            key=prize.key,
            labels={locale: text.label for locale, text in prize.texts.items()},
            kind=prize.kind,
            chance=prize.weight / whole,
            stock=prize.stock,
            reserved=counts.get((prize.key, "reserved"), 0),
            awarded=sum(counts.get((prize.key, state), 0) for state in GIVEN),
            left=None if prize.stock is None else counts.get((prize.key, "free"), 0),
            released=_released(slots.slot(prize.key), epoch) if prize.release else None,
        )
        for prize in file.prizes
    ]
