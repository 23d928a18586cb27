"""As many prizes as there are, however many want one at once (G1)."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.mail import MailServer
from tests.stress.conftest import PLACEMENT
from tests.stress.service import Play, Player, Service, size


@pytest.mark.parametrize(
    ("plays", "crowd"),
    [
        pytest.param(1_000, 16, id="1000"),
        pytest.param(
            size("PLAYS", 10_000),
            size("CROWD", 64),
            id="full",
            marks=pytest.mark.stress,
        ),
    ],
)
def test_a_hundred_prizes_are_won_a_hundred_times(
    serve: Callable[..., Service],
    ask: Callable[[str], list[Any]],
    smtp: MailServer,
    plays: int,
    crowd: int,
    say: Callable[[str], None],
) -> None:
    """G1, I3, I7: exactly the stock, no code twice, no error, nothing unanswered."""
    service = serve(stock=100, weight=1, smtp_url=smtp.url, JAWOORD_WEB_PROCESSES="4")
    began = time.monotonic()

    players, won = rush(service, plays=plays, crowd=crowd)

    taken = time.monotonic() - began
    codes = [play.code for play in won if play.code]
    assert len(won) == plays
    assert len(codes) == len(set(codes)) == 100
    assert {status for player in players for status in player.refused} <= {503, 429}
    shed = sum(len(player.refused) for player in players)
    say(f"{plays} plays in {taken:.0f} s, {shed} asked to wait")
    assert ask("SELECT state, count(*) FROM voucher GROUP BY state") == [
        ("awarded", 100)
    ]
    assert ask("SELECT count(*), count(DISTINCT ticket) FROM entry") == [(plays, plays)]
    assert ask("SELECT count(DISTINCT code) FROM voucher") == [(100,)]
    assert ask("SELECT count(*) FROM entry WHERE awarded = 'mug'") == [(100,)]
    assert_no_error(service)


def rush(
    service: Service, *, plays: int, crowd: int
) -> tuple[list[Player], list[Play]]:
    """Let a crowd play at once, and return what was acknowledged."""
    turns = iter(range(plays))
    turn, won, broken = threading.Lock(), [], []
    players = [Player(service.port, PLACEMENT) for _ in range(crowd)]

    def work(player: Player) -> None:
        try:
            while True:
                with turn:
                    number = next(turns, None)
                if number is None:
                    return
                play = player.play(f"speler.{number}@huispost.nl")
                with turn:
                    won.append(play)
        except BaseException as error:
            broken.append(error)
            raise
        finally:
            player.close()

    threads = [threading.Thread(target=work, args=(each,)) for each in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return players, won


def assert_no_error(service: Service) -> None:
    """I7: no lock error, no traceback, nothing but ordinary lines in the logs."""
    for name in ("serve", "worker"):
        said = (service.folder / f"{name}.log").read_text()
        assert "Traceback" not in said, said[-3_000:]
        assert "locked" not in said
