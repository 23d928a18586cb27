"""The public record of a raffle, and how anybody checks it (PZ-08).

The file is lines of `domain/chain`. It grows: what a raffle has come to is added, and
nothing that was in it changes.

    {"v":1,"scheme":"rf-1","campaign":..,"draw":..,"at":..,"commitment":..,"prizes":
     [{"id":..,"number":..}],"reserves":..,"randomness":..}      fixed before any entry
    {"labels":5,"list":..,"excluded":{"duplicate":1}}            when it has closed
    {"label":"e_..."}                                            each, in order
    {"secret":..,"r":..}                                         the draw
    {"place":1,"label":..,"prize":..}                            winners, then reserves
    {"end":4}                                                    so many places

Nothing in it is about a person. `widget/raffle.js` checks the same in a browser.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from server.domain import raffle
from server.domain.chain import Chain, WrongLineError, opened
from server.domain.raffle import SCHEME, Urn

VERSION = 1
LABEL = re.compile(r"e_[a-z2-7]{26}")
HASH = re.compile(r"[0-9a-f]{64}")
# Public randomness is as long as whoever draws it makes it.
HEX = re.compile(rf"(?:[0-9a-f]{{2}}){{0,{raffle.LONGEST_RANDOMNESS}}}")


@dataclass(frozen=True, slots=True)
class Promise:
    """What a raffle has fixed before the first entry.

    `randomness` names the public number that the draw waits for, if there is one.
    """

    campaign: str
    draw: str
    at: datetime
    commitment: bytes
    prizes: tuple[tuple[str, int], ...]
    reserves: int
    randomness: str | None

    @property
    def units(self) -> tuple[str, ...]:
        """Return the key of each thing to win, in the order of drawing."""
        return tuple(key for key, number in self.prizes for _ in range(number))

    def urn(self, *, secret: bytes, randomness: bytes, listed: bytes) -> Urn:
        """Return what gives each label its position."""
        return Urn(
            secret=secret,
            randomness=randomness,
            listed=listed,
            campaign=self.campaign,
            draw=self.draw,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of all labels, as it was closed."""

    labels: int
    digest: bytes
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was revealed at the draw, and the labels in the order of their places."""

    secret: bytes
    randomness: bytes
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole file says. `drawn` is None while there is only the list."""

    promise: Promise
    listed: Listed | None
    drawn: Drawn | None
    head: str


def stream(
    promise: Promise, listed: Listed | None, labels: Iterable[str], drawn: Drawn | None
) -> Iterator[bytes]:
    """Yield the lines of a file, as far as the raffle has come."""
    chain = Chain()
    yield chain.line(_told(promise))
    if listed is None:
        return
    yield chain.line(
        {
            "labels": listed.labels,
            "list": listed.digest.hex(),
            "excluded": dict(listed.excluded),
        }
    )
    for label in labels:
        yield chain.line({"label": label})
    if drawn is None:
        return
    yield chain.line({"secret": drawn.secret.hex(), "r": drawn.randomness.hex()})
    for number, label in enumerate(drawn.places, 1):
        yield chain.line(_place(promise, number, label))
    yield chain.line({"end": len(drawn.places)})


def _told(promise: Promise) -> dict[str, Any]:
    return {
        "v": VERSION,
        "scheme": SCHEME,
        "campaign": promise.campaign,
        "draw": promise.draw,
        "at": promise.at.astimezone(UTC).isoformat(),
        "commitment": promise.commitment.hex(),
        "prizes": [{"id": key, "number": number} for key, number in promise.prizes],
        "reserves": promise.reserves,
        "randomness": promise.randomness,
    }


def _place(promise: Promise, number: int, label: str) -> dict[str, Any]:
    units = promise.units
    prize = units[number - 1] if number <= len(units) else None
    return {"place": number, "label": label, "prize": prize}


def verify(lines: Iterable[bytes]) -> Report:
    """Do the draw of a whole file again.

    Raises `WrongLineError` for the first line that is not as it has to be.
    """
    numbered = enumerate(lines, 1)
    number, first = next(numbered, (1, b""))
    fields, head = opened(number, first, "")
    check = _Check(_promise(number, fields))
    for number, line in numbered:
        fields, head = opened(number, line, head)
        check.take(number, fields)
    check.finish(number)
    return Report(check.promise, check.listed, check.drawn, head)


