"""The month within which a right is answered (GDPR 12(3))."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import rights


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ((2026, 3, 2), (2026, 4, 2)),
        ((2026, 12, 15), (2027, 1, 15)),
        # Where the month has no such day it is its last one.
        ((2026, 1, 31), (2026, 2, 28)),
        ((2028, 1, 30), (2028, 2, 29)),
        ((2026, 2, 28), (2026, 3, 28)),
    ],
)
def test_it_is_due_a_month_later_by_the_calendar(opened, due):
    assert rights.due(datetime(*opened, 10, tzinfo=UTC)) == datetime(
        *due, 10, tzinfo=UTC
    )


@given(st.datetimes(datetime(2020, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC)))
def test_a_month_is_never_shorter_than_february_nor_longer_than_31_days(opened):
    late = rights.due(opened) - opened

    assert timedelta(days=28) <= late <= timedelta(days=31)
    assert rights.due(opened).day <= opened.day
