"""Files of people: consents from elsewhere, and sales (PR-08, SO-01).

CSV with a heading, its columns parted by a comma or a semicolon, or one JSON object a
line. Every line is read before any is stored, and each fault is named by its line.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import TypeAdapter, ValidationError

from server.domain import address
from server.domain.claim import SOFT, Claim
from server.domain.consent import Act, Wording, worded
from server.domain.parts import LOCALES, Key, Locale
from server.domain.pool import MARK, Wrong

MOST_ROWS = 1_000_000
MOST_NAMED = 20
# The wording of a consent fits a hundred times; an endless line must not fill memory.
LONGEST_LINE = 200_000
LONGEST_TEXT = 20_000
LONGEST_CELL = 400
_KEY: TypeAdapter[str] = TypeAdapter(Key)

Row = Mapping[str, str]
# Returns the text of a file that a row names; raises OSError or ValueError.
Texts = Callable[[str], str]


class RowError(Exception):
    """A row cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a row is read with: the shop's language, files beside it, the moment."""

    language: Locale
    texts: Texts
    now: datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns a kind of file has, and how its rows are read."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    claim: Callable[[Row, int, Around], Claim]

    @property
    def names(self) -> tuple[str, ...]:
        """Return all columns that are known."""
        return self.needed + self.optional


def read(
    lines: Iterable[bytes], shape: Shape, around: Around, *, is_json: bool
) -> Iterator[Claim | Wrong]:
    """Yield each row's claim, or what is wrong with it.

    What makes the rest unreadable is the last that is yielded.
    """
    count, is_wrong = 0, False
    rows = _json_rows(lines, shape) if is_json else _csv_rows(lines, shape)
    for row in rows:
        if isinstance(row, Wrong):
            is_wrong = True
            yield row
            continue
        count += 1
        number, cells = row
        if count > MOST_ROWS:
            yield Wrong(number, f"a file holds {MOST_ROWS:,} rows at most")
            return
        try:
            yield shape.claim(cells, number, around)
        except RowError as error:
            yield Wrong(number, str(error))
    if count == 0 and not is_wrong:
        yield Wrong(1, "the file holds no row")


# --- rows --------------------------------------------------------------------------


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise RowError("is far too long")
        try:
            yield (line.removeprefix(MARK) if number == 1 else line).decode()
        except UnicodeDecodeError as error:
            raise RowError("is not UTF-8 text") from error


def _csv_rows(
    lines: Iterable[bytes], shape: Shape
) -> Iterator[tuple[int, Row] | Wrong]:
    texts = _decoded(lines)
    number = 1
    try:
        heading = next(texts, "")
        comma = ";" if heading.count(";") > heading.count(",") else ","
        cells = next(csv.reader([heading], delimiter=comma, strict=True), [])
        names = [cell.strip().lower() for cell in cells]
        if faults := _heading_faults(names, shape):
            yield Wrong(1, faults)
            return
        reader = csv.reader(texts, delimiter=comma, strict=True)
        for cells in reader:
            # A cell may have several lines; a row is named by its first.
            first, number = number + 1, reader.line_num + 1
            if cells and len(cells) != len(names):
                yield Wrong(first, f"has {len(cells)} cells instead of {len(names)}")
            elif cells:
                yield first, dict(zip(names, cells, strict=True))
    except RowError as error:
        yield Wrong(number + 1, str(error))
    except csv.Error as error:
        yield Wrong(number + 1, f"is no CSV ({error})")


def _heading_faults(names: list[str], shape: Shape) -> str:
    if unknown := [name for name in names if name not in shape.names]:
        return (
            f"there is no column {unknown[0][:40]!r}; known: {', '.join(shape.names)}"
        )
    if len(set(names)) < len(names):
        return "a column stands here twice"
    missing = [name for name in shape.needed if name not in names]
    return f"the column {missing[0]!r} is missing" if missing else ""


def _json_rows(
    lines: Iterable[bytes], shape: Shape
) -> Iterator[tuple[int, Row] | Wrong]:
    number = 0
    try:
        for number, line in enumerate(_decoded(lines), 1):
            if line.strip():
                yield _json_row(line, number, shape)
    except RowError as error:
        yield Wrong(number + 1, str(error))


def _json_row(line: str, number: int, shape: Shape) -> tuple[int, Row] | Wrong:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return Wrong(number, "is no JSON")
    if not isinstance(told, dict):
        return Wrong(number, "is no JSON object")
    cells = {key: "" if value is None else value for key, value in told.items()}
    if wrong := [key for key, value in cells.items() if not isinstance(value, str)]:
        return Wrong(number, f"{wrong[0][:40]!r} is no text")
    if unknown := [key for key in cells if key not in shape.names]:
        return Wrong(number, f"there is no {unknown[0][:40]!r}")
    return number, cells


