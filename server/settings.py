"""Every setting, read once from the environment (`JAWOORD_*`).

`docs/settings.md` explains each of them; a rule test keeps the two equal.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "JAWOORD_"
SQLITE = "sqlite:///"
# It goes into policies, headers and mails as it stands: no name, blank or other script.
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.I)
KEY_BYTES = 32
# In the instance folder, while the demo runs: where its mail server listens.
MAIL_SERVER = "smtp_url"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})


class SettingError(Exception):
    """A setting cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides. Secrets never show in its repr."""

    public_url: str
    bind: str
    instance: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    smtp_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    data_keys: tuple[bytes, ...] = field(repr=False)
    ledger_keys: tuple[bytes, ...] = field(repr=False)
    trusted_proxies: int
    scanner_networks: tuple[str, ...]
    web_processes: int
    web_threads: int
    lease_seconds: int
    client_mail_limits: str
    campaign_mail_limit: str
    mail_limit: str
    play_limit: str
    least_fill_seconds: int
    retention: str
    webhook_networks: tuple[str, ...]
    demo: bool
    demo_shop_url: str

    @property
    def host(self) -> str:
        """Return the host name that our own addresses carry."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def cookie_name(self, name: str) -> str:
        """Return the name a browser binds to this very host, where it is on TLS."""
        return f"__Host-{name}" if self.is_https else name


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment.

    Raises `SettingError` with one line naming the variable and what to do. Makes
    the instance folder and, where none are given, the keys in it.
    """
    read = _Reader(os.environ if environ is None else environ)
    instance = _instance_folder(Path(read.text("INSTANCE", "instance")))
    bind = read.address("BIND", "127.0.0.1:8400")
    return Settings(
        public_url=read.url("PUBLIC_URL", f"http://{bind}"),
        bind=bind,
        instance=instance,
        database_url=read.database("DATABASE_URL", f"sqlite:///{instance}/jawoord.db"),
        redis_url=read.text("REDIS_URL", "") or None,
        smtp_url=read.text(
            "SMTP_URL", _kept_address(instance / MAIL_SERVER) or "smtp://127.0.0.1:25"
        ),
        secret_keys=read.keys("SECRET_KEYS") or _kept_keys(instance / "secret_keys"),
        data_keys=_bytes_of(
            "DATA_KEYS", read.keys("DATA_KEYS") or _kept_keys(instance / "data_keys")
        ),
        ledger_keys=_bytes_of(
            "LEDGER_KEYS",
            read.keys("LEDGER_KEYS") or _kept_keys(instance / "ledger_keys"),
        ),
        trusted_proxies=read.number("TRUSTED_PROXIES", 0, most=10),
        scanner_networks=read.networks("SCANNER_NETWORKS"),
        web_processes=read.number("WEB_PROCESSES", 2, least=1, most=64),
        web_threads=read.number("WEB_THREADS", 8, least=1, most=256),
        lease_seconds=read.number("LEASE_SECONDS", 60, least=2, most=3_600),
        client_mail_limits=read.text(
            "CLIENT_MAIL_LIMITS", "5 per 10 minutes; 20 per day"
        ),
        campaign_mail_limit=read.text("CAMPAIGN_MAIL_LIMIT", "500 per hour"),
        mail_limit=read.text("MAIL_LIMIT", "5000 per hour"),
        play_limit=read.text("PLAY_LIMIT", "30 per 10 minutes"),
        least_fill_seconds=read.number("LEAST_FILL_SECONDS", 2, most=60),
        retention=read.word("RETENTION", ("on", "report")),
        webhook_networks=read.networks("WEBHOOK_NETWORKS"),
        demo=read.flag("DEMO", default=False),
        demo_shop_url=read.url("DEMO_SHOP_URL", f"http://{bind}"),
    )


class _Reader:
    """Reads one environment, turning what cannot be used into a `SettingError`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(PREFIX + name, "").strip() or default

    def keys(self, name: str) -> tuple[str, ...]:
        """Return keys, oldest first, as `KEY,KEY` gives them."""
        keys = tuple(k.strip() for k in self.text(name, "").split(",") if k.strip())
        if any(len(key) < KEY_BYTES for key in keys):
            raise SettingError(
                f"{PREFIX}{name}: each key needs at least {KEY_BYTES} characters; "
                "make one with: python -c 'import secrets; print(secrets.token_hex())'"
            )
        return keys

    def networks(self, name: str) -> tuple[str, ...]:
        """Read a list of networks such as `192.0.2.0/24, 2001:db8::/32`."""
        listed = [part.strip() for part in self.text(name, "").split(",")]
        networks = tuple(part for part in listed if part)
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise SettingError(f"{PREFIX}{name}: {error}") from None
        return networks

    def number(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        raw = self.text(name, str(default))
        if not _is_number(raw) or not least <= int(raw) <= most:
            raise SettingError(
                f"{PREFIX}{name} is {raw!r}; give a whole number from {least} to {most}"
            )
        return int(raw)

    def flag(self, name: str, *, default: bool) -> bool:
        raw = self.text(name, "yes" if default else "").lower()
        if raw in TRUE_WORDS:
            return True
        if raw in FALSE_WORDS:
            return False
        raise SettingError(f"{PREFIX}{name} is {raw!r}; write yes or no")

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """Return one of these words; the first where none is given."""
        raw = self.text(name, words[0]).lower()
        if raw not in words:
            raise SettingError(f"{PREFIX}{name} is {raw!r}; write {' or '.join(words)}")
        return raw

    def url(self, name: str, default: str) -> str:
        raw = self.text(name, default).rstrip("/")
        if not _is_origin(raw):
            raise SettingError(
                f"{PREFIX}{name} is {raw!r}; give a scheme and host, "
                "like https://play.example.com"
            )
        return raw

    def address(self, name: str, default: str) -> str:
        raw = self.text(name, default)
        host, _, port = raw.rpartition(":")
        is_port = _is_number(port) and 0 < int(port) < 65536
        if not host or not is_port or not _is_origin(f"http://{raw}"):
            raise SettingError(
                f"{PREFIX}{name} is {raw!r}; give HOST:PORT, like 127.0.0.1:8400"
            )
        return raw

    def database(self, name: str, default: str) -> str:
        raw = self.text(name, default)
        if raw.startswith(("postgresql://", "postgres://")):
            raw = "postgresql+psycopg://" + raw.split("://", 1)[1]
        if not _is_database(raw):
            raise SettingError(
                f"{PREFIX}{name}: give sqlite:///FILE or postgresql://USER@HOST/NAME"
            )
        if raw.startswith(SQLITE):
            folder = _sqlite_file(raw).parent
            if not os.access(folder, os.W_OK | os.X_OK):
                raise SettingError(
                    f"{PREFIX}{name}: the folder {folder} cannot be written; "
                    "make it, choose another or give it to this user"
                )
        return raw


def _is_number(text: str) -> bool:
    """Return whether it is written in plain digits: to Python, `²` is a digit too."""
    return text.isascii() and text.isdigit()


def _is_database(url: str) -> bool:
    """Return whether it names a file, or a server with a port that can be one."""
    if url.startswith(SQLITE):
        file = _sqlite_file(url)
        # One in memory would be another one for each process.
        return file.name not in {"", ":memory:"} and not file.is_dir()
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == "postgresql+psycopg"


def _sqlite_file(url: str) -> Path:
    return Path(url.removeprefix(SQLITE).partition("?")[0])


def _is_origin(text: str) -> bool:
    """Return whether it is a scheme and a host, with a port that can be one."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    rest = (parts.path, parts.query, parts.fragment)
    is_http = parts.scheme in {"http", "https"}
    return is_http and bool(HOST.fullmatch(parts.netloc)) and not any(rest)


def _instance_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"{PREFIX}INSTANCE: cannot make the folder {folder} "
            f"({error.strerror}); choose another or give it to this user"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingError(
            f"{PREFIX}INSTANCE: the folder {folder} cannot be written; "
            "choose another or give it to this user"
        )
    return folder.resolve()


def _kept_address(path: Path) -> str:
    """Return the address that a file keeps, or nothing where there is no file."""
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingError(
            f"the file {path} cannot be used ({error.strerror}); "
            "give this user the right to read it, or remove it"
        ) from error


def _kept_keys(path: Path) -> tuple[str, ...]:
    """Return the keys kept in a file, one a line, making the first one if need be."""
    try:
        if not path.exists():
            _write_first_key(path)
        keys = tuple(path.read_text(errors="replace").split())
    except OSError as error:
        raise SettingError(
            f"the key file {path} cannot be used ({error.strerror}); "
            "give this user the right to read and write it"
        ) from error
    if not keys or any(len(key) < KEY_BYTES or "\ufffd" in key for key in keys):
        raise SettingError(f"the key file {path} is damaged; restore it from a backup")
    return keys


def _write_first_key(path: Path) -> None:
    """Write a key under another name and link it, so that two starts agree on one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(KEY_BYTES) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        # Another process was first; its key is the one that counts.
        return
    finally:
        draft.unlink()


def _bytes_of(name: str, keys: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(_as_key(name, key) for key in keys)


def _as_key(name: str, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingError(
            f"{PREFIX}{name}: each key is {KEY_BYTES} bytes in hex; "
            "make one with: python -c 'import secrets; print(secrets.token_hex())'"
        )
    return key
