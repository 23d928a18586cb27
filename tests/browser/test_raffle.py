"""Anybody does a raffle again in their own browser, offline (PZ-08)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from server.domain import raffle as rules
from server.models import Entry, RafflePlace
from tests.browser.test_access import faults
from tests.browser.visit import Visit, address, fill_person, submit
from tests.raffles import CODE, UNTIL_DRAW, Desk, raffle_file, take_part
from tests.servers import Web
from tests.visits import House

AGO = UNTIL_DRAW + timedelta(days=1)


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def now() -> datetime:
    """So long ago that the running service has a raffle that was drawn."""
    return datetime.now(UTC).replace(microsecond=0) - AGO


@pytest.fixture
def labels(publish: Callable[..., Any], client: FlaskClient, house: House) -> list[str]:
    """The labels of a raffle that was drawn: the winner, a reserve, and who was not."""
    publish(raffle_file(1, reserves=1))
    take_part(client, "ann", "ben", "cas", "dee")
    Desk(house).finish()
    tickets = {entry.id: entry.ticket for entry in house.rows(Entry)}
    drawn = [tickets.pop(place.entry_id) for place in house.rows(RafflePlace)]
    return [rules.label(ticket) for ticket in [*drawn, *tickets.values()]]


def test_a_raffle_is_done_again_without_a_network(
    live: Web, labels: list[str], page: Page, tmp_path: Path
) -> None:
    page.goto(f"{live.url}/verify/{CODE}/raffle/main?lang=en#play={labels[0]}")
    found = faults(page.main_frame)
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the raffle").click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    page.context.set_offline(True)
    verdict, own = page.locator("#verdict"), page.get_by_label("Your number")

    page.get_by_label("File with the raffle").set_input_files(file)

    expect(verdict).to_contain_text("Every line is right.")
    expect(verdict).to_contain_text("4 numbers took part, 2 were drawn as promised.")
    expect(verdict).to_contain_text("It has place 1 and was drawn for: Prize 1.")
    for label, words in (
        (labels[1].upper(), "It has place 2, as a reserve."),
        (labels[2], "It was not drawn."),
        ("e_nobody", "Your number is not in this list."),
    ):
        own.fill(label)
        own.blur()
        expect(verdict).to_contain_text(words)

    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = re.sub(rb"e_\w", b"e_!", lines[3])
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(b"".join(lines))
    page.get_by_label("File with the raffle").set_input_files(changed)

    expect(verdict).to_contain_text("Line 4 is wrong.")
    assert found == []
    # To print: the facts, without what only works on a screen.
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Who was drawn")).to_be_visible()
    expect(page.get_by_role("heading", name="Check it here")).to_be_hidden()


def test_a_number_is_one_line_on_the_narrowest_phone(visit: Visit) -> None:
    """Of 28 letters, to be compared with a list: broken it is hard to read."""
    visit.page.set_viewport_size({"width": 320, "height": 640})
    game = visit.straight("summer-raffle-inline", lang="nl")
    fill_person(game, address(), name="Ada")
    for box in game.locator("[name=terms], [name=adult][value=yes]").all():
        box.check(force=True)

    submit(game)

    number = game.locator(".raffle code")
    expect(number).to_have_text(re.compile(r"^e_[a-z2-7]{26}$"))
    lines = """e => {
      const words = document.createRange()
      words.selectNodeContents(e)
      return words.getClientRects().length
    }"""
    assert number.evaluate(lines) == 1
