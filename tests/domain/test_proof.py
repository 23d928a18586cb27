"""The proof of a choice, as far as it needs no database."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.consent import Act
from server.domain.proof import Doubt, doubts

SENT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "is_hasty"),
    [(0, True), (9.9, True), (10, False), (600, False), (-1, False)],
)
def test_a_press_within_ten_seconds_is_in_doubt(seconds: float, is_hasty: bool):
    """DO-11: flagged, never blocked; before the mark it was no scanner of that mail."""
    found = doubts(Act.GIVEN, SENT + timedelta(seconds=seconds), SENT)

    assert (found == (Doubt.HASTY,)) is is_hasty


def test_what_nobody_presses_is_not_in_doubt():
    assert doubts(Act.EXPIRED, SENT, SENT) == ()
    assert doubts(Act.GIVEN, SENT, None) == ()
    assert doubts(Act.DECLINED, SENT, SENT) == (Doubt.HASTY,)
