"""Stock: what many visitors race for is given as often as it is there (G1, I3)."""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from server.domain.transcript import verify
from server.models import Entry, Outbox, Voucher
from tests.visits import AGREED, at_once, few_mugs, take_card

PRIZES = 100
# The code of the voucher, by its name; the receipt has others.
CODE = re.compile(r'<code aria-labelledby="code-name">(.+?)<')


def check_stock(house, *, plays: int) -> None:
    """Check that every prize was given once, and that the rows agree on it."""
    entries, units = house.rows(Entry), house.rows(Voucher)
    won = [entry for entry in entries if entry.awarded == "mug"]
    assert len(entries) == plays
    assert len(won) == PRIZES
    assert Counter(unit.state for unit in units) == {"awarded": PRIZES}
    assert len({unit.code for unit in units}) == PRIZES
    assert {entry.unit for entry in won} == set(range(1, PRIZES + 1))
    assert {unit.entry_id for unit in units} == {entry.id for entry in won}
    assert len(house.rows(Outbox, letter="prize")) == PRIZES


def test_a_hundred_prizes_are_won_a_hundred_times(publish, app, house):
    """G1 in small: 1,000 plays by 16 threads; no lock error, no double code."""
    publish(few_mugs(PRIZES, losing=2))

    def play(number: int) -> int:
        client = app.test_client()
        return take_card(client).enter(client, f"v{number}@example.com").status_code

    statuses = at_once([partial(play, number) for number in range(1_000)], threads=16)

    assert Counter(statuses) == {200: 1_000}
    check_stock(house, plays=1_000)


@pytest.mark.parametrize("losing", [0, 2])
def test_the_last_one_is_won_once(publish, app, house, losing):
    """PZ-06: who comes after the last one gets what was promised for that case."""
    publish(few_mugs(1, losing=losing))

    def play(number: int) -> str:
        client = app.test_client()
        return take_card(client).enter(client, f"v{number}@example.com").text

    answers = at_once([partial(play, number) for number in range(24)], threads=12)

    codes = [found[1] for a in answers if (found := CODE.search(a))]
    assert codes == [house.rows(Voucher)[0].code]


def test_what_is_not_released_yet_cannot_be_won(publish, app, house):
    """PZ-04: by as many as want it at once; tomorrow there is more of it."""
    file = few_mugs(3, days=3)
    mug = file.prizes[0].model_copy(update={"release": (1, 1, 3)})
    publish(file.model_copy(update={"prizes": (mug, file.prizes[1])}))

    def play(number: int) -> int:
        client = app.test_client()
        return take_card(client).enter(client, f"v{number}@example.com").status_code

    for day in range(3):
        numbers = range(12 * day, 12 * day + 12)
        statuses = at_once([partial(play, number) for number in numbers], threads=6)
        assert Counter(statuses) == {200: 12}
        house.clock.advance(timedelta(days=1))

    units = [(entry.epoch, entry.unit) for entry in house.rows(Entry) if entry.unit]
    assert sorted(units) == [(1, 1), (3, 2), (3, 3)]
    house.clock.advance(timedelta(minutes=11))
    record = app.test_client().get("/verify/welcome-scratch/draws.jsonl").get_data()
    assert verify(record.splitlines(keepends=True)).awarded["mug"] == 3


@pytest.mark.stress
def test_a_hundred_prizes_in_ten_thousand_plays_over_http(publish, house, live):
    """G1: 10,000 plays, 64 at once, through a real server's processes."""
    publish(few_mugs(PRIZES, losing=20), now=datetime.now(UTC))

    def play(number: int) -> int:
        with urllib.request.urlopen(f"{live.url}/w/welcome-inline") as page:
            found = re.search(r'name="ticket" value="([^"]+)"', page.read().decode())
        form = AGREED | {"ticket": found[1], "email": f"v{number}@example.com"}
        body = urllib.parse.urlencode(form).encode()
        for _ in range(5):
            try:
                action = f"{live.url}/w/welcome-inline/entries"
                with urllib.request.urlopen(action, body) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    return error.code
        return 503

    statuses = at_once([partial(play, n) for n in range(10_000)], threads=64)

    assert Counter(statuses) == {200: 10_000}
    check_stock(house, plays=10_000)
