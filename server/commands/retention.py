"""`retention report | run`: who is kept how long; letting go of the rest (DS-04)."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import click

from server import clock
from server.commands.base import bar, fail, opened
from server.db import Database
from server.domain.retention import Reason
from server.retaining import Done, Retaining
from server.services import acquaintances
from server.services import retention as services
from server.services.campaigns import Directory
from server.services.retention import Report
from server.settings import Settings, load_settings
from server.tooling import tools_of

REASONS = {
    Reason.YES: "a yes that stands",
    Reason.SOFT: "a customer who may be written to",
    Reason.REQUEST: "an open request about their data",
    Reason.RESTRICTED: "data that is restricted",
    Reason.RAFFLE: "a raffle that is not decided",
    Reason.PENDING: "a request that was not confirmed",
    Reason.ENTRY: "an entry without a prize",
    Reason.PRIZE: "a prize that was won",
    Reason.VOUCHER: "a code that can still be used",
    Reason.PROOF: "the proof of a yes that ended",
    Reason.NOTHING: "nothing",
}
LEFTOVERS = {
    "network_addresses": "keys of a month's network addresses",
    "mail_counters": "counters of mails",
    "turns": "counted turns of campaigns that are over",
    "address_changes": "new addresses that nobody confirmed",
    "unclaimed_plays": "plays nobody claimed: what they told",
    "dead_letters": "dead letters: what they say",
    "untold": "what recipients could not be told",
}


@click.group()
def retention() -> None:
    """How long people are kept, and letting go of what nobody needs."""


def of_shop(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command look at one shop, and answer a program."""
    shop = click.option("--shop", help="Only this shop's people.")
    as_json = click.option("--json", "as_json", is_flag=True, help="For a program.")
    return shop(as_json(command))


@retention.command()
@of_shop
def report(shop: str | None, *, as_json: bool) -> None:
    """Show who would be erased today, and why all others are kept; write nothing."""
    _look(shop, is_writing=False, as_json=as_json)


@retention.command()
@of_shop
def run(shop: str | None, *, as_json: bool) -> None:
    """Erase whom nothing keeps, and end what grew too old, as the worker does daily."""
    _look(shop, is_writing=True, as_json=as_json)


def _look(code: str | None, *, is_writing: bool, as_json: bool) -> None:
    settings, done = load_settings(), Done()
    with opened(settings) as database:
        with database.reading() as session:
            shops = services.shops(session)
            shop_id = _named(shops, code)
            people = acquaintances.number(session, shop_id)
        retaining = _retaining(settings, database, is_writing=is_writing)
        with bar(people, "People") as step:
            for looked in retaining.rounds(done, clock=clock.now, shop_id=shop_id):
                step(looked)
    if as_json:
        told = _as_json(done, shops, is_writing=is_writing)
        click.echo(json.dumps(told, indent=2, sort_keys=True))
        return
    for line in _lines(done, shops, is_writing=is_writing):
        click.echo(line)


def _named(shops: dict[int, str], code: str | None) -> int | None:
    found = [shop_id for shop_id, known in shops.items() if known == code]
    if code is not None and not found:
        fail(f"there is no shop {code!r}")
    return found[0] if found else None


def _retaining(
    settings: Settings, database: Database, *, is_writing: bool
) -> Retaining:
    tools = tools_of(settings)
    return Retaining(database, Directory(tools.vault), tools, is_writing)


def _lines(done: Done, shops: dict[int, str], *, is_writing: bool) -> Iterable[str]:
    """Yield what people read, shop by shop; what is nobody's comes last."""
    for shop_id, found in sorted(done.reports.items()):
        yield f"{shops[shop_id]}: {found.people:,} people"
        yield from _of_shop(found, is_writing=is_writing)
    if not done.reports:
        yield "Nobody is known."
    removed = {LEFTOVERS[name]: n for name, n in done.leftovers.items() if n}
    if removed:
        yield "what is about nobody, " + ("removed" if is_writing else "to be removed")
        yield from _counted(removed)
    if is_writing:
        yield f"People erased: {done.erased:,}; consents that lapsed: {done.lapsed:,}."
    else:
        yield "Nothing was written. To do it: python -m server retention run"


def _of_shop(found: Report, *, is_writing: bool) -> Iterable[str]:
    over, ending = ("erased", "lapsed") if is_writing else ("to be erased", "to lapse")
    if found.kept:
        yield "  kept"
    for reason in Reason:
        if kept := found.kept.get(reason):
            first = f", the first until {_day(kept.due)}" if kept.due else ""
            yield f"  {kept.people:>9,}  {REASONS[reason]}{first}"
    if found.over:
        yield f"  {over}; last kept by"
        yield from _counted({REASONS[reason]: n for reason, n in found.over.items()})
    if found.lapsing:
        yield f"  {ending}"
        yield from _counted(found.lapsing)
    if found.stale:
        yield "  warning: no sign of life for long, and so soon to lapse"
        yield from _counted(found.stale)
    if found.next_lapse:
        yield f"  next lapse {_day(found.next_lapse)}"


def _counted(found: dict[str, int]) -> Iterable[str]:
    for name, number in sorted(found.items()):
        yield f"  {number:>9,}  {name}"


def _as_json(done: Done, shops: dict[int, str], *, is_writing: bool) -> dict[str, Any]:
    return {
        "written": is_writing,
        "erased": done.erased,
        "lapsed": done.lapsed,
        "leftovers": done.leftovers,
        "shops": {
            shops[shop_id]: {
                "people": found.people,
                "kept": {
                    reason: {"people": kept.people, "due": _moment(kept.due)}
                    for reason, kept in found.kept.items()
                },
                "over": dict(found.over),
                "lapsing": dict(found.lapsing),
                "stale": dict(found.stale),
                "next_lapse": _moment(found.next_lapse),
            }
            for shop_id, found in done.reports.items()
        },
    }


def _day(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d") if at else ""


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
