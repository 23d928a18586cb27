"""Every setting is in docs/settings.md, and nothing else is."""

import ast
import re
from pathlib import Path

import pytest

from server.settings import PREFIX, SettingError, load_settings

ROOT = Path(__file__).parents[2]
NAME = re.compile(rf"{PREFIX}[A-Z_]+[A-Z]")
# These hand the environment on to the processes they start.
STARTERS = {"server/__main__.py", "server/showroom.py"}
READERS = {
    *("text", "keys", "number", "flag", "url", "address", "database", "networks"),
    "word",
}


def names_read() -> set[str]:
    """Return the settings that server/settings.py reads."""
    tree = ast.parse((ROOT / "server" / "settings.py").read_text())
    return {
        PREFIX + node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "read"
        and isinstance(node.args[0], ast.Constant)
    }


def rows() -> dict[str, list[str]]:
    """Return the table of docs/settings.md: name -> default and meaning."""
    lines = (ROOT / "docs" / "settings.md").read_text().splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return {name.strip(" `"): [cell.strip() for cell in rest] for name, *rest in cells}


def test_the_page_and_the_code_name_the_same_settings():
    assert set(rows()) == names_read(), "write a row, or remove what nothing reads"


def test_every_row_gives_a_default_and_a_meaning():
    assert {n: r for n, r in rows().items() if len(r) != 2 or not all(r)} == {}


def test_only_settings_py_reads_the_environment():
    found = [
        f"{path.relative_to(ROOT)}: read it in server/settings.py"
        for path in sorted((ROOT / "server").rglob("*.py"))
        if path.name != "settings.py"
        and re.search(r"os\.(environ\b(?!\s*\|)|getenv)", path.read_text())
        and path.relative_to(ROOT).as_posix() not in STARTERS
    ]

    assert found == []


def test_no_other_name_is_used_anywhere():
    """A setting that is misspelt in a script or a page would do nothing."""
    known = names_read()
    places = [
        path
        for pattern in ("*.md", "docs/**/*.md", "server/**/*.py", "bench/**/*.py")
        for path in ROOT.glob(pattern)
    ]

    unknown = {
        path.relative_to(ROOT).as_posix(): names
        for path in places
        if (names := set(NAME.findall(path.read_text())) - known)
    }

    assert unknown == {}


def test_defaults_on_the_page_are_those_of_the_code(tmp_path):
    settings = load_settings({"JAWOORD_INSTANCE": str(tmp_path)})
    said = {name: cells[0].strip("`") for name, cells in rows().items()}

    for field, name in {
        "bind": "BIND",
        "smtp_url": "SMTP_URL",
        "trusted_proxies": "TRUSTED_PROXIES",
        "web_processes": "WEB_PROCESSES",
        "web_threads": "WEB_THREADS",
        "lease_seconds": "LEASE_SECONDS",
        "client_mail_limits": "CLIENT_MAIL_LIMITS",
        "campaign_mail_limit": "CAMPAIGN_MAIL_LIMIT",
        "mail_limit": "MAIL_LIMIT",
        "play_limit": "PLAY_LIMIT",
        "least_fill_seconds": "LEAST_FILL_SECONDS",
        "retention": "RETENTION",
    }.items():
        assert str(getattr(settings, field)) == said[PREFIX + name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "play.example.com"),
        ("PUBLIC_URL", "https://play.example.com/path"),
        ("PUBLIC_URL", "https://play example.com"),
        ("PUBLIC_URL", "https://user:secret@play.example.com"),
        ("PUBLIC_URL", "https://play.example.com;"),
        ("PUBLIC_URL", "https://büro.example"),
        ("BIND", "8400"),
        ("BIND", "127.0.0.1:0"),
        ("BIND", "127.0.0.1:8²"),
        ("BIND", ":8400"),
        ("BIND", "[::1:8400"),
        ("DATABASE_URL", "mysql://a/b"),
        ("DATABASE_URL", "postgresql://a@b:port/c"),
        ("DATABASE_URL", "postgresql://a@[::1/c"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:////"),
        ("SECRET_KEYS", "short"),
        ("DATA_KEYS", "z" * 64),
        ("TRUSTED_PROXIES", "-1"),
        ("WEB_PROCESSES", "0"),
        ("WEB_THREADS", "²"),
        ("RETENTION", "off"),
        ("DEMO", "perhaps"),
    ],
)
def test_a_wrong_setting_gives_one_line_that_names_it(tmp_path, name, value):
    environ = {"JAWOORD_INSTANCE": str(tmp_path), PREFIX + name: value}

    with pytest.raises(SettingError, match=PREFIX + name) as refusal:
        load_settings(environ)

    assert "\n" not in str(refusal.value)


def test_an_unwritable_folder_gives_one_line_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingError, match="JAWOORD_INSTANCE"):
        load_settings({"JAWOORD_INSTANCE": str(tmp_path / "file" / "instance")})


def test_secrets_do_not_show(tmp_path):
    """SAFETY.md T23: a settings object in a log tells no secret."""
    settings = load_settings(
        {
            "JAWOORD_INSTANCE": str(tmp_path),
            "JAWOORD_DATABASE_URL": "postgresql://u:hush1@h/d",
            "JAWOORD_REDIS_URL": "redis://:hush2@h",
            "JAWOORD_SMTP_URL": "smtp://u:hush3@h",
            "JAWOORD_SECRET_KEYS": "hush4" * 8,
        }
    )

    assert "hush" not in repr(settings)
    assert settings.data_keys[0].hex() not in repr(settings)


def test_keys_are_made_once_and_for_this_user_alone(tmp_path):
    first = load_settings({"JAWOORD_INSTANCE": str(tmp_path / "instance")})
    second = load_settings({"JAWOORD_INSTANCE": str(tmp_path / "instance")})

    assert first.secret_keys == second.secret_keys
    assert first.data_keys == second.data_keys
    for name in ("secret_keys", "data_keys"):
        assert (tmp_path / "instance" / name).stat().st_mode & 0o077 == 0
