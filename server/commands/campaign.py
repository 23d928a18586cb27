"""`campaign import | export`."""

import os
from pathlib import Path

import click

from server import clock
from server.commands import files, pictures
from server.commands.base import fail, reading, transaction
from server.domain.campaign import parse_campaign
from server.domain.lint import judge
from server.domain.parts import FileError
from server.domain.seals import Vault
from server.services import campaigns, images


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
        with reading() as (session, _):
            ready = pictures.prepare(session, wanted, folder=file.parent)
    except FileError as error:
        refused = [fault for fault in judge(wanted) if fault.refuses]
        files.refuse(file, error.faults + refused)
    try:
        with transaction() as (session, settings):
            images.keep(session, ready.new, now=clock.now())
            saved = campaigns.save(
                session,
                ready.part,
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
@files.to_folder
def export_campaign(code: str, folder: Path | None) -> None:
    """Print a campaign's newest version as its file."""
    with reading() as (session, _):
        found = campaigns.load(session, code)
        if found is None:
            fail(f"there is no campaign {code!r}")
        files.write(session, found, folder)
