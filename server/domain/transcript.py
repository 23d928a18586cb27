"""The public record of a campaign's draws, and how anybody checks it (PZ-08).

The file is JSON lines, each in its canonical form (RFC 8785) with a hash `h` that
chains it to the one before, so that no byte can change unnoticed:

    {"v":1,"scheme":"iw-1","campaign":..,"opens":..,"epochs":..,"anchor":..,"digest":..,
     "table":..,"h":..}                            what was fixed before the first play
    {"epoch":1,"seed":..,"h":..}                   a day that is over, with its seed
    {"t":..,"c":..,"drawn":..,"awarded":..,"unit":..,"h":..}       a play, in order
    {"lapsed":..,"h":..}                           a unit that came back, by its ticket
    {"end":1,"plays":..,"h":..}                    the end of the day

The hashes are those of `domain/chain`. A later file begins with every line of an
earlier one. Nothing in it is about a person. `widget/transcript.js` checks the same in
a browser.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from server.domain import chance, release
from server.domain.chain import Chain, WrongLineError, opened
from server.domain.chance import SCHEME, Slot, Table

VERSION = 1
# Plays at the same moment have no order that is true to each of them: who is told that
# a prize has run out may stand before the one who has just taken its last unit.
MARGIN = 256
HASH = 64
TICKET = 32


@dataclass(frozen=True, slots=True)
class Play:
    """One play as it is published. `unit` numbers what was taken of a limited prize."""

    ticket: str
    browser: str
    drawn: str
    awarded: str
    unit: int | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a campaign has fixed before its first play."""

    campaign: str
    opens: datetime
    epochs: int
    anchor: str
    table: Table


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole file says. `head` is the last hash: who has it has all of it."""

    promise: Promise
    days: int
    plays: int
    awarded: Counter[str]
    head: str


class Writer(Chain):
    """Writes the lines of a campaign's draws."""

    def begin(self, promise: Promise) -> bytes:
        """Return the first line."""
        return self.line(
            {
                "v": VERSION,
                "scheme": SCHEME,
                "campaign": promise.campaign,
                "opens": promise.opens.astimezone(UTC).isoformat(),
                "epochs": promise.epochs,
                "anchor": promise.anchor,
                "digest": promise.table.digest(),
                "table": promise.table.as_json(),
            }
        )

    def day(self, epoch: int, seed: bytes) -> bytes:
        """Return the line with which a day begins."""
        return self.line({"epoch": epoch, "seed": seed.hex()})

    def play(self, play: Play) -> bytes:
        """Return the line of a play."""
        return self.line(
            {
                "t": play.ticket,
                "c": play.browser,
                "drawn": play.drawn,
                "awarded": play.awarded,
                "unit": play.unit,
            }
        )

    def lapse(self, ticket: str) -> bytes:
        """Return the line of a unit that was not claimed in time."""
        return self.line({"lapsed": ticket})

    def end(self, epoch: int, plays: int) -> bytes:
        """Return the line with which a day ends."""
        return self.line({"end": epoch, "plays": plays})


def verify(lines: Iterable[bytes]) -> Report:
    """Recompute every draw and the stock of a whole file.

    Raises `WrongLineError` for the first line that is not as it has to be.
    """
    numbered = enumerate(lines, 1)
    number, first = next(numbered, (1, b""))
    fields, head = opened(number, first, "")
    check = _Check(number, _promise(number, fields))
    for number, line in numbered:
        fields, head = opened(number, line, head)
        check.take(number, fields)
    check.finish(number)
    return Report(check.promise, check.days, check.total, check.awarded, head)


def _promise(number: int, fields: dict[str, Any]) -> Promise:
    try:
        slots = tuple(
            Slot(
                str(slot["id"]),
                _count(slot["weight"]),
                _stock(slot["stock"]),
                _release(slot.get("release")),
            )
            for slot in fields["table"]["slots"]
        )
        table = Table(slots, str(fields["table"]["fallback"]))
        promise = Promise(
            campaign=str(fields["campaign"]),
            opens=datetime.fromisoformat(fields["opens"]),
            epochs=_count(fields["epochs"]),
            anchor=str(fields["anchor"]),
            table=table,
        )
    except (KeyError, TypeError, ValueError):
        raise WrongLineError(number, "it does not say what was promised") from None
    if (fields.get("v"), fields.get("scheme")) != (VERSION, SCHEME):
        raise WrongLineError(number, f"it is not of the scheme {SCHEME}")
    if Writer().begin(promise) != Chain().line(fields):
        raise WrongLineError(number, "its table is not the one of its digest")
    if not sum(slot.weight for slot in slots):
        raise WrongLineError(number, "its table gives nothing")
    for slot in slots:
        if slot.release is not None and _is_no_plan(slot, promise.epochs):
            raise WrongLineError(number, f"it cannot release {slot.id} like that")
    return promise


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def _stock(value: Any) -> int | None:
    return None if value is None else _count(value)


