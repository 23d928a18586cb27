"""`device add`, `device list`, `device key` and `device revoke`."""

import os

import click

from server import clock
from server.commands.base import fail, transaction
from server.domain.seals import Vault
from server.services import devices, shops


@click.group()
def device() -> None:
    """The tablets at the till."""


@device.command("add")
@click.option("--shop", "shop_code", required=True, help="The shop's code.")
@click.option("--name", required=True, help="What you call it: till 1, entrance.")
def add_device(*, shop_code: str, name: str) -> None:
    """Make a code that registers one tablet, once, within a day."""
    try:
        with transaction() as (session, settings):
            code = devices.add(
                session,
                shop_code=shop_code,
                name=name,
                vault=Vault(settings.data_keys),
                now=clock.now(),
                random=os.urandom,
            )
    except shops.UnknownShopError:
        fail(f"there is no shop {shop_code!r}")
    click.echo(
        f"On the tablet, open {settings.public_url}/till/ and type:\n\n  {code}\n"
    )
    click.echo("The code works once, until this time tomorrow.")


@device.command("list")
@click.option("--shop", "shop_code", required=True, help="The shop's code.")
def list_devices(*, shop_code: str) -> None:
    """Show the tablets of a shop."""
    with transaction() as (session, _):
        found = devices.listed(session, shop_code, now=clock.now())
    for each in found:
        click.echo(f"{each.public_id}  {each.state:<12}  {each.name}")
    if not found:
        click.echo("No tablets yet. Make one with: python -m server device add")


@device.command("key")
@click.argument("public_id")
def give_key(public_id: str) -> None:
    """Make a key with which a till's own program redeems vouchers.

    It is shown once. An older key of the same device stops working.
    """
    with transaction() as (session, settings):
        key = devices.give_key(session, public_id, random=os.urandom)
    if key is None:
        fail(f"there is no tablet {public_id!r} that could have a key")
    click.echo(f"{key}\n")
    click.echo(
        f"It opens {settings.public_url}/api/v1/vouchers/redeem; see docs/api.md."
    )


@device.command("revoke")
@click.argument("public_id")
def revoke_device(public_id: str) -> None:
    """Let a tablet play no more, because it was lost or sold."""
    with transaction() as (session, _):
        was_there = devices.revoke(session, public_id, now=clock.now())
    if not was_there:
        fail(f"there is no tablet {public_id!r} that could be revoked")
    click.echo("Revoked. It needs a new code to be used again.")
