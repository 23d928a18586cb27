"""The pictures beside a file: made anew on the way in, written out on the way out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from server.adapters import pictures
from server.adapters.pictures import PictureError
from server.domain.parts import Fault, FileError, Part
from server.domain.picture import Picture, pictures_in, renamed
from server.services import images
from server.services.images import New

P = TypeVar("P", bound=Part)

# Another number lets pictures be made anew of what they were made of before.
RECIPE = 1


@dataclass(frozen=True, slots=True)
class Prepared(Generic[P]):
    """A file whose pictures have the names we give, and those that are new here."""

    part: P
    new: tuple[New, ...]


def prepare(session: Session, part: P, *, folder: Path) -> Prepared[P]:
    """Make every picture of a file anew; the session only reads.

    Raises `FileError` naming each place whose picture cannot be used.
    """
    named = pictures_in(part)
    here = images.known(session, named.values())
    names: dict[tuple[type[Picture], str], str] = {}
    new, faults = [], []
    for place, name in named.items():
        if name in here or (type(name), name) in names:
            continue
        try:
            made = _made(session, name, folder)
        except PictureError as error:
            faults.append(Fault(place, f"{str(name)!r} {error}", "T20"))
            continue
        names[type(name), name] = made if isinstance(made, str) else made.name
        new += [made] if isinstance(made, New) else []
    if faults:
        raise FileError(faults)
    found = renamed(part, lambda name: names.get((type(name), name), name))
    return Prepared(found, tuple(new))


def _made(session: Session, name: Picture, folder: Path) -> New | str:
    """Return a new picture, or the name of what was made of the same before."""
    body = pictures.read(_inside(folder, name))
    use = f"{type(name).__name__} {RECIPE}\n"
    source = hashlib.sha256(use.encode() + body).hexdigest()
    if known := images.made_from(session, [source]).get(source):
        return known
    done = pictures.develop(body, type(name))
    return New(source, done.body, done.width, done.height)


def _inside(folder: Path, name: str) -> Path:
    """Return where a picture lies; a link must not lead out of the file's folder."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise PictureError("lies outside the folder of this file")
    return path


def stored(session: Session, part: Part) -> dict[str, bytes]:
    """Return the pictures of a stored file by their names, in the order of these."""
    names: list[str] = sorted(set(pictures_in(part).values()))
    return {name: images.find(session, name) or b"" for name in names}
