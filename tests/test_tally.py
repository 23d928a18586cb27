"""Limits without Redis: one count for all processes of a machine (AB-01)."""

import multiprocessing
import os
from functools import partial

import pytest
from limits import parse

from server import tally
from server.domain.seals import Vault
from server.settings import load_settings
from server.tally import Tally, TallyError
from server.views.limiter import Limiter
from tests.visits import at_once

TEN = parse("10 per minute")


@pytest.fixture
def database_kind() -> str:
    """Nothing here asks the database."""
    return "sqlite"


@pytest.fixture
def path(tmp_path):
    return tmp_path / tally.NAME


@pytest.fixture
def moment(monkeypatch):
    """What the clock on the wall says; it stands still until a test moves it."""
    now = [1_790_000_000.0]
    monkeypatch.setattr(tally.time, "time", lambda: now[0])
    return now


def test_ten_fit_and_the_window_moves(path, moment):
    counts = Tally(path)

    hits = []
    for _ in range(12):
        hits.append(counts.hit(TEN, "a"))
        moment[0] += 5

    assert hits == [True] * 10 + [False] * 2
    assert counts.hit(TEN, "a"), "the first one is a minute old"
    assert not counts.hit(TEN, "a")
    assert counts.hit(TEN, "b")


def test_looking_notes_nothing(path, moment):
    counts = Tally(path)

    assert all(counts.has_room(TEN, "a") for _ in range(20))
    assert [counts.hit(TEN, "a") for _ in range(10)] == [True] * 10
    assert not counts.has_room(TEN, "a")


def test_what_is_over_leaves_the_file(path, moment):
    counts = Tally(path)
    for number in range(50):
        counts.hit(TEN, str(number))
    moment[0] += 61

    counts.hit(TEN, "a")

    assert counts._connected().execute("SELECT count(*) FROM hit").fetchone() == (1,)


def count(path, hits: int) -> int:
    counts = Tally(path)
    return sum(counts.hit(TEN, "a") for _ in range(hits))


# Newer Pythons warn of what gunicorn does as well.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_count_together(path):
    """Also those that were forked from one that counted already."""
    assert Tally(path).hit(TEN, "a")

    with multiprocessing.get_context("fork").Pool(3) as pool:
        taken = pool.map(partial(count, path), [20] * 3)

    assert sum(taken) == 9


def test_threads_count_together(path):
    counts = Tally(path)

    taken = at_once([partial(counts.hit, TEN, "a") for _ in range(40)], threads=8)

    assert sum(taken) == 10


def test_two_limiters_of_one_machine_share_one_count(environ):
    settings = load_settings(environ)
    one, other = (Limiter(settings, Vault(settings.data_keys)) for _ in range(2))

    pressed = [each.may_press(link=1) for each in [one, other] * 6]

    assert pressed == [True] * 10 + [False] * 2


def test_without_its_file_a_process_counts_for_itself(environ, path):
    """F17: nobody's press depends on it."""
    settings = load_settings(environ)
    os.mkdir(settings.instance / tally.NAME)
    limiter = Limiter(settings, Vault(settings.data_keys))

    pressed = [limiter.may_press(link=1) for _ in range(12)]

    assert pressed == [True] * 10 + [False] * 2
    with pytest.raises(TallyError):
        Tally(settings.instance / tally.NAME).hit(TEN, "a")
