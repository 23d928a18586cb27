"""Keys that are changed while people play: nobody is refused for it (G11, T26)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.mail import MailServer
from tests.stress.conftest import PLACEMENT
from tests.stress.service import Player, Service, size
from tests.stress.test_awards import assert_no_error
from tests.stress.test_kills import Crowd, check_entries


@pytest.mark.stress
def test_keys_rotate_under_load_and_refuse_no_live_ticket(
    serve: Callable[..., Service],
    ask: Callable[[str], list[Any]],
    smtp: MailServer,
    say: Callable[[str], None],
) -> None:
    """Each rotation adds a key; a ticket of a key that was removed is refused."""
    keys = [_key(0)]
    service = serve(stock=200, weight=2, smtp_url=smtp.url, JAWOORD_SECRET_KEYS=keys[0])
    crowd, holder = Crowd(service, size=8), Player(service.port, PLACEMENT)
    held = [holder.form(f"houder.{number}@huispost.nl") for number in range(2)]
    rounds = size("ROTATIONS", 10)

    crowd.start()
    try:
        for number in range(1, rounds + 1):
            crowd.wait_for_another()
            keys.append(_key(number))
            service.rotate(",".join(keys))
        crowd.wait_for_another()
    finally:
        won = crowd.stop()

    assert crowd.broken == []
    holder.send(held[0])
    check_entries(ask, won, service.vault)
    refused = {status for player in crowd.players for status in player.refused}
    assert refused <= {503, 429}
    service.rotate(keys[-1])
    with pytest.raises(AssertionError, match="422"):
        holder.send(held[1])
    holder.close()
    say(f"{rounds} rotations, {len(won)} plays, none refused for a key")
    assert_no_error(service)


def _key(number: int) -> str:
    return f"key number {number:04d} of at least 32 letters"
