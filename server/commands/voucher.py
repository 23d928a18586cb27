"""`voucher redeem | show | revoke`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from server import clock
from server.commands.base import fail, transaction
from server.domain import voucher as rules
from server.domain.seals import Vault
from server.domain.voucher import Happened, Verdict
from server.services import purchases, shops, vouchers
from server.services.campaigns import Directory
from server.services.vouchers import By, Held, Redemption

OPERATOR = "operator"
REFUSED = 1
shop = click.option("--shop", "shop_code", required=True, help="The shop's code.")


@click.group()
def voucher() -> None:
    """Prizes that were won: redeem one, look it up, take it back."""


@voucher.command()
@click.argument("code")
@shop
@click.option("--place", required=True, help="Where this is: till 1, web shop.")
@click.option("--order", default="", help="The order that a prize pays back.")
@click.pass_context
def redeem(
    ctx: click.Context, code: str, *, shop_code: str, place: str, order: str
) -> None:
    """Redeem a code, once. Ends with 1 if it cannot be redeemed."""
    if not 0 < len(place.strip()) <= rules.LONGEST_PLACE:
        fail(f"the place needs 1 to {rules.LONGEST_PLACE} characters")
    with _at(shop_code) as at:
        done = vouchers.redeem(
            at.session,
            at.shop_id,
            code,
            by=By(OPERATOR, place.strip()),
            directory=at.directory,
            now=clock.now(),
            order_hash=purchases.hashed(at.vault, at.shop_id, order),
        )
    click.echo(_told(done))
    ctx.exit(0 if done.is_done else REFUSED)


@voucher.command()
@click.argument("code")
@shop
def show(code: str, *, shop_code: str) -> None:
    """Show how a code stands, and its whole life."""
    with _at(shop_code) as at:
        held = vouchers.find(
            at.session, at.shop_id, code, directory=at.directory, now=clock.now()
        )
        steps = vouchers.history(at.session, held.id) if held else []
    if held is None:
        fail("this code is not known here; check its characters")
    click.echo(f"{held.code}  {held.state}  {_label(held)}  ({held.campaign})")
    if held.cents is not None:
        click.echo(f"  {held.prize.kind}, EUR {held.cents / 100:,.2f}")
    if held.valid_until:
        click.echo(f"  good until {_moment(held.valid_until)}")
    for step in steps:
        click.echo(f"  {_step(step)}")


@voucher.command()
@click.argument("code")
@shop
@click.option("--why", required=True, help="The reason, which is kept.")
@click.pass_context
def revoke(ctx: click.Context, code: str, *, shop_code: str, why: str) -> None:
    """Take a voucher back that was not used yet. Ends with 1 if it cannot be."""
    if not 0 < len(why.strip()) <= rules.LONGEST_NOTE:
        fail(f"the reason needs 1 to {rules.LONGEST_NOTE} characters")
    with _at(shop_code) as at:
        done = vouchers.revoke(
            at.session,
            at.shop_id,
            code,
            by=By(OPERATOR),
            why=why.strip(),
            directory=at.directory,
            now=clock.now(),
        )
    click.echo(_told(done))
    ctx.exit(0 if done.is_done else REFUSED)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a command works: one transaction in one shop."""

    session: Session
    shop_id: int
    vault: Vault

    @property
    def directory(self) -> Directory:
        """Return what finds the campaign of a voucher."""
        return Directory(self.vault)


@contextmanager
def _at(shop_code: str) -> Iterator[_Desk]:
    with transaction() as (session, settings):
        try:
            shop_id = shops.id_of(session, shop_code)
        except shops.UnknownShopError:
            fail(f"there is no shop {shop_code!r}")
        yield _Desk(session, shop_id, Vault(settings.data_keys))


def _told(done: Redemption) -> str:
    held = done.held
    if held is None:
        return "This code is not known here; check its characters."
    if done.verdict is Verdict.OTHER_ORDER:
        return f"{held.code} pays back another order; name it with --order."
    if done.verdict is Verdict.SHARED:
        return f"{held.code} is one code for everybody; it is not redeemed one by one."
    if done.verdict is Verdict.LAPSED and held.valid_until:
        return f"{held.code} was good until {_moment(held.valid_until)}."
    if done.verdict is Verdict.REVOKED:
        return f"{held.code} was taken back."
    where = f", {held.place}" if held.place else ""
    when = _moment(held.redeemed_at) if held.redeemed_at else ""
    if done.verdict is Verdict.REDEEMED:
        money = "" if held.cents is None else f", EUR {held.cents / 100:,.2f}"
        return f"{held.code} is redeemed: {_label(held)}{money} ({when}{where})."
    return f"{held.code} was redeemed before: {when}{where}."


def _label(held: Held) -> str:
    return next(iter(held.prize.texts.values())).label


def _step(step: Happened) -> str:
    more = ", ".join(part for part in (step.note, step.by) if part)
    return f"{_moment(step.at)}  {step.step}{f'  {more}' if more else ''}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