# --- cells -------------------------------------------------------------------------


def _cell(row: Row, name: str) -> str:
    text = row.get(name, "").strip()
    if len(text) > LONGEST_CELL or not text.isprintable():
        raise RowError(f"{name}: is too long or holds control characters")
    return text


def _must(row: Row, name: str) -> str:
    text = _cell(row, name)
    if not text:
        raise RowError(f"{name}: is missing")
    return text


def _email(row: Row) -> str:
    try:
        return address.parse(_must(row, "address"))
    except address.AddressError as error:
        raise RowError("address: is no mail address") from error


def _key(row: Row, name: str) -> str:
    text = _must(row, name)
    try:
        return _KEY.validate_python(text)
    except ValidationError as error:
        raise RowError(f"{name}: use a-z, 0-9 and _, first a letter") from error


def _locale(row: Row, missing: Locale | None) -> Locale:
    text = _cell(row, "locale").lower() or missing
    if not text:
        raise RowError("locale: is missing")
    for locale in LOCALES:
        if text == locale:
            return locale
    raise RowError(f"locale: is none of {', '.join(LOCALES)}")


def _day(text: str, name: str, around: Around) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise RowError(f"{name}: is no date like 2026-03-31") from error
    if day > around.now.date():
        raise RowError(f"{name}: is in the future")
    return day


def _moment(row: Row, name: str, around: Around) -> datetime:
    try:
        moment = datetime.fromisoformat(_must(row, name))
    except ValueError as error:
        raise RowError(f"{name}: is no moment like 2026-03-31T14:05+02:00") from error
    if moment.tzinfo is None:
        raise RowError(f"{name}: say the time zone, as in 2026-03-31T14:05+02:00")
    if moment > around.now:
        raise RowError(f"{name}: is in the future")
    return moment.astimezone(UTC)


def _text(row: Row, name: str, around: Around) -> Wording | None:
    """Return a wording from its cell, or from the file that the next column names."""
    body, file = row.get(name, ""), _cell(row, f"{name}_file")
    if body.strip() and file:
        raise RowError(f"{name}: stands in the cell and in a file; give one of the two")
    if file:
        try:
            body = around.texts(file)
        except (OSError, ValueError) as error:
            raise RowError(f"{name}_file: {file!r} cannot be read") from error
    body = body.strip()
    if len(body) > LONGEST_TEXT or "\0" in body:
        raise RowError(f"{name}: is too long, or no text")
    return worded(body) if body else None


# --- the two kinds of files --------------------------------------------------------


def _consent(row: Row, line: int, around: Around) -> Claim:
    """Read a consent: with source, date, text and method it is proven (PR-08)."""
    told = _cell(row, "date")
    on = _day(told, "date", around) if told else None
    text = _text(row, "text", around)
    proof = {name: _cell(row, name) for name in ("source", "method")}
    has = {"source": proof["source"], "date": on, "text": text}
    has["method"] = proof["method"]
    missing = [name for name, value in has.items() if not value]
    context = {"given_on": on.isoformat()} if on else {}
    return Claim(
        line=line,
        email=_email(row),
        locale=_locale(row, around.language),
        purpose=_key(row, "purpose"),
        act=Act.UNPROVEN if missing else Act.GIVEN,
        on=on,
        told=on,
        text=text,
        context={**context, "missing": missing} if missing else context,
        facts={**proof, "date": told, "row": _kept(row)},
    )


def _sale(row: Row, line: int, around: Around) -> Claim:
    """Read a sale: without any of its parts nothing follows from it (SO-01)."""
    category, order = _key(row, "category"), _must(row, "order")
    sold = _day(_must(row, "date"), "date", around)
    offer = _text(row, "offer", around)
    if offer is None:
        raise RowError("offer: the offer to say no is missing")
    collected = _moment(row, "collected", around)
    return Claim(
        line=line,
        email=_email(row),
        locale=_locale(row, None),
        purpose=f"{SOFT}{category}",
        act=Act.SOFT_OPT_IN,
        on=sold,
        told=collected.date(),
        text=offer,
        context={"category": category, "sold_on": sold.isoformat()},
        facts={"order": order, "collected": collected.isoformat(), "row": _kept(row)},
    )


def _kept(row: Row) -> dict[str, str]:
    """Return the row as it came, but for the text, which is kept on its own."""
    return {name: cell for name, cell in row.items() if name not in {"text", "offer"}}


CONSENTS = Shape(
    needed=("address", "purpose"),
    optional=("locale", "source", "date", "text", "text_file", "method"),
    claim=_consent,
)
# The offer stands in its cell or in a file, so neither column alone is needed.
SALES = Shape(
    needed=("address", "order", "date", "category", "locale", "collected"),
    optional=("offer", "offer_file"),
    claim=_sale,
)
