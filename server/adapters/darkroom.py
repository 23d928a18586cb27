"""Makes one picture anew, alone in a process that may use little (T20).

`adapters/pictures` runs this file by its path, so that nothing of ours but this is
loaded: a picture is the one thing that we let a library take apart for a stranger.
The picture comes in on stdin; its width, height and bytes go out on stdout. The way
it ends says what was wrong.
"""

import resource
import sys
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_MEMORY = 512 * 1024 * 1024
MOST_SECONDS = 10
MOST_PIXELS = 25_000_000
# A WebP is unfolded three times over, so it may hold fewer (G21: 300 MB in all).
MOST_PIXELS_OF = {"WEBP": 16_000_000}
KINDS = ("PNG", "JPEG", "WEBP", "GIF")
QUALITY = 84
# How the process ends; 1 and 2 are what Python itself ends with.
NO_PICTURE, TOO_LARGE, DAMAGED, TOO_MUCH = 10, 11, 12, 13
# What a camera says of how it was held (EXIF), and Pillow's number for undoing it.
ORIENTATION = 0x0112
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def limit() -> None:
    """Give up memory, time and files, before the first byte is looked at."""
    for kind, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def develop(source: BinaryIO, *, edge: int, is_drawing: bool) -> "Image":
    """Return the first frame, upright, no edge longer than `edge`, as plain pixels.

    Nothing but pixels is carried over: a new picture has no metadata, no profile and
    no second frame.
    """
    from PIL import Image, UnidentifiedImageError

    # Our own limit is lower, and refuses before anything is unfolded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        opened = Image.open(source, formats=KINDS)
    except UnidentifiedImageError:
        sys.exit(NO_PICTURE)
    width, height = opened.size
    if width * height > MOST_PIXELS_OF.get(str(opened.format), MOST_PIXELS):
        sys.exit(TOO_LARGE)
    if not is_drawing:
        # Of a photograph only the pixels that are needed are unfolded.
        opened.draft("RGB", (edge * 2, edge * 2))
    opened.load()
    way = opened.getexif().get(ORIENTATION)
    picture = _flat(opened)
    picture.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return picture.transpose(Image.Transpose(TURNS[way])) if way in TURNS else picture


def _flat(opened: "Image") -> "Image":
    """Return the pixels as RGB, or RGBA where some can be looked through."""
    if opened.mode.startswith("I;16"):
        # Sixteen bits of grey; a plain conversion would cut instead of scale.
        opened = opened.convert("I").point(lambda value: value / 256).convert("L")
    wanted = "RGBA" if opened.has_transparency_data else "RGB"
    picture = opened if opened.mode == wanted else opened.convert(wanted)
    # What the file said about itself stays behind.
    picture.info = {}
    return picture


def main() -> None:
    """Read a picture, write the new one."""
    limit()
    edge, is_drawing = int(sys.argv[1]), sys.argv[2] == "drawing"
    try:
        picture = develop(
            BytesIO(sys.stdin.buffer.read()), edge=edge, is_drawing=is_drawing
        )
        made = BytesIO()
        picture.save(made, "WEBP", lossless=is_drawing, quality=QUALITY, method=6)
    except MemoryError:
        sys.exit(TOO_MUCH)
    except Exception:
        # A decoder may raise anything; all of it means the same.
        sys.exit(DAMAGED)
    sys.stdout.buffer.write(b"%d %d\n" % picture.size + made.getvalue())


if __name__ == "__main__":
    main()
