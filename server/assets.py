"""The files that browsers get: minified, named by their content, compressed once.

`python -m server assets` builds them into `static/built/`. Without a build (a fresh
checkout in an editor) the plain sources are served, so nothing of it is needed to
work on the code. The loader alone is joined into one file, because a host page
should pay for one request; everything else stays modules.
"""

import gzip
import hashlib
import json
import mimetypes
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import brotli
from flask import Flask, url_for

AREAS = ("widget", "static")
KINDS = {".js", ".css", ".svg", ".png", ".webp", ".ico"}
# Joined with what they import: a shop's page asks for one file, and later for one more.
LOADER = "widget/embed.js"
FRAME = "widget/frame.js"
HTMX = ("static/htmx.js", "node_modules/htmx.org/dist/htmx.min.js")
# Brotli bytes (the budgets); the build fails above them.
BUDGETS = {LOADER: 2_900}
VERSION_LENGTH = 12
MANIFEST = "manifest.json"
# Builds that stay on disk, for who has pinned one, and older ones held in memory.
MOST_KEPT = 20
MOST_READ = 3

_VERSION = re.compile(r"[0-9a-f]{12}")

_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*'(\./[\w./-]+)'\s*$", re.M)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|class)\b)", re.M)
_EXPORTED = re.compile(r"^export\s+(?:async\s+)?(?:function|const|class)\s+(\w+)", re.M)
_NUMBER = re.compile(r"^const ([A-Z][A-Z0-9_]*) = (\d+)\n", re.M)
_TOP_NAME = re.compile(r"^(?:async\s+)?(?:function|const|let|class)\s+(\w+)", re.M)


class AssetError(Exception):
    """A file cannot be built as it stands; the message names it."""


@dataclass(frozen=True, slots=True)
class File:
    """One file in the three forms a browser may accept."""

    mimetype: str
    plain: bytes
    gzip: bytes
    brotli: bytes

    @property
    def etag(self) -> str:
        return hashlib.sha256(self.plain).hexdigest()[:16]


