"""Anybody checks the draws of a game in their own browser, offline: PZ-08."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from server.models import Entry
from tests.browser.test_access import faults
from tests.servers import Web
from tests.visits import House, few_mugs, take_card

PLAYS = 30
AGO = timedelta(days=3)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def now() -> datetime:
    """Three days ago, so that the running service has days that are over."""
    return datetime.now(UTC).replace(microsecond=0) - AGO


@pytest.fixture
def played(
    publish: Callable[..., Any], client: FlaskClient, house: House
) -> Iterator[list[Entry]]:
    """A campaign that was played three days ago; its entries."""
    publish(few_mugs(3, losing=2, days=2))
    for number in range(PLAYS):
        card = take_card(client)
        more = {"seed": f"{number:032x}"}
        card.enter(client, f"v{number}@example.com", more=more)
    yield house.rows(Entry)


@pytest.fixture
def at_the_verifier(live: Web, played: list[Entry], page: Page) -> Page:
    """The page, loaded; after that there is no network any more."""
    page.goto(f"{live.url}/verify/welcome-scratch?lang=en")
    return page


def download(page: Page, folder: Path) -> Path:
    """Press the button and return the file that comes."""
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the draws").click()
    file = folder / coming.value.suggested_filename
    coming.value.save_as(file)
    return file


def test_every_draw_is_done_again_without_a_network(
    at_the_verifier: Page, played: list[Entry], tmp_path: Path
) -> None:
    page = at_the_verifier
    file = download(page, tmp_path)
    page.context.set_offline(True)

    page.get_by_label("Number of your play").fill(played[6].ticket.hex())
    page.get_by_label("File with draws").set_input_files(file)

    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Every line is right.")
    expect(verdict).to_contain_text("30 plays on 2 days")
    expect(verdict).to_contain_text("Your play is on line 9: drawn on day 1")
    given = {
        row.locator("th").inner_text(): int(row.locator("td").inner_text())
        for row in verdict.locator("tbody tr").all()
    }
    assert sum(given.values()) == PLAYS


def test_a_changed_byte_is_named_by_its_line(
    at_the_verifier: Page, tmp_path: Path
) -> None:
    page = at_the_verifier
    file = download(page, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[7] = re.sub(rb'"c":"\w', b'"c":"f', lines[7])
    file.write_bytes(b"".join(lines))

    page.get_by_label("File with draws").set_input_files(file)

    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Line 8 is wrong.")
    expect(verdict).not_to_contain_text("Every line is right.")


def test_a_number_that_is_not_there_says_what_to_do(
    at_the_verifier: Page, tmp_path: Path
) -> None:
    page = at_the_verifier
    file = download(page, tmp_path)

    page.get_by_label("File with draws").set_input_files(file)
    expect(page.locator("#verdict")).to_contain_text("Every line is right.")
    page.get_by_label("Number of your play").fill("no number")
    page.get_by_label("Number of your play").blur()

    expect(page.locator("#verdict")).to_contain_text("Your play is not in this file.")


def test_what_is_no_such_file_is_said(at_the_verifier: Page, tmp_path: Path) -> None:
    file = tmp_path / "photo.jsonl"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)

    at_the_verifier.get_by_label("File with draws").set_input_files(file)

    expect(at_the_verifier.locator("#verdict")).to_contain_text("Line 1 is wrong.")


def test_on_a_phone_each_prize_tells_all_of_its_promise(
    live: Web, played: list[Entry], page: Page
) -> None:
    """Nothing has to be scrolled sideways, and each number says what it is."""
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{live.url}/verify/welcome-scratch?lang=nl")

    cells = page.locator("#promise ~ table tbody :is(th, td)")
    assert cells.count() >= 6
    for each in cells.all():
        box = each.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 320
    said = "e => getComputedStyle(e, '::before').content"
    names = [each.evaluate(said) for each in cells.all()[:3]]
    assert names == ["none", '"Kans"', '"Hoeveel"']


def test_it_can_be_used_by_everybody(
    live: Web, played: list[Entry], page: Page, tmp_path: Path
) -> None:
    """AX-01: axe finds nothing, before the check and after it, at 320 pixels too."""
    page.set_viewport_size({"width": 320, "height": 800})

    def looks_fine() -> None:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

    for lang in ("nl", "en"):
        page.goto(f"{live.url}/verify/welcome-scratch?lang={lang}")
        looks_fine()
        with page.expect_download() as coming:
            page.locator("a[download]").click()
        coming.value.save_as(tmp_path / "draws.jsonl")
        page.locator("#file").set_input_files(tmp_path / "draws.jsonl")
        expect(page.locator("#verdict tbody tr")).not_to_have_count(0)
        looks_fine()