def _promise(number: int, fields: dict[str, Any]) -> Promise:
    if fields.get("scheme") != SCHEME:
        raise WrongLineError(number, f"it is not of the scheme {SCHEME}")
    try:
        named = fields["randomness"]
        promise = Promise(
            campaign=str(fields["campaign"]),
            draw=str(fields["draw"]),
            at=datetime.fromisoformat(fields["at"]),
            commitment=bytes.fromhex(fields["commitment"]),
            prizes=tuple(
                (str(prize["id"]), _count(prize["number"]))
                for prize in fields["prizes"]
            ),
            reserves=_count(fields["reserves"]),
            randomness=None if named is None else str(named),
        )
    except (KeyError, TypeError, ValueError):
        raise WrongLineError(number, "it does not say what was promised") from None
    if _told(promise) != fields or len(promise.commitment) != raffle.SECRET_BYTES:
        raise WrongLineError(number, "it does not say what was promised")
    if sum(many for _key, many in promise.prizes) > raffle.MOST_UNITS:
        raise WrongLineError(number, "it promises more than a raffle can hold")
    return promise


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


@dataclass
class _Check:
    """Goes through a file line by line."""

    promise: Promise
    listed: Listed | None = None
    drawn: Drawn | None = None
    _labels: list[str] = field(default_factory=list)
    # The line of the list's hash, which is only known right when all labels are there.
    _list_line: int = 0
    _order: list[str] | None = None
    _places: int = 0
    _has_ended: bool = False

    def take(self, number: int, fields: dict[str, Any]) -> None:
        """Check the next line."""
        if self._has_ended:
            raise WrongLineError(number, "the file has ended before")
        match fields:
            case {"labels": int(many), "list": str(digest), "excluded": dict(out)} if (
                len(fields) == 3
            ):
                self._open_list(number, many, digest, out)
            case {"label": str(label)} if len(fields) == 1:
                self._take_label(number, label)
            case {"secret": str(secret), "r": str(r)} if len(fields) == 2:
                self._draw(number, secret, r)
            case {"place": int(), "label": str(), "prize": None | str()} if (
                len(fields) == 3
            ):
                self._check_place(number, fields)
            case {"end": int(places)} if len(fields) == 1:
                self._end(number, places)
            case _:
                raise WrongLineError(number, "it is no line that belongs here")

    def finish(self, number: int) -> None:
        """Check that the file ends where a raffle does, or where its list does."""
        if self._order is None:
            if self.listed is not None:
                self._check_list(number)
        elif not self._has_ended:
            raise WrongLineError(number, "the draw does not end")

    def _open_list(self, number: int, many: int, digest: str, out: Any) -> None:
        if self.listed is not None:
            raise WrongLineError(number, "there was a list before")
        is_told = all(type(times) is int and times > 0 for times in out.values())
        if many < 0 or not HASH.fullmatch(digest) or not is_told:
            raise WrongLineError(number, "it does not say what was listed")
        self.listed = Listed(many, bytes.fromhex(digest), out)
        self._list_line = number

    def _take_label(self, number: int, label: str) -> None:
        if self.listed is None or self._order is not None:
            raise WrongLineError(number, "it belongs to no list")
        if not LABEL.fullmatch(label):
            raise WrongLineError(number, "it is no label")
        if self._labels and label <= self._labels[-1]:
            raise WrongLineError(number, "the labels are not in order")
        if len(self._labels) == self.listed.labels:
            raise WrongLineError(number, "the list is longer than was told")
        self._labels.append(label)

    def _check_list(self, number: int) -> Listed:
        if self.listed is None:
            raise WrongLineError(number, "there is no list to draw from")
        if len(self._labels) != self.listed.labels:
            raise WrongLineError(number, "the list is shorter than was told")
        if raffle.list_hash(self._labels) != self.listed.digest:
            raise WrongLineError(self._list_line, "its hash is not that of the labels")
        return self.listed

    def _draw(self, number: int, secret: str, r: str) -> None:
        if self._order is not None:
            raise WrongLineError(number, "it was drawn before")
        listed = self._check_list(number)
        if not HASH.fullmatch(secret) or not HEX.fullmatch(r):
            raise WrongLineError(number, "its secret or randomness has another shape")
        if bool(r) != (self.promise.randomness is not None):
            raise WrongLineError(number, "the randomness is not what was named")
        raw = bytes.fromhex(secret)
        if raffle.commitment(raw) != self.promise.commitment:
            raise WrongLineError(number, "its secret is not the one committed to")
        urn = self.promise.urn(
            secret=raw, randomness=bytes.fromhex(r), listed=listed.digest
        )
        many = len(self.promise.units) + self.promise.reserves
        self._order = urn.first(self._labels, many)
        self.drawn = Drawn(raw, bytes.fromhex(r), tuple(self._order))

    def _check_place(self, number: int, fields: dict[str, Any]) -> None:
        if self._order is None or self._places == len(self._order):
            raise WrongLineError(number, "nobody is drawn for this place")
        label = self._order[self._places]
        self._places += 1
        if fields != _place(self.promise, self._places, label):
            raise WrongLineError(number, f"the draw gives place {self._places} {label}")

    def _end(self, number: int, places: int) -> None:
        if self._order is None or not places == self._places == len(self._order):
            raise WrongLineError(number, "the draw has another number of places")
        self._has_ended = True
