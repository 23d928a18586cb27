"""Limits without Redis: one count for all processes of a machine (AB-01)."""

import multiprocessing
import os
import sqlite3
from functools import partial

import pytest
from limits import parse

from server import tally
from server.domain.seals import Vault
from server.settings import load_settings
from server.tally import Hit, Tally, TallyError
from server.views.limiter import Limiter
from tests.visits import at_once

TEN = parse("10 per minute")
TWO = parse("2 per minute")


def hit(counts: Tally, key: str) -> bool:
    """Note one more under a limit of ten; False if it is one too many."""
    return counts.count([Hit(TEN, key)]) == [None]


def has_room(counts: Tally, key: str) -> bool:
    """Look whether one more fits."""
    return counts.count([Hit(TEN, key, is_noted=False)]) == [None]


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
        hits.append(hit(counts, "a"))
        moment[0] += 5

    assert hits == [True] * 10 + [False] * 2
    assert hit(counts, "a"), "the first one is a minute old"
    assert not hit(counts, "a")
    assert hit(counts, "b")


def test_looking_notes_nothing(path, moment):
    counts = Tally(path)

    assert all(has_room(counts, "a") for _ in range(20))
    assert [hit(counts, "a") for _ in range(10)] == [True] * 10
    assert not has_room(counts, "a")


def test_what_is_over_leaves_the_file(path, moment):
    counts = Tally(path)
    for number in range(50):
        hit(counts, str(number))
    moment[0] += 61

    hit(counts, "a")

    assert counts._connected().execute("SELECT count(*) FROM noted").fetchone() == (1,)


def test_the_window_stays_full_while_what_is_over_is_swept(path, moment):
    counts = Tally(path)
    for _ in range(10):
        assert hit(counts, "a")
        moment[0] += 5

    moment[0] += 22
    for _ in range(20):
        hit(counts, "other")

    assert [hit(counts, "a") for _ in range(4)] == [True] * 3 + [False]


def test_a_chain_ends_at_what_is_one_too_many(path):
    """What stands before it is noted, it and what stands behind it is not."""
    counts = Tally(path)
    client, rest = Hit(TWO, "client"), Hit(TEN, "instance")

    answers = [counts.count([client, rest])[0] for _ in range(4)]

    assert answers == [None, None, client, client]
    assert [hit(counts, "instance") for _ in range(9)] == [True] * 8 + [False]


def test_chains_are_counted_up_to_the_one_that_is_refused(path):
    """What a refused play would have asked for uses up no other limit (AB-01)."""
    counts = Tally(path)
    play, campaign = Hit(TWO, "play"), Hit(TEN, "campaign")

    answers = [counts.count([play], [campaign]) for _ in range(11)]

    assert answers[:2] == [[None, None]] * 2
    assert answers[2:] == [[play]] * 9
    assert [hit(counts, "campaign") for _ in range(9)] == [True] * 8 + [False]


def test_a_look_in_a_chain_notes_nothing(path):
    counts = Tally(path)
    look, noted = Hit(TWO, "not me", is_noted=False), Hit(TEN, "client")
    assert counts.count([look, noted] * 2) == [None]

    assert counts.count([Hit(TWO, "not me")], [Hit(TWO, "not me")]) == [None, None]
    assert counts.count([look, noted]) == [look]
    assert [hit(counts, "client") for _ in range(9)] == [True] * 8 + [False]


def test_the_table_of_an_older_version_goes(path):
    with sqlite3.connect(path) as older:
        older.execute("CREATE TABLE hit (key TEXT NOT NULL, until REAL NOT NULL)")

    assert hit(Tally(path), "a")

    tables = Tally(path)._connected().execute("SELECT name FROM sqlite_schema")
    assert tables.fetchall() == [("noted",)]


def count(path, hits: int) -> int:
    counts = Tally(path)
    return sum(hit(counts, "a") for _ in range(hits))


# Newer Pythons warn of what gunicorn does as well.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_count_together(path):
    """Also those that were forked from one that counted already."""
    assert hit(Tally(path), "a")

    with multiprocessing.get_context("fork").Pool(3) as pool:
        taken = pool.map(partial(count, path), [20] * 3)

    assert sum(taken) == 9


def open_and_count(path) -> bool:
    return hit(Tally(path), "a")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_that_begin_at_once_all_use_the_file(tmp_path, monkeypatch):
    """None of them counts by itself because the others made the file in that moment."""
    monkeypatch.setattr(tally, "PATIENCE_S", 60)
    with multiprocessing.get_context("fork").Pool(6) as pool:
        for number in range(20):
            path = tmp_path / f"{number}.db"
            assert all(pool.map(open_and_count, [path] * 6, chunksize=1))


def count_chains(path, visits: int) -> tuple[int, int]:
    """Return how many fitted the first chain, and how many both."""
    counts = Tally(path)
    answers = [
        counts.count([Hit(TEN, "play")], [Hit(TEN, "client"), Hit(TWO, "instance")])
        for _ in range(visits)
    ]
    return sum(each[0] is None for each in answers), answers.count([None, None])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_count_chains_together(path, monkeypatch):
    """AB-01: however many ask at once, each limit lets as many pass as it says."""
    # A busy machine may make one wait longer than a visitor should.
    monkeypatch.setattr(tally, "PATIENCE_S", 60)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        taken = pool.map(partial(count_chains, path), [20] * 3)

    assert [sum(each) for each in zip(*taken, strict=True)] == [10, 2]
    assert not hit(Tally(path), "client"), "noted before the instance refused"


def test_threads_count_together(path):
    counts = Tally(path)

    taken = at_once([partial(hit, counts, "a") for _ in range(40)], threads=8)

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
        hit(Tally(settings.instance / tally.NAME), "a")
