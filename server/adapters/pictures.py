"""Pictures of strangers, made anew before anything else of ours touches them (T20)."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from server.adapters import darkroom
from server.domain.picture import Picture

MOST_BYTES = 5 * 1024 * 1024
SAID = {
    darkroom.NO_PICTURE: "is not a PNG, JPEG, WebP or GIF picture",
    darkroom.TOO_LARGE: "has more than 25 million pixels (a WebP: 16); make it smaller",
    darkroom.DAMAGED: "is damaged or cut short; save it anew and try again",
    darkroom.TOO_MUCH: "takes more memory than a picture may",
}


class PictureError(Exception):
    """A picture cannot be used; the message goes on where its name left off."""


@dataclass(frozen=True, slots=True)
class Developed:
    """A picture as we made it anew: a WebP of pixels and nothing else."""

    body: bytes
    width: int
    height: int


def read(path: Path) -> bytes:
    """Return the bytes of a picture's file. Raises `PictureError`."""
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror})") from error
    if len(body) > MOST_BYTES:
        raise PictureError("is larger than 5 MB; make it smaller")
    return body


def develop(body: bytes, use: type[Picture]) -> Developed:
    """Return a picture made anew for its use, in a process of its own.

    Raises `PictureError`. The limits are in `darkroom`; the clock is kept here too,
    for what waits without using its time.
    """
    kind = "drawing" if use.is_drawing else "photograph"
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            [sys.executable, "-I", darkroom.__file__, str(use.edge), kind],
            input=body,
            capture_output=True,
            env={},
            timeout=darkroom.MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise PictureError("takes longer than a picture may") from None
    if done.returncode:
        raise PictureError(
            SAID.get(done.returncode, "takes more memory or time than a picture may")
        )
    size, _, made = done.stdout.partition(b"\n")
    width, height = map(int, size.split())
    return Developed(made, width, height)
