"""A file of codes, one a line, as a shop's own system exports it.

Codes are kept as they stand there. Nothing is skipped: an empty line or a heading is
named, so that no code is lost without anybody knowing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MOST_CODES = 1_000_000
MOST_NAMED = 20
# What our own codes may end with is among them.
CODE = re.compile(r"[A-Za-z0-9][\w.*~$=-]{1,38}[A-Za-z0-9*~$=]", re.ASCII)
# One endless line must not fill the memory.
LONGEST_LINE = 256
MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that cannot be used, and why."""

    line: int
    why: str


def read(readline: Callable[[int], bytes], *, room: int) -> Iterator[str | Wrong]:
    """Yield each line's code, or what is wrong with the line; `room` is the most.

    A pool that is too long ends at the first line that has no room.
    """
    line = 0
    while piece := readline(LONGEST_LINE):
        line += 1
        if line > room:
            yield Wrong(line, f"a pool holds {MOST_CODES:,} codes at most")
            return
        if not piece.endswith(b"\n"):
            while (rest := readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            if rest:
                yield Wrong(line, "is far too long for a code")
                continue
        yield _code(piece.removeprefix(MARK) if line == 1 else piece, line)
    if line == 0:
        yield Wrong(1, "the file holds no code")


def _code(piece: bytes, line: int) -> str | Wrong:
    try:
        text = piece.decode().strip()
    except UnicodeDecodeError:
        return Wrong(line, "is not UTF-8 text")
    if not text:
        return Wrong(line, "is empty")
    if not CODE.fullmatch(text):
        return Wrong(line, "is no code: 3 to 40 of A-Z a-z 0-9 . _ - * ~ $ =")
    return text
