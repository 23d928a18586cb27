"""Keep pictures under the hash of what they are, and find them again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.parts import Fault, Part
from server.domain.picture import pictures_in
from server.models.base import inserting
from server.models.image import Image

MIMETYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class New:
    """A picture made anew and not kept yet. `source` names what it was made of."""

    source: str
    body: bytes
    width: int
    height: int

    @property
    def name(self) -> str:
        """Return what it will be known by, here and in every other house."""
        return f"{hashlib.sha256(self.body).hexdigest()}.webp"


def keep(session: Session, made: Iterable[New], *, now: datetime) -> None:
    """Store pictures; those that are there already stay as they are."""
    rows = [
        {
            "name": picture.name,
            "mimetype": MIMETYPE,
            "width": picture.width,
            "height": picture.height,
            "source": picture.source,
            "body": picture.body,
            "created_at": now,
        }
        for picture in {picture.name: picture for picture in made}.values()
    ]
    insert = inserting(session.get_bind().dialect.name)
    for row in rows:
        session.execute(insert(Image).values(row).on_conflict_do_nothing())


def known(session: Session, names: Iterable[str]) -> set[str]:
    """Return which of these names are pictures of ours."""
    return set(session.scalars(select(Image.name).where(Image.name.in_(set(names)))))


def made_from(session: Session, sources: Iterable[str]) -> dict[str, str]:
    """Return the names of what was made before, by what it was made from."""
    found = select(Image.source, Image.name).where(Image.source.in_(set(sources)))
    return {row.source: row.name for row in session.execute(found)}


def find(session: Session, name: str) -> bytes | None:
    """Return the bytes of a picture, or None."""
    return session.scalar(select(Image.body).where(Image.name == name))


def missing(session: Session, part: Part) -> list[Fault]:
    """Return a fault for every picture of a file that is not kept here."""
    named = pictures_in(part)
    here = known(session, named.values())
    return [
        Fault(place, f"there is no picture {name!r}", "T20")
        for place, name in named.items()
        if name not in here
    ]
