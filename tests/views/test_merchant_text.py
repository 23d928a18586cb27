"""What a merchant writes into a file is only ever text (SAFETY.md T4, G9).

No word may change what a page or a mail is made of: whatever is written, there are the
same elements with the same attributes, and every address is one of ours.
"""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server.adapters import letters
from server.adapters.letters import Entered, Invited, Occasion
from server.domain.campaign import parse_campaign
from server.views.house import directory
from tests.factories import CAMPAIGNS, campaign_tables, shop_file
from tests.html import parse
from tests.views.office.test_typed_text import CORPUS, COUNTED

FILES = sorted(
    path.stem for path in CAMPAIGNS.glob("*.toml") if path.stem != "demo-shop"
)
LINE = 160
NOW = datetime(2026, 7, 1, tzinfo=UTC)
# Where people read words; every text below one of these is one.
WORDED = {"name", "texts", "label", "why", "notice", "terms", "quiz", "hint", "options"}
# A file's own names for things, among the words.
NOT_WORDS = {"key", "code", "kind", "image", "next", "when", "path", "decide", "prize"}
NOT_WORDS |= {"purpose", "points"}
MOST = {"short": 24}
STEP = 9


def fits(text: str) -> bool:
    """Return whether a line of a file may hold it at all."""
    return len(text) <= LINE and text.isprintable() and text.strip() == text


PAYLOADS = [text for text in CORPUS if fits(text)]


def places(value: Any, path: tuple[Any, ...] = (), *, worded: bool = False) -> Iterator:
    """Yield the path of every text of a file that visitors read."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NOT_WORDS:
                yield from places(inner, (*path, key), worded=worded or key in WORDED)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number), worded=worded)
    elif (
        isinstance(value, str)
        and worded
        # The linter looks into consents; `test_faces` covers what it lets through.
        and "purposes" not in path
        # What a winner picks from is named by the keys of other prizes.
        and not {"prizes", "options"} <= set(path)
    ):
        yield path


def filled(tables: dict[str, Any], words: list[str], shift: int) -> dict[str, Any]:
    """Return the file with its texts replaced in turn, so that each word gets round."""
    made = copy.deepcopy(tables)
    for number, path in enumerate(places(tables)):
        place = made
        for step in path[:-1]:
            place = place[step]
        fitting = [word for word in words if len(word) <= MOST.get(path[-1], LINE)]
        place[path[-1]] = fitting[(number + shift) % len(fitting)]
    return made


def make_up(html: str) -> set[tuple[str, ...]]:
    """Return what a page is made of: each kind of element with its attributes."""
    return {(element.tag, *sorted(element.attrs)) for element in parse(html).walk()}


def addresses(html: str) -> set[str]:
    """Return where a page's elements lead, but for hashes and tickets."""
    return {
        value.partition("theme-")[0]
        for element in parse(html).walk()
        for name, value in element.attrs.items()
        if name in {"href", "src", "action", "data-game", "data-steps"}
    }


@pytest.fixture
def database_kind() -> str:
    """Escaping knows no database, so one of the two is enough for so many pages."""
    return "sqlite"


def test_there_is_much_to_write():
    assert len(set(PAYLOADS)) >= 120
    assert all(len(list(places(campaign_tables(name)))) >= 15 for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_no_word_changes_what_a_page_is_made_of(app, client, publish, name):
    tables = campaign_tables(name)
    code = tables["placements"][0]["code"]

    def pages(words: list[str], shift: int) -> list[str]:
        publish(parse_campaign(filled(tables, words, shift)))
        with app.app_context():
            directory().forget()
        paths = [f"/w/{code}?lang={lang}" for lang in tables["languages"]]
        return [client.get(path).text for path in [*paths, f"/terms/{code}"]]

    plain = pages(["Plain words"], 0)
    seen = ""
    for shift in range(0, len(PAYLOADS), STEP):
        for before, after in zip(plain, pages(PAYLOADS, shift), strict=True):
            assert make_up(after) <= make_up(before), shift
            assert addresses(after) <= addresses(before), shift
            seen += after
    assert not COUNTED.search(seen)
    assert "&lt;script&gt;alert(1)" in seen


@pytest.mark.parametrize("locale", ["nl", "en"])
@pytest.mark.parametrize("name", letters.NAMES)
def test_no_word_changes_what_a_mail_is_made_of(app, name, locale):
    of_raffle = name in {"ticket", "won"}
    tables = campaign_tables("summer-raffle" if of_raffle else "lucky-scratch")

    def mail(words: list[str], shift: int) -> letters.Written:
        word = words[shift % len(words)]
        occasion = Occasion(
            name=name,
            locale=locale,
            shop=shop_file(sender__name=word, legal__name=word, legal__address=word),
            campaign=parse_campaign(filled(tables, words, shift)),
            at=NOW,
            page="",
            confirm_url="https://play.example.com/confirm/TOKEN",
            unsubscribe_url="https://play.example.com/unsubscribe/TOKEN",
            purposes=("newsletter",),
            prize="bicycle" if of_raffle else "ten_percent",
            code="ZON10",
            entered=Entered("e_", (NOW,), "https://play.example.com/verify/x"),
            raffle="main" if of_raffle else "",
            claim_url="https://play.example.com/claim/TOKEN",
            invitation=Invited("newsletter", word, word, word, "/demo/", NOW),
        )
        with app.app_context():
            return letters.write(occasion)

    plain = mail(["Plain words"], 0)
    for shift in range(len(PAYLOADS)):
        written = mail(PAYLOADS, shift)

        assert make_up(written.html) <= make_up(plain.html), PAYLOADS[shift]
        assert addresses(written.html) <= addresses(plain.html), PAYLOADS[shift]
        assert "\n" not in written.subject
        assert not COUNTED.search(written.html + written.text)
