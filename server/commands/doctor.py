"""`doctor`."""

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta

import click
from sqlalchemy.exc import SQLAlchemyError

from server import clock
from server.adapters.mailer import DeliveryError, Mailer, Server
from server.commands.base import database_trouble, opened
from server.db import LEAST_FREE_BYTES
from server.domain.seals import Vault
from server.migrations import is_current
from server.services import (
    audiences,
    delivery_lists,
    outbox,
    rotations,
    shared_codes,
    webhooks,
)
from server.services.rotations import KINDS
from server.settings import SettingError, Settings, load_settings
from server.tooling import tools_of

# The whole chain, down to who shows the ads, has stopped by then (WD-03).
LATEST_REMOVAL = timedelta(hours=48)


@click.command()
def doctor() -> None:
    """Check what the service needs, a line for each."""
    settings = load_settings()
    click.echo("ok    settings")
    checks: dict[str, Callable[[Settings], str | None]] = {
        "keys": _keys_trouble,
        "disk": _disk_trouble,
        "database": _schema_trouble,
        "codes": _codes_trouble,
        "outbox": _outbox_trouble,
        "recipients": _recipients_trouble,
        "audiences": _audiences_trouble,
        "mail server": _mail_trouble,
    }
    troubles = 0
    for name, check in checks.items():
        trouble = check(settings)
        troubles += trouble is not None
        click.echo(f"ok    {name}" if trouble is None else f"NOT   {name}: {trouble}")
    sys.exit(1 if troubles else 0)


def _keys_trouble(settings: Settings) -> str | None:
    for name in ("secret_keys", "data_keys", "ledger_keys"):
        path = settings.instance / name
        if path.exists() and path.stat().st_mode & 0o077:
            return f"others can read {path}; run: chmod 600 {path}"
    vault = Vault(settings.data_keys)
    with opened(settings) as database:
        try:
            with database.reading() as session:
                is_in_place = rotations.is_first_in_place(session, vault=vault)
                used = {
                    key for kind in KINDS for key in rotations.counts(session, kind)
                }
        except SQLAlchemyError:
            # The line of the database says what is the matter.
            return None
    if is_in_place and used <= set(vault.key_ids):
        return None
    return (
        "data keys are missing or in another order; run: python -m server keys status"
    )


def _disk_trouble(settings: Settings) -> str | None:
    free = shutil.disk_usage(settings.instance).free
    if free > LEAST_FREE_BYTES:
        return None
    return f"only {free >> 20} MB free for {settings.instance}; make room"


def _schema_trouble(settings: Settings) -> str | None:
    with opened(settings) as database:
        try:
            current = is_current(database)
        except SQLAlchemyError as error:
            return database_trouble(error)
    return None if current else "not up to date; run: python -m server init"


def _codes_trouble(settings: Settings) -> str | None:
    """Name pools with codes that everybody gets who wins something else (PZ-04)."""
    with opened(settings) as database:
        try:
            with database.reading() as session:
                found = shared_codes.conflicts(session)
        except SQLAlchemyError:
            return "cannot be read; see the database above"
    if not found:
        return None
    said = ", ".join(
        f"{each.number} in the pool {each.prize!r} of {each.campaign!r} are also the "
        f"code for everybody of {each.shared_by!r}"
        for each in found
    )
    return f"{said}; a till cannot tell whose they are: give their winners others"


def _outbox_trouble(settings: Settings) -> str | None:
    with opened(settings) as database:
        try:
            with database.reading() as session:
                count = len(outbox.dead(session))
        except SQLAlchemyError:
            return "cannot be read; see the database above"
    if not count:
        return None
    return f"{count} dead letters; run: python -m server outbox list --state dead"


def _recipients_trouble(settings: Settings) -> str | None:
    """Say who is not told, or not for an hour, and what was given up (GDPR 19)."""
    with opened(settings) as database:
        try:
            with database.reading() as session:
                dead = len(delivery_lists.dead(session))
                now, vault = clock.now(), tools_of(settings).vault
                since = now - delivery_lists.PILED_UP
                piles = delivery_lists.piles(session, waiting_since=since)
                locked = webhooks.locked(session, vault=vault)
        except SQLAlchemyError:
            return "cannot be read; see the database above"
    said = [
        f"the secret of {name} cannot be opened, until its key is back in "
        "JAWOORD_DATA_KEYS or it has another (webhook rotate, then webhook on)"
        for name in locked
    ]
    said += [f"{pile.number} events wait for {pile.name}" for pile in piles]
    if dead:
        said.append(f"{dead} events were given up")
    if not said:
        return None
    return f"{', '.join(said)}; run: python -m server webhook deliveries --shop CODE"


def _audiences_trouble(settings: Settings) -> str | None:
    """Say which platform still has people who said no two days ago (WD-03, AD-04)."""
    with opened(settings) as database:
        try:
            with database.reading() as session:
                late = audiences.late(session, since=clock.now() - LATEST_REMOVAL)
        except SQLAlchemyError:
            return "cannot be read; see the database above"
    if not late:
        return None
    said = ", ".join(
        f"{each.number} people of {each.shop} have to be removed at {each.platform}"
        for each in late
    )
    return f"{said}; run: python -m server audience export, and hand the file over"


def _mail_trouble(settings: Settings) -> str | None:
    try:
        Mailer(
            Server.from_url(settings.smtp_url), greeting=settings.host, seconds=5
        ).check()
    except SettingError as error:
        return str(error)
    except DeliveryError as error:
        return f"does not answer ({error.answer}); see JAWOORD_SMTP_URL"
    return None
