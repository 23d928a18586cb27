"""The recipients of a shop's data that have a program to tell (GDPR 19; DS-06)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.claim import SOFT_PURPOSE
from server.domain.seals import NONCE_BYTES, Column, SealError, Vault, place
from server.domain.webhook import (
    ALLOWING,
    OLD_SECRET_FOR,
    OWED,
    SECRET_BYTES,
    Event,
    secret,
    test_body,
    topic,
)
from server.models.base import rows_changed
from server.models.campaign import Campaign, CampaignVersion
from server.models.webhook import Delivery, Webhook
from server.services import contactable, tellings
from server.services.tools import Tools

# What commands and views hold, which know no tables.
Recipient = Webhook

ID_BYTES = 8
ID_PREFIX = "wh_"
UNSETTLED = ("waiting", "leased", "dead")
# Events that somebody can choose; a try of the line comes to whoever asks for it.
CHOICES = tuple(event.value for event in Event if event is not Event.TEST)
log = structlog.get_logger()


class IncompleteError(Exception):
    """Whoever is told that more is allowed has to be told of each end and right too."""


class RotatedLatelyError(Exception):
    """The secret before the one that counts is promised to sign until a moment."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until)


@dataclass(frozen=True, slots=True)
class Added:
    """A new recipient, with the secret that is shown this once."""

    public_id: str
    secret: str


def add(
    session: Session,
    of_shop: int,
    *,
    name: str,
    url: str,
    events: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    since: datetime | None = None,
    tools: Tools,
    now: datetime,
) -> Added:
    """Add a recipient, which is told of everything, or of these events and purposes.

    Of whom all had ended before it came it hears nothing, as it was given nothing of
    theirs; `since` says from when it was given files. The caller has checked the
    address and the purposes. Raises `IncompleteError`.
    """
    if events is not None and not ALLOWING.isdisjoint(events):
        missing = sorted(set(OWED) - set(events))
        if missing:
            raise IncompleteError(", ".join(missing))
    public_id = f"{ID_PREFIX}{tools.random(ID_BYTES).hex()}"
    made = secret(tools.random(SECRET_BYTES))
    session.add(
        Webhook(
            public_id=public_id,
            shop_id=of_shop,
            name=name,
            url=url,
            events=sorted(events) if events is not None else None,
            purposes=sorted(purposes) if purposes is not None else None,
            sealed_secret=_sealed(made, Column.WEBHOOK_SECRET, public_id, tools=tools),
            state="active",
            why="",
            faults=0,
            created_at=since or now,
        )
    )
    session.flush()
    return Added(public_id, made)


def unknown_purposes(
    session: Session, of_shop: int, purposes: Collection[str]
) -> list[str]:
    """Return those that no campaign of a shop asks for, and nobody said yes to."""
    asked = asked_purposes(session, of_shop)
    return [
        purpose
        for purpose in purposes
        if purpose not in asked
        # Whoever bought something may be mailed without ever being asked.
        and not SOFT_PURPOSE.fullmatch(purpose)
        and contactable.find(session, of_shop, purpose) is None
    ]


def asked_purposes(session: Session, of_shop: int) -> list[str]:
    """Return the purposes that any campaign of a shop asks for or asked for."""
    definitions = session.scalars(
        select(CampaignVersion.definition)
        .join(Campaign, Campaign.id == CampaignVersion.campaign_id)
        .where(Campaign.shop_id == of_shop)
    )
    return sorted(
        {each["key"] for one in definitions for each in one.get("purposes", ())}
    )


def listed(session: Session, of_shop: int | None = None) -> list[Webhook]:
    """Return the recipients of a shop, or of all, oldest first."""
    wanted = select(Webhook).order_by(Webhook.shop_id, Webhook.id)
    if of_shop is not None:
        wanted = wanted.where(Webhook.shop_id == of_shop)
    return list(session.scalars(wanted))


def find(
    session: Session, public_id: str, *, of_shop: int | None = None
) -> Webhook | None:
    """Return a recipient by its public id."""
    wanted = select(Webhook).where(Webhook.public_id == public_id)
    if of_shop is not None:
        wanted = wanted.where(Webhook.shop_id == of_shop)
    return session.scalar(wanted)


def turn_on(session: Session, row: Webhook) -> bool:
    """Tell a recipient again, what waited at once; False if it is told or has ended."""
    _hold(session, row)
    if row.state not in {"off", "gone"}:
        return False
    row.state, row.why, row.faults, row.paused_until = "active", "", 0, None
    session.flush()
    return True


def turn_off(session: Session, row: Webhook, *, why: str) -> bool:
    """Tell a recipient nothing for now; False if it was not told anyway.

    Ends and corrections go on waiting, since it still holds what it was told.
    """
    _hold(session, row)
    if row.state != "active":
        return False
    row.state, row.why = "off", why
    session.flush()
    return True


def _hold(session: Session, row: Webhook) -> None:
    """Look at a recipient as it is now, and let nobody else change it meanwhile.

    It may have ended, which nothing takes back. Whoever queues something does not wait.
    """
    session.refresh(row, with_for_update={"key_share": True})


