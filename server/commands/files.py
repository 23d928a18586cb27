"""Shops and campaigns as files: read them whole, or say all that is wrong."""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import tomli_w
from sqlalchemy.orm import Session

from server.commands import pictures
from server.commands.base import AS_USUAL, C, fail, force, keep_old, written
from server.domain.campaign import Campaign
from server.domain.parts import Fault, FileError, as_tables
from server.domain.shop import ShopFile

T = TypeVar("T", Campaign, ShopFile)

_folder = click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write it into this folder, its pictures beside it.",
)


def to_folder(command: C) -> C:
    """Let a command write into a folder, where nothing is lost unless that is said."""
    return _folder(force(command))


def read(file: Path, parse: Callable[[dict[str, Any]], T]) -> T:
    """Return what a file says, or list all that is wrong with it."""
    try:
        # Some editors begin a file with a mark of its encoding.
        return parse(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        fault = Fault(f"byte {error.start + 1}", "is not UTF-8 text", "form")
        refuse(file, [fault])
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        refuse(file, [Fault(place.rstrip(")"), what or str(error), "TOML")])
    except RecursionError:
        refuse(file, [Fault("the file", "is nested too deeply", "TOML")])
    except FileError as error:
        refuse(file, error.faults)


def refuse(file: Path, faults: list[Fault]) -> NoReturn:
    """Name every fault of a file, and end the command with code 1."""
    list_faults(file, faults)
    sys.exit(1)


def list_faults(file: Path, faults: list[Fault]) -> None:
    """Say what is wrong with a file, a line for each place."""
    for fault in faults:
        kind = "" if fault.refuses else "advice: "
        click.echo(
            f"{file}: {fault.place}: {kind}{fault.what} ({fault.rule})", err=True
        )


def write(session: Session, part: Campaign | ShopFile, folder: Path | None) -> None:
    """Print the file that reads back to it, or write it with its pictures beside it."""
    text = tomli_w.dumps(as_tables(part), multiline_strings=True)
    if folder is None:
        click.echo(text, nl=False)
        return
    found = {f"{part.code}.toml": text.encode(), **pictures.stored(session, part)}
    # Two campaigns can share a picture, which is as it was.
    fresh = {
        folder / name: body
        for name, body in found.items()
        if not _is_there(folder / name, body)
    }
    keep_old(*fresh)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder} cannot be written ({error.strerror})")
    for file, body in fresh.items():
        with written(file, mode=AS_USUAL) as out:
            out.write(body)
    for name in found:
        click.echo(folder / name)


def _is_there(file: Path, body: bytes) -> bool:
    try:
        return file.read_bytes() == body
    except OSError:
        return False
