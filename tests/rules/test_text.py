"""What must not be written in code and templates, and what must be written in Dutch."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from server.domain.claim import METHODS as CLAIMED
from server.views.office.story import METHODS
from tests.html import parse

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "server" / "translations"
DUTCH = TRANSLATIONS / "nl" / "LC_MESSAGES" / "messages.po"
KEYWORDS = DEFAULT_KEYWORDS | {"lazy_gettext": None, "_l": None}

# What -> why not, and what to do instead.
NEVER = {
    r"\|\s*safe\b": "what people typed is text (G9): let Jinja escape it",
    r"\bMarkup\(": "what people typed is text (G9): let Jinja escape it",
    r"autoescape\s+false|autoescape=False": "everything is escaped (G9)",
    r"render_template_string": "templates are files (T12)",
    r"request\.(?:host|url_root|host_url|base_url|url)\b": (
        "the Host header is anybody's (T13): use settings.public_url"
    ),
    r"_external": "the Host header is anybody's (T13): use settings.public_url",
    r"\|\s*tojson": "data travels in data-* attributes, escaped like all else",
    r"\bverify=False\b": "certificates are checked",
    r"\bshell=True\b": "no shell",
    r"\b(?:pickle|marshal)\b": "what comes in is parsed, never revived",
    r"\beval\(|\bexec\(": "what comes in is parsed, never run",
}
# `random` is for chance that nobody profits from; it needs a reason beside it.
CHANCE = re.compile(r"\brandom\.\w+\(")
# No visitor waits for these: the database's queue, the worker, what starts them.
SLEEPERS = {f"server/{name}.py" for name in ("db", "worker", "__main__", "showroom")}


def code() -> list[Path]:
    return sorted(
        path
        for place in ("server", "templates")
        for path in (ROOT / place).rglob("*")
        if path.suffix in {".py", ".html", ".txt"}
    )


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("pattern", NEVER)
def test_it_is_written_nowhere(pattern: str):
    found = [
        f"{name_of(path)}:{number}: {NEVER[pattern]}"
        for path in code()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert found == []


def test_commands_write_files_in_one_way():
    """Whole or not at all, and over nothing that is there: `base.written`."""
    other = re.compile(r"""write_(?:text|bytes)\(|open\(["'][wax]""")
    found = [
        f"{name_of(path)}:{number}: take base.new_file, base.force and base.written"
        for path in sorted((ROOT / "server" / "commands").rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if other.search(line)
    ]

    assert found == []


def test_chance_that_matters_comes_from_the_system():
    found = [
        f"{name_of(path)}:{number}: take os.urandom or secrets, or say why not"
        for path in sorted((ROOT / "server").rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if CHANCE.search(line) and "noqa: S311" not in line
    ]

    assert found == []


def test_nobody_sleeps_while_a_visitor_waits():
    found = [
        f"{name_of(path)}:{node.lineno}: answer 503 with Retry-After instead"
        for path in sorted((ROOT / "server").rglob("*.py"))
        if name_of(path) not in SLEEPERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep")
    ]

    assert found == []


def inline(template: str) -> Iterator[str]:
    """Yield what our content security policy would refuse."""
    # Jinja's own words would be read as broken tags and attributes.
    html = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", template, flags=re.S)
    html = re.sub(r"\{\{.*?\}\}", "x", html, flags=re.S)
    for element in parse(html).walk():
        if element.tag == "style":
            yield "a style element"
        if element.tag == "script" and "src" not in element.attrs:
            yield "a script in the page"
        for name, value in element.attrs.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                yield f"<{element.tag} {name}>"
            if value.lower().lstrip().startswith("javascript:"):
                yield f"<{element.tag} {name}> holds a script"


def test_templates_hold_no_script_and_no_style():
    """A mail is no page: its style is inline, since mail programs drop the rest."""
    found = {
        name_of(path): faults
        for path in templates()
        if "mail" not in path.relative_to(ROOT / "templates").parts
        and (faults := list(inline(path.read_text())))
    }

    assert found == {}, "put rules into static/*.css, behaviour into a module"


@pytest.mark.parametrize(
    "html",
    [
        "<style>p{}</style>",
        '<p style="top:{{ y }}px">',
        '<p onclick="go()">',
        "<script>go()</script>",
        '<a href="javascript:go()">',
        '{% if a %}<b hx-on:click="x">{% endif %}',
    ],
)
def test_script_and_style_are_seen(html: str):
    assert list(inline(html))


def test_a_fragment_says_what_it_needs():
    """CONVENTIONS: the first line of `_name.html` is a comment that says so."""
    found = [
        f"{name_of(path)}: start with a line like {{# One row. Needs: prize. #}}"
        for path in templates()
        if path.name.startswith("_")
        and not path.read_text().lstrip("\ufeff").startswith("{#")
    ]

    assert found == []


def test_every_way_a_fact_comes_about_has_words():
    """A person's page and their proof say it to people (PR-02, PR-04)."""
    ways = re.compile(r"""(?:METHOD|method(?:: str)?) ?= ?"([a-z_-]+)\"""")
    noted = {
        way
        for path in sorted((ROOT / "server" / "services").rglob("*.py"))
        for way in ways.findall(path.read_text())
    }

    assert {"form", "mailbox-confirmed-post", "pref_centre"} <= noted
    assert sorted((noted | set(CLAIMED.values())) - set(METHODS)) == []


# --- languages ---------------------------------------------------------------------


def messages() -> dict[str | tuple[str, ...], str]:
    """Return every text in code and templates, and where it was found first."""
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file, "babel.cfg")
    found: dict[str | tuple[str, ...], str] = {}
    for place, line, message, _comments, _context in extract_from_dir(
        ROOT, methods, options, keywords=KEYWORDS, directory_filter=is_ours
    ):
        found.setdefault(message, f"{place}:{line}")
    return found


def is_ours(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name not in {"node_modules", "instance"}


def dutch() -> Catalog:
    with DUTCH.open("rb") as file:
        return read_po(file, locale="nl", abort_invalid=True)


def test_texts_are_found():
    assert "This page is not here" in messages()


def test_every_text_has_a_dutch_translation():
    catalog = dutch()
    missing = {
        message: place
        for message, place in messages().items()
        if (entry := catalog.get(first(message))) is None
        or entry.fuzzy
        or not all([entry.string] if isinstance(entry.string, str) else entry.string)
    }

    assert missing == {}, f"translate these in {name_of(DUTCH)}"


def first(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def test_the_dutch_catalog_holds_nothing_that_is_gone():
    ids = {first(message) for message in messages()}
    gone = [first(m.id) for m in dutch() if m.id and first(m.id) not in ids]

    assert gone == [], f"remove these from {name_of(DUTCH)}"


def test_translations_keep_their_placeholders():
    faults = {
        str(message.id): [str(error) for error in message.check()]
        for message in dutch()
        if message.id
    }
    names = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
    other = [
        message.id
        for message in dutch()
        if isinstance(message.id, str)
        and message.id
        and set(names.findall(message.id)) != set(names.findall(str(message.string)))
    ]

    assert {key: value for key, value in faults.items() if value} == {}
    assert other == []


def test_dutch_texts_say_je():
    """One voice: warm and near, never the formal `u`."""
    formal = re.compile(r"\b(?:u|uw|Uw)\b")
    found = [m.string for m in dutch() if m.id and formal.search(str(m.string))]

    assert found == []
