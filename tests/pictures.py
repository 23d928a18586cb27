"""Pictures for tests: good ones, and those that somebody hostile would send (T20)."""

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRET = b"here-is-where-i-live"
ORIENTATION = 0x0112


def picture(
    kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: Any
) -> bytes:
    """Return a picture: its left half red, or dark, the rest white."""
    full = "RGB" if mode == "P" else mode
    made = Image.new(full, size, _white(full))
    made.paste(_red(full), (0, 0, size[0] // 2, size[1]))
    made = made if full == mode else made.quantize(4)
    return saved(made, kind, **more)


def saved(made: Image.Image, kind: str, **more: Any) -> bytes:
    body = BytesIO()
    made.save(body, kind, **more)
    return body.getvalue()


def _white(mode: str) -> Any:
    return {"CMYK": (0, 0, 0, 0), "LA": (255, 255), "I;16": 65_535}.get(mode, "white")


def _red(mode: str) -> Any:
    return {"CMYK": (0, 255, 255, 0), "LA": (0, 255), "I;16": 0, "1": 0}.get(
        mode, "red"
    )


def turned(way: int) -> bytes:
    """Return a JPEG that is upright only for who reads how the camera was held."""
    exif = Image.Exif()
    exif[ORIENTATION] = way
    exif[0x010E] = SECRET.decode()
    upright = Image.open(BytesIO(picture()))
    undo = {3: 3, 6: 2, 8: 4, 2: 0, 4: 1, 5: 5, 7: 6}[way]
    return saved(upright.transpose(Image.Transpose(undo)), "JPEG", exif=exif)


def see_through() -> bytes:
    """Return a palette GIF of which the left half can be looked through."""
    made = Image.new("P", (64, 48), 1)
    made.putpalette([255, 0, 0, 0, 0, 255] + [0] * 762)
    made.paste(0, (0, 0, 32, 48))
    return saved(made, "GIF", transparency=0)


def animated(kind: str = "GIF", frames: int = 3) -> bytes:
    """Return a red picture that turns into others."""
    rest = [Image.new("RGB", (64, 48), (0, 0, 80 * i)) for i in range(1, frames)]
    first = Image.new("RGB", (64, 48), "red")
    return saved(first, kind, save_all=True, append_images=rest, duration=40)


def with_words() -> bytes:
    """Return a PNG that tells more than its pixels."""
    told = PngInfo()
    told.add_text("Author", SECRET.decode())
    told.add_itxt("Comment", SECRET.decode())
    return picture("PNG", pnginfo=told, icc_profile=b"profile " + SECRET)


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    check = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def png_claiming(width: int, height: int, pixels: bytes = b"", kind: int = 2) -> bytes:
    """Return a PNG whose head says one thing, whatever there is of the rest."""
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def bomb(edge: int) -> bytes:
    """Return a small PNG that unfolds to `edge` times `edge` pixels of one bit."""
    head = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    row = b"\x00" * (edge // 8 + 2)
    squeezed = zlib.compressobj(9)
    body = b"".join(squeezed.compress(row) for _ in range(edge)) + squeezed.flush()
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def hostile() -> Iterator[tuple[str, bytes]]:
    """Yield named files, none of which may do more than be refused or be a picture."""
    for name, make in _HOSTILE.items():
        yield name, make()
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        whole = picture(kind, (200, 150))
        for share in (0.1, 0.5, 0.9):
            yield f"{kind} cut at {share}", whole[: int(len(whole) * share)]
        for place in (20, 30, len(whole) // 2, len(whole) - 20):
            bent = bytearray(whole)
            bent[place] ^= 0xFF
            yield f"{kind} bent at {place}", bytes(bent)
        yield f"{kind} with a page behind", whole + b"<script>alert(1)</script>"


_HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"G",
    "a page": lambda: b"<!doctype html><script>alert(1)</script>",
    "a page that starts as a GIF": lambda: b"GIF89a/*<script>alert(1)</script>*/=1",
    "a drawing": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "a PDF": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
    "a TIFF": lambda: picture("TIFF"),
    "a BMP": lambda: picture("BMP"),
    "an icon": lambda: picture("ICO"),
    "a bomb of 400 million pixels": lambda: bomb(20_000),
    "a bomb of 25 million pixels and some": lambda: bomb(5_001),
    "a picture of 25 million pixels": lambda: bomb(5_000),
    "a claim of 4 thousand million pixels": lambda: png_claiming(65_535, 65_535),
    "a claim beyond all numbers": lambda: png_claiming(2**31 - 1, 2**31 - 1),
    "a claim of no pixels": lambda: png_claiming(0, 0),
    "one row of 25 million": lambda: png_claiming(25_000_000, 1),
    "a claim without pixels": lambda: png_claiming(4_000, 4_000),
    "a large see-through picture": lambda: picture("PNG", (5_000, 5_000), "RGBA"),
    "a large palette": lambda: picture("GIF", (5_000, 5_000), "P"),
    "a large WebP": lambda: picture("WEBP", (4_000, 4_000), quality=1, method=0),
    "a larger WebP": lambda: picture("WEBP", (4_001, 4_000), quality=1, method=0),
    "a large JPEG": lambda: picture("JPEG", (5_000, 5_000), quality=1),
    "large sixteen bit grey": lambda: picture("PNG", (5_000, 5_000), "I;16"),
    "large ink": lambda: picture("JPEG", (5_000, 5_000), "CMYK", quality=1),
    "a thousand frames": lambda: animated("GIF", 1_000),
    "words that unfold to 60 MB": lambda: _wordy(60_000_000),
    "a script as a comment": lambda: picture(
        "GIF", comment=b"<script>alert(1)</script>"
    ),
    "secrets in a PNG": with_words,
}


def _wordy(size: int) -> bytes:
    words = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * size, 9))
    whole = picture("PNG")
    return whole[:33] + words + whole[33:]
