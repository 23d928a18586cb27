"""`campaign import | export`."""

import os
from pathlib import Path

import click

from server import clock
from server.commands import files
from server.commands.base import fail, transaction
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from server.domain.seals import Vault
from server.services import campaigns


@click.group()
def campaign() -> None:
    """Campaigns, as files."""


@campaign.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--draft", is_flag=True, help="Store it without publishing it.")
def import_campaign(file: Path, *, draft: bool) -> None:
    """Publish a campaign from its file, or a new version of it."""
    wanted = files.read(file, parse_campaign)
    try:
        with transaction() as (session, settings):
            saved = campaigns.save(
                session,
                wanted,
                vault=Vault(settings.data_keys),
                now=clock.now(),
                random=os.urandom,
                publish=not draft,
            )
    except FileError as error:
        files.refuse(file, error.faults)
    files.list_faults(file, saved.advice)
    if not saved.is_new_version:
        click.echo(f"{wanted.code}: unchanged, version {saved.version}")
        return
    click.echo(f"{wanted.code}: version {saved.version} stored")


@campaign.command("export")
@click.argument("code")
def export_campaign(code: str) -> None:
    """Print a campaign's newest version as its file."""
    with transaction() as (session, _):
        found = campaigns.load(session, code)
    if found is None:
        fail(f"there is no campaign {code!r}")
    files.write(found)