def _release(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(_count(units) for units in value)


def _is_no_plan(slot: Slot, epochs: int) -> bool:
    if not slot.release or slot.stock is None:
        return True
    return any(release.faults(slot.release, stock=slot.stock, epochs=epochs))


@dataclass
class _Pool:
    """The units of a limited prize, as far as the file has come."""

    # Released, and held by nobody.
    free: set[int] = field(default_factory=set)
    # Who holds a unit, and on which line each was last given back.
    holders: dict[int, str] = field(default_factory=dict)
    returned: dict[int, int] = field(default_factory=dict)


@dataclass
class _Doubt:
    """A line that is right only if one of the next `MARGIN` lines explains it."""

    line: int
    units: set[int]
    why: str


class _Check:
    """Goes through a file line by line."""

    def __init__(self, number: int, promise: Promise) -> None:
        self.promise = promise
        self.days = self.total = 0
        self.awarded: Counter[str] = Counter()
        self._seed = promise.anchor
        self._epoch: int | None = None
        self._plays = 0
        self._slots = {slot.id: slot for slot in promise.table.slots}
        self._pools = {
            slot.id: _Pool() for slot in promise.table.slots if slot.stock is not None
        }
        self._tickets: set[bytes] = set()
        # Ticket -> what it holds of a limited prize.
        self._held: dict[str, tuple[str, int]] = {}
        # By prize: who was told that it had run out, and who took what was not back.
        self._doubts: list[tuple[str, _Doubt]] = []
        self._overlaps: list[tuple[str, _Doubt]] = []

    def take(self, number: int, fields: dict[str, Any]) -> None:
        """Check the next line."""
        match fields:
            case {"epoch": int(epoch), "seed": str(seed)} if len(fields) == 2:
                self._begin_day(number, epoch, seed)
            case {
                "t": str(t),
                "c": str(c),
                "drawn": str(drawn),
                "awarded": str(awarded),
                "unit": None | int() as unit,
            } if len(fields) == 5:
                self._check_play(number, Play(t, c, drawn, awarded, unit))
            case {"lapsed": str(ticket)} if len(fields) == 1:
                self._check_lapse(number, ticket)
            case {"end": int(epoch), "plays": int(plays)} if len(fields) == 2:
                self._end_day(number, epoch, plays)
            case _:
                raise WrongLineError(number, "it is no line that belongs here")
        self._settle(number - MARGIN)

    def finish(self, number: int) -> None:
        """Check that the file ends where a day does, and that no doubt is left."""
        self._settle(number)
        if self._epoch is not None:
            raise WrongLineError(number, "the day does not end")

    def _begin_day(self, number: int, epoch: int, seed: str) -> None:
        if self._epoch is not None or epoch != self.days + 1:
            raise WrongLineError(number, f"day {self.days + 1} has to begin here")
        if epoch > self.promise.epochs:
            raise WrongLineError(number, "the campaign has no such day")
        raw = _hex(seed, HASH)
        if raw is None or hashlib.sha256(raw).hexdigest() != self._seed:
            raise WrongLineError(number, "its seed does not lead back to the anchor")
        self._epoch, self._seed, self._plays = epoch, seed, 0
        for key, pool in self._pools.items():
            slot = self._slots[key]
            before = slot.released(epoch - 1) if epoch > 1 else 0
            pool.free.update(range(before + 1, slot.released(epoch) + 1))

    def _end_day(self, number: int, epoch: int, plays: int) -> None:
        if epoch != self._epoch or plays != self._plays:
            raise WrongLineError(number, "the day had another number of plays")
        self._epoch = None
        self.days = epoch

    def _check_play(self, number: int, play: Play) -> None:
        if self._epoch is None:
            raise WrongLineError(number, "it belongs to no day")
        ticket = _hex(play.ticket, TICKET)
        if ticket is None or (play.browser and _hex(play.browser, TICKET) is None):
            raise WrongLineError(number, "its ticket or seed has another shape")
        if ticket in self._tickets:
            raise WrongLineError(number, "its ticket has played before")
        self._tickets.add(ticket)
        drawn = chance.draw(
            self.promise.table,
            seed=bytes.fromhex(self._seed),
            campaign=self.promise.campaign,
            epoch=self._epoch,
            ticket=play.ticket,
            browser=play.browser,
        )
        if play.drawn != drawn:
            raise WrongLineError(number, f"the draw gives {drawn}")
        self._check_award(number, play)
        self._plays += 1
        self.total += 1
        self.awarded[play.awarded] += 1

    def _check_award(self, number: int, play: Play) -> None:
        pool = self._pools.get(play.drawn)
        if pool is None or play.unit is None:
            if play.unit is not None:
                raise WrongLineError(number, f"{play.drawn} has no units")
            if pool is None and play.awarded != play.drawn:
                raise WrongLineError(number, f"{play.drawn} cannot run out")
            if pool is not None:
                self._check_ran_out(number, play, pool)
            return
        slot = self._slots[play.drawn]
        if play.awarded != play.drawn or not 1 <= play.unit <= (slot.stock or 0):
            raise WrongLineError(number, f"{play.drawn} has no such unit")
        if play.unit > slot.released(self._epoch or 1):
            why = f"unit {play.unit} of {play.drawn} was not released yet"
            raise WrongLineError(number, why)
        if play.unit in pool.holders:
            why = f"unit {play.unit} of {play.drawn} was taken"
            self._overlaps.append((play.drawn, _Doubt(number, {play.unit}, why)))
        pool.free.discard(play.unit)
        pool.holders[play.unit] = play.ticket
        self._held[play.ticket] = (play.drawn, play.unit)
        for prize, doubt in self._doubts:
            if prize == play.drawn:
                doubt.units.discard(play.unit)

    def _check_ran_out(self, number: int, play: Play, pool: _Pool) -> None:
        if play.awarded != self.promise.table.fallback:
            raise WrongLineError(number, f"{play.drawn} was drawn and not given")
        left = {
            unit
            for unit in pool.free
            if number - pool.returned.get(unit, -MARGIN) > MARGIN
        }
        why = f"{play.drawn} had not run out"
        if len(left) > MARGIN:
            raise WrongLineError(number, why)
        if left:
            self._doubts.append((play.drawn, _Doubt(number, left, why)))

    def _check_lapse(self, number: int, ticket: str) -> None:
        if self._epoch is None:
            raise WrongLineError(number, "it belongs to no day")
        held = self._held.pop(ticket, None)
        if held is None:
            # Most of what lapses was of a prize that cannot run out.
            raw = _hex(ticket, TICKET)
            if raw is None or raw not in self._tickets:
                raise WrongLineError(number, "there is no such play")
            return
        slot, unit = held
        pool = self._pools[slot]
        if pool.holders.get(unit) == ticket:
            del pool.holders[unit]
            pool.free.add(unit)
            pool.returned[unit] = number
            return
        for other, doubt in self._overlaps:
            if other == slot:
                doubt.units.discard(unit)

    def _settle(self, until: int) -> None:
        """Let no doubt stand that has not been explained by now."""
        for doubts in (self._doubts, self._overlaps):
            while doubts and doubts[0][1].line <= until:
                _, doubt = doubts.pop(0)
                if doubt.units:
                    raise WrongLineError(doubt.line, doubt.why)


def _hex(text: str, length: int) -> bytes | None:
    """Return the bytes of exactly so many lower-case hex digits, else None."""
    if len(text) != length or text != text.lower():
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def stream(
    promise: Promise, days: Iterable[tuple[int, bytes, Iterable[Play | str]]]
) -> Iterator[bytes]:
    """Yield the lines of a file. A day is its number, its seed and what happened.

    What happened comes in order: a play, or the ticket of one that has lapsed.
    """
    writer = Writer()
    yield writer.begin(promise)
    for epoch, seed, happened in days:
        yield writer.day(epoch, seed)
        plays = 0
        for one in happened:
            if isinstance(one, Play):
                plays += 1
                yield writer.play(one)
            else:
                yield writer.lapse(one)
        yield writer.end(epoch, plays)