def turn_gone(session: Session, webhook_id: int) -> bool:
    """Turn a recipient off that said so itself (410); False if it was off already."""
    turned = session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.state == "active")
        .values(state="gone", why="410")
    )
    return rows_changed(turned) == 1


def end(session: Session, row: Webhook, *, now: datetime) -> bool:
    """Tell a recipient nothing any more; it holds nothing of ours. False if it ended.

    What waits is dropped, so it is for one that has erased what it was given. It waits
    for whoever is queueing something, and the other way round. What a worker marks in
    this moment it leaves to `forget_ended`, as each would wait for the other.
    """
    session.refresh(row, with_for_update=True)
    if row.state == "ended":
        return False
    row.state = "ended"
    session.flush()
    forget_ended(session, now=now)
    return True


def forget_ended(session: Session, *, now: datetime) -> int:
    """Drop what waits for recipients that have ended, and return how many that were."""
    ended = select(Webhook.id).where(Webhook.state == "ended")
    left = (
        select(Delivery.id)
        .where(Delivery.webhook_id.in_(ended), Delivery.state.in_(UNSETTLED))
        .with_for_update(skip_locked=True, of=Delivery)
    )
    dropped = update(Delivery).where(Delivery.id.in_(left))
    return rows_changed(
        session.execute(
            dropped.values(
                state="dropped",
                settled_at=now,
                sealed=None,
                claim=None,
                leased_until=None,
                answer="the recipient has ended",
            ),
            execution_options={"synchronize_session": False},
        )
    )


def rest_until(session: Session, webhook_id: int, until: datetime) -> None:
    """Leave a recipient alone until a moment, because it asked for that."""
    session.execute(
        update(Webhook).where(Webhook.id == webhook_id).values(paused_until=until)
    )


def rotate(
    session: Session,
    row: Webhook,
    *,
    tools: Tools,
    now: datetime,
    is_at_once: bool = False,
) -> str:
    """Give a recipient a new secret, and return it; the old one signs for a day.

    Where `is_at_once`, none before it signs any more. Raises `RotatedLatelyError` while
    the one before is still promised to sign, since a third would end that.
    """
    _hold(session, row)
    before = None if is_at_once else _opened(row, tools.vault)
    if before and row.before_until and now < row.before_until:
        raise RotatedLatelyError(row.before_until)
    made = secret(tools.random(SECRET_BYTES))
    named = row.public_id
    row.sealed_before = row.before_until = None
    if before:
        row.sealed_before = _sealed(
            before, Column.FORMER_WEBHOOK_SECRET, named, tools=tools
        )
        row.before_until = now + OLD_SECRET_FOR
    row.sealed_secret = _sealed(made, Column.WEBHOOK_SECRET, named, tools=tools)
    session.flush()
    return made


def _opened(row: Webhook, vault: Vault) -> str | None:
    """Return the secret that counts; None if it does not open, and signs nothing."""
    about = place(Column.WEBHOOK_SECRET, row.public_id.encode())
    try:
        return vault.open(row.sealed_secret, about=about).decode()
    except SealError:
        return None


def secrets_of(row: Webhook, *, vault: Vault, now: datetime) -> tuple[str, ...]:
    """Return the secrets that sign now, the newest first. Raises `SealError`.

    Without the one before, what it is told is still signed by the one that counts.
    """
    named = row.public_id.encode()
    about = place(Column.WEBHOOK_SECRET, named)
    newest = vault.open(row.sealed_secret, about=about).decode()
    if not (row.sealed_before and row.before_until and now < row.before_until):
        return (newest,)
    about = place(Column.FORMER_WEBHOOK_SECRET, named)
    try:
        return newest, vault.open(row.sealed_before, about=about).decode()
    except SealError:
        log.warning(
            "the former secret of a recipient cannot be opened", webhook=row.public_id
        )
        return (newest,)


def locked(session: Session, *, vault: Vault) -> list[str]:
    """Return the names of the recipients whose secret does not open.

    They are told nothing until they have another.
    """
    rows = session.scalars(
        select(Webhook).where(Webhook.state != "ended").order_by(Webhook.id)
    )
    return [row.name for row in rows if _opened(row, vault) is None]


def put_test(session: Session, row: Webhook, *, tools: Tools, now: datetime) -> str:
    """Queue a try of the line, about nobody; return its id."""
    message_id = f"{tellings.ID_PREFIX}{tools.random(tellings.ID_BYTES).hex()}"
    body = test_body(row.name, now=now)
    columns = tellings.waiting(message_id, body, Event.TEST, tools=tools, now=now)
    session.add(
        Delivery(
            message_id=message_id,
            webhook_id=row.id,
            contact_id=None,
            event=Event.TEST.value,
            topic=topic(Event.TEST, None),
            sequence=now,
            **columns,
        )
    )
    session.flush()
    return message_id


def _sealed(text: str, column: Column, public_id: str, *, tools: Tools) -> bytes:
    return tools.vault.seal(
        text.encode(),
        nonce=tools.random(NONCE_BYTES),
        about=place(column, public_id.encode()),
    )
