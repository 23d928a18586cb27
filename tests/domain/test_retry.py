"""When a failed delivery is tried again (SAFETY.md F10, F13)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.retry import (
    FIRST_WAITS,
    GIVE_UP_AFTER,
    WEBHOOK_GIVE_UP_AFTER,
    next_try,
    next_webhook,
)

CREATED = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def test_a_mail_server_that_never_answers_is_tried_for_three_days():
    tries, now = [CREATED], CREATED
    while (due := next_try(attempts=len(tries), created=CREATED, now=now)) is not None:
        tries.append(due)
        now = due

    waits = [after - before for before, after in zip(tries, tries[1:], strict=False)]
    assert tuple(waits[: len(FIRST_WAITS)]) == FIRST_WAITS
    assert set(waits[len(FIRST_WAITS) :]) == {FIRST_WAITS[-1]}
    assert timedelta(hours=60) < tries[-1] - CREATED <= GIVE_UP_AFTER


def test_an_hour_without_a_mail_server_costs_at_most_another_hour():
    now = CREATED
    attempts = 1
    while now < CREATED + timedelta(hours=1):
        due = next_try(attempts=attempts, created=CREATED, now=now)
        assert due is not None
        now, attempts = due, attempts + 1

    assert now <= CREATED + timedelta(hours=2)


@given(
    attempts=st.integers(1, 1_000),
    late=st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_the_next_try_is_later_and_never_past_the_end(attempts, late):
    now = CREATED + late

    due = next_try(attempts=attempts, created=CREATED, now=now)

    assert due is None or now < due <= CREATED + GIVE_UP_AFTER


def webhook_tries(share):
    tries = [CREATED]
    while due := next_webhook(
        attempts=len(tries), created=CREATED, share=share, now=tries[-1]
    ):
        tries.append(due)
    return tries


def test_a_webhook_is_tried_ten_times_on_the_schedule_of_the_standard():
    """F13: at once, 5 s, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours."""
    tries = webhook_tries(share=0)

    waits = [after - before for before, after in zip(tries, tries[1:], strict=False)]
    assert [wait.total_seconds() for wait in waits] == [
        *(5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    ]


@given(share=st.floats(0, 1))
def test_jitter_costs_no_try_and_a_tenth_at_most(share):
    tries = webhook_tries(share)

    assert len(tries) == 10
    assert tries[-1] - CREATED <= WEBHOOK_GIVE_UP_AFTER


def test_what_waited_too_long_for_a_webhook_is_given_up_at_its_next_failure():
    now = CREATED + WEBHOOK_GIVE_UP_AFTER + timedelta(seconds=1)

    assert next_webhook(attempts=1, created=CREATED, share=0, now=now) is None
