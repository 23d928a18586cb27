"""`webhook add | list | test | off | on | end | rotate | deliveries | retry | told`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import click
from sqlalchemy.orm import Session

from server import clock
from server.commands.base import fail, opened, reading, transaction
from server.domain.webhook import LONGEST_NAME, LONGEST_URL, Fault, fault
from server.services import delivery_lists, shops, webhooks
from server.services.tools import Tools
from server.settings import load_settings
from server.tooling import tools_of

MOST_ROWS = 100
FAULTS = {
    Fault.LONG: f"it is longer than {LONGEST_URL} characters",
    Fault.SHAPE: "give an address like https://crm.example.com/hook, in plain letters",
    Fault.PLAIN: "it has to be https, as it carries addresses of people",
    Fault.PORT: "only port 443 is posted to",
    Fault.NEAR: "it is a place that only this machine or its network can reach; "
    "JAWOORD_WEBHOOK_NETWORKS opens networks of your own",
    Fault.SECRETS: "leave out the name and password; every message is signed",
}
STATES = {
    "active": "told",
    "off": "off",
    "gone": "gone (410)",
    "ended": "ended",
}


@click.group()
def webhook() -> None:
    """The recipients of a shop's data that are told by webhook."""


def of_shop(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command be about one shop."""
    return click.option("--shop", "shop_code", required=True, help="The shop's code.")(
        command
    )


@webhook.command("add")
@click.argument("shop_code", metavar="SHOP")
@click.argument("name")
@click.argument("url")
@click.option(
    "--events",
    multiple=True,
    type=click.Choice(webhooks.CHOICES),
    help="Only this event; may be given several times.",
)
@click.option(
    "--purposes",
    multiple=True,
    metavar="KEY",
    help="Only people who said yes to this purpose; may be given several times.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="It was given people in files from this day on.",
)
def add_webhook(
    shop_code: str,
    name: str,
    url: str,
    events: tuple[str, ...],
    purposes: tuple[str, ...],
    since: datetime | None,
) -> None:
    """Add a recipient: NAME is what people read, URL is where its program listens.

    The secret that signs is printed, this once.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        fail(f"NAME: give 1 to {LONGEST_NAME} characters")
    _check_address("URL", url)
    now = clock.now()
    began = since.replace(tzinfo=UTC) if since else None
    if began and began > now:
        fail("--since: that day is still to come")
    try:
        with _changing() as work:
            shop_id = _shop_id(work.session, shop_code)
            _check_purposes(work.session, shop_id, purposes)
            added = webhooks.add(
                work.session,
                shop_id,
                name=name,
                url=url,
                events=events or None,
                purposes=purposes or None,
                since=began,
                tools=work.tools,
                now=now,
            )
    except webhooks.IncompleteError as error:
        fail(
            "--events: who hears what is allowed has to hear of its end and of every "
            f"right; add {error}"
        )
    click.echo(f"{added.public_id}  {name}\n\n  {added.secret}\n")
    click.echo("Keep this secret where the receiver runs; it is not shown again.")
    click.echo(f"To try the line: python -m server webhook test {added.public_id}")


@webhook.command("list")
@of_shop
def list_webhooks(*, shop_code: str) -> None:
    """Show the recipients of a shop."""
    with reading() as (session, _):
        rows = webhooks.listed(session, _shop_id(session, shop_code))
    for row in rows:
        only = [*(row.events or ()), *(row.purposes or ())]
        click.echo(
            f"{row.public_id}  {STATES[row.state]:<10}  {row.name}  {row.url}"
            + (f"  only {', '.join(only)}" if only else "")
        )
    if not rows:
        click.echo(
            "No recipients yet. Add one with: python -m server webhook add "
            f"{shop_code} NAME URL"
        )


@webhook.command("test")
@click.argument("public_id")
def test_webhook(public_id: str) -> None:
    """Let the worker send a webhook.test, which is about nobody."""
    with _changing() as work:
        row = _found(work.session, public_id)
        if row.state != "active":
            fail(f"{public_id} is {STATES[row.state]}; turn it on first")
        message_id = webhooks.put_test(
            work.session, row, tools=work.tools, now=clock.now()
        )
        shop_code = shops.codes(work.session)[row.shop_id]
    click.echo(
        f"{message_id} waits for the worker; see: python -m server webhook deliveries "
        f"--shop {shop_code}"
    )


@webhook.command("off")
@click.argument("public_id")
def turn_off(public_id: str) -> None:
    """Tell a recipient nothing for now; ends and corrections wait for it."""
    with _changing() as work:
        row = _found(work.session, public_id)
        if not webhooks.turn_off(work.session, row, why="by command"):
            fail(f"{public_id} is {STATES[row.state]} already")
    click.echo(
        "Off. Withdrawals, erasures and corrections wait, for four days at most."
    )


@webhook.command("on")
@click.argument("public_id")
@click.option("--url", help="Where its program listens from now on.")
def turn_on(public_id: str, url: str | None) -> None:
    """Tell a recipient again, first of all what waited."""
    if url is not None:
        _check_address("--url", url)
    with _changing() as work:
        row = _found(work.session, public_id)
        is_told = row.state == "active"
        if not webhooks.turn_on(work.session, row) and not (is_told and url):
            fail(f"{public_id} is {STATES[row.state]}; it cannot be turned on")
        if url:
            row.url = url
    click.echo("On.")


@webhook.command("end")
@click.argument("public_id")
@click.confirmation_option(
    prompt="Has this recipient erased all it was given? It is told nothing any more."
)
def end_webhook(public_id: str) -> None:
    """Part with a recipient for good; what waits for it is dropped."""
    with _changing() as work:
        row = _found(work.session, public_id)
        if not webhooks.end(work.session, row, now=clock.now()):
            fail(f"{public_id} has ended already")
    click.echo("Ended.")


@webhook.command("rotate")
@click.argument("public_id")
@click.option(
    "--now", "is_at_once", is_flag=True, help="Sign with no older secret any more."
)
def rotate_secret(public_id: str, *, is_at_once: bool) -> None:
    """Make a new secret and print it; for 24 hours the old one signs as well."""
    with _changing() as work:
        row = _found(work.session, public_id)
        try:
            made = webhooks.rotate(
                work.session,
                row,
                tools=work.tools,
                now=clock.now(),
                is_at_once=is_at_once,
            )
        except webhooks.RotatedLatelyError as error:
            fail(
                "it was rotated within a day, and the secret before signs until "
                f"{error.until.isoformat(sep=' ', timespec='minutes')}; wait, or give "
                "--now to cut off all older ones"
            )
        is_alone = row.sealed_before is None
    click.echo(f"  {made}\n")
    click.echo(
        "From now on only this secret signs."
        if is_alone
        else "For 24 hours every message is signed by both secrets."
    )


@webhook.command("deliveries")
@of_shop
@click.option(
    "--state",
    type=click.Choice(delivery_lists.STATES),
    help="Only those in this state.",
)
def list_deliveries(*, shop_code: str, state: str | None) -> None:
    """List the newest events, without what they say or about whom."""
    with reading() as (session, _):
        rows = delivery_lists.newest(
            session, _shop_id(session, shop_code), state=state, most=MOST_ROWS
        )
    for row in rows:
        made = row.created_at.isoformat(sep=" ", timespec="seconds")
        click.echo(
            f"{row.message_id}  {row.state:<12}  {row.event:<20}  {row.attempts:>2}  "
            f"{made}  {row.recipient}  {row.answer}".rstrip()
        )
    if not rows:
        click.echo("Nothing.")


@webhook.command("retry")
@click.argument("message_id", required=False)
@click.option("--all-dead", is_flag=True, help="All that was given up.")
def retry_deliveries(message_id: str | None, *, all_dead: bool) -> None:
    """Let what was given up be tried again."""
    if (message_id is None) is not all_dead:
        fail("name one event by its id, or give --all-dead")
    with transaction() as (session, _):
        ids = delivery_lists.dead(session) if message_id is None else [message_id]
        count = sum(
            delivery_lists.revive(session, one, shop_id=None, now=clock.now())
            for one in ids
        )
    if message_id is not None and not count:
        fail(f"{message_id} was not given up, or nothing of it is left")
    click.echo(f"{count} to be tried again")


@webhook.command("told")
@click.argument("message_id")
def told_by_hand(message_id: str) -> None:
    """Note that you told a recipient yourself of what was given up."""
    with transaction() as (session, _):
        if not delivery_lists.told_by_hand(
            session, message_id, shop_id=None, now=clock.now()
        ):
            fail(f"{message_id} was not given up, or nothing of it is left")
    click.echo("Noted.")


@dataclass(frozen=True, slots=True)
class _Work:
    session: Session
    tools: Tools


@contextmanager
def _changing() -> Iterator[_Work]:
    settings = load_settings()
    tools = tools_of(settings)
    with opened(settings) as database, database.transaction() as session:
        yield _Work(session, tools)


def _check_address(place: str, url: str) -> None:
    """Fail for an address that the worker would never post to, saying why (T9)."""
    own = [ip_network(text) for text in load_settings().webhook_networks]
    wrong = fault(url, networks=own)
    if wrong is not None:
        fail(f"{place}: {FAULTS[wrong]}")


def _shop_id(session: Session, code: str) -> int:
    try:
        return shops.id_of(session, code)
    except shops.UnknownShopError:
        fail(f"SHOP: there is no shop {code!r}")


def _check_purposes(session: Session, shop_id: int, purposes: tuple[str, ...]) -> None:
    """Fail for what nobody can say yes to: its recipient would be told of nobody."""
    unknown = webhooks.unknown_purposes(session, shop_id, purposes)
    if unknown:
        known = ", ".join(webhooks.asked_purposes(session, shop_id)) or "none"
        fail(
            f"--purposes: no campaign asks for {', '.join(unknown)}; its campaigns "
            f"ask for: {known}"
        )


def _found(session: Session, public_id: str) -> webhooks.Recipient:
    row = webhooks.find(session, public_id)
    if row is None:
        lists = " or ".join(
            f"python -m server webhook list --shop {code}"
            for code in shops.codes(session).values()
        )
        fail(f"there is no recipient {public_id!r}" + (f"; see: {lists}" * bool(lists)))
    return row