class Assets:
    """What there is to serve, by path, under one version for all of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._built = built = root / "static" / "built"
        self._older: dict[str, dict[str, File]] = {}
        if (built / "version").exists():
            self.version = (built / "version").read_text().strip()
            self.files = _read_built(built / self.version)
        else:
            plain = sources(root)
            self.version = version_of(plain)
            self.files = {path: _packed(path, body, 1) for path, body in plain.items()}

    def init_app(self, app: Flask) -> None:
        """Give templates `asset(path)`: the address of `widget/page.js`, say."""
        app.extensions["assets"] = self
        app.jinja_env.globals["asset"] = self.address

    def is_kept(self, version: str) -> bool:
        """Return whether this very version is there, so that an address can hold it."""
        if version == self.version or version in self._older:
            return True
        folder = self._built / version
        return bool(_VERSION.fullmatch(version)) and (folder / MANIFEST).exists()

    def find(self, version: str, path: str) -> File | None:
        """Return a file of this version, or today's where that is not kept.

        A shop that has pinned its loader gets those bytes; a page from before an
        update still finds its parts.
        """
        if version == self.version or not self.is_kept(version):
            return self.files.get(path)
        files = self._older.get(version) or _read_built(self._built / version)
        # Nobody asks for many, and whoever does shall not fill the memory.
        if version not in self._older and len(self._older) >= MOST_READ:
            self._older.clear()
        self._older[version] = files
        return files.get(path)

    def address(self, path: str) -> str:
        """Return the address of a file; raises KeyError for one that is not there."""
        area, _, name = path.partition("/")
        if path not in self.files:
            raise KeyError(path)
        return url_for(f"files.{area}", version=self.version, name=name)


def sources(root: Path) -> dict[str, bytes]:
    """Return every file to serve, by path, as written; the loader already joined."""
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for area in AREAS
        for path in sorted((root / area).rglob("*"))
        if path.suffix in KINDS and "built" not in path.parts
    }
    if (root / HTMX[1]).exists():
        found[HTMX[0]] = (root / HTMX[1]).read_bytes()
    for path in (LOADER, FRAME):
        if (root / path).exists():
            found[path] = joined(root / path, as_module=path == FRAME).encode()
    return found


def version_of(files: dict[str, bytes]) -> str:
    """Return a name for exactly these files."""
    digest = hashlib.sha256()
    for path, body in sorted(files.items()):
        digest.update(f"{path}\x00{len(body)}\x00".encode() + body)
    return digest.hexdigest()[:VERSION_LENGTH]


def build(root: Path) -> dict[str, File]:
    """Write `static/built/` and return what is in it. Raises `AssetError`."""
    files = {
        path: _packed(path, _minified(path, body), 11)
        for path, body in sources(root).items()
    }
    for path, most in BUDGETS.items():
        if path in files and len(files[path].brotli) > most:
            raise AssetError(
                f"{path} is {len(files[path].brotli)} bytes of brotli; budget {most}"
            )
    version = version_of({path: file.plain for path, file in files.items()})
    target = root / "static" / "built" / version
    for path, file in files.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.plain)
        place.with_name(place.name + ".gz").write_bytes(file.gzip)
        place.with_name(place.name + ".br").write_bytes(file.brotli)
    sizes = {path: len(file.brotli) for path, file in files.items()}
    (target / MANIFEST).write_text(json.dumps(sizes, indent=1))
    (target.parent / "version").write_text(version + "\n")
    _forget_oldest(target.parent)
    return files


def _forget_oldest(built: Path) -> None:
    manifests = sorted(built.glob(f"*/{MANIFEST}"), key=lambda m: m.stat().st_mtime)
    for manifest in manifests[:-MOST_KEPT]:
        shutil.rmtree(manifest.parent)


def joined(entry: Path, *, as_module: bool = False) -> str:
    """Return a module and all it imports as one classic script or one module.

    A module still exports what its entry does. Our own modules are plain enough for
    this: named imports, one scope, no clash of top-level names, which is checked.
    Raises `AssetError`.
    """
    parts: dict[Path, str] = {}
    _collect(entry.resolve(), parts)
    exported = _EXPORTED.findall(entry.read_text()) if as_module else []
    names: dict[str, Path] = {}
    for path, text in parts.items():
        for name in _TOP_NAME.findall(text):
            if name in names:
                raise AssetError(f"{path.name} and {names[name].name} share {name!r}")
            names[name] = path
    body = _numbers_in_place("\n".join(parts.values()))
    if as_module:
        return f"{body}\nexport {{ {', '.join(exported)} }}\n"
    return f"(() => {{\n{body}\n}})()\n"


def _numbers_in_place(text: str) -> str:
    """Put each named number where it is used: its name is for who reads the source.

    The minifier leaves a name of a letter, which a page would pay for.
    """
    numbers = dict(_NUMBER.findall(text))
    names = re.compile(rf"\b(?:{'|'.join(numbers) or '(?!)'})\b")
    return names.sub(lambda found: numbers[found[0]], _NUMBER.sub("", text))


def _collect(path: Path, parts: dict[Path, str]) -> None:
    if path in parts:
        return
    text = path.read_text()
    for _names, target in _IMPORT.findall(text):
        _collect((path.parent / target).resolve(), parts)
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    if re.search(r"^(?:import|export)\b", text, re.M):
        raise AssetError(f"{path.name} has an import or export that cannot be joined")
    parts[path] = text.strip()


def _minified(path: str, body: bytes) -> bytes:
    """Return the file smaller, or as it is where its tool is not installed.

    Only a build loads the tools: one of them brings the whole runtime of Go.
    """
    try:
        if path.endswith(".js"):
            import minify

            return _as_bytes(minify.string("text/javascript", body.decode()))
        if path.endswith(".css"):
            import lightningcss

            return _as_bytes(lightningcss.process_stylesheet(body.decode()))
    except ImportError:
        return body
    return body


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _packed(path: str, body: bytes, effort: int) -> File:
    return File(
        mimetype=mimetypes.guess_type(path)[0] or "application/octet-stream",
        plain=body,
        gzip=gzip.compress(body, min(effort, 9), mtime=0),
        brotli=brotli.compress(body, quality=effort),
    )


def _read_built(folder: Path) -> dict[str, File]:
    return {
        path: File(
            mimetype=mimetypes.guess_type(path)[0] or "application/octet-stream",
            plain=(folder / path).read_bytes(),
            gzip=(folder / f"{path}.gz").read_bytes(),
            brotli=(folder / f"{path}.br").read_bytes(),
        )
        for path in json.loads((folder / MANIFEST).read_text())
    }
