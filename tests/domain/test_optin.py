"""What a sign-up leads to: DO-10 and the states of REQUIREMENTS section 14."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.optin import LIFE, OPEN, Answer, Pending, State, answer

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
NEWS = {"newsletter": "aa"}
NEWS_AND_OFFERS = {"newsletter": "aa", "personal_offers": "bb"}
OTHER_WORDS = {"newsletter": "cc"}


def waiting(wordings: dict[str, str], *, left: timedelta = LIFE) -> Pending:
    return Pending(id=1, wordings=wordings, expires_at=NOW + left)


@pytest.mark.parametrize(
    ("asked", "active", "pending", "expected"),
    [
        ({}, {}, None, Answer.NOTHING_ASKED),
        ({}, NEWS, waiting(NEWS), Answer.NOTHING_ASKED),
        (NEWS, {}, None, Answer.ASK),
        (NEWS, NEWS, None, Answer.NOTHING_NEW),
        (NEWS, NEWS_AND_OFFERS, None, Answer.NOTHING_NEW),
        (NEWS, NEWS, waiting(NEWS_AND_OFFERS), Answer.NOTHING_NEW),
        (NEWS_AND_OFFERS, NEWS, None, Answer.ASK),
        (NEWS, OTHER_WORDS, None, Answer.ASK),
        (NEWS, {}, waiting(NEWS), Answer.REPEAT),
        (NEWS, OTHER_WORDS, waiting(NEWS), Answer.REPEAT),
        (NEWS, {}, waiting(OTHER_WORDS), Answer.ASK_ANEW),
        (NEWS, {}, waiting(NEWS_AND_OFFERS), Answer.ASK_ANEW),
        (NEWS_AND_OFFERS, {}, waiting(NEWS), Answer.ASK_ANEW),
        (NEWS, {}, waiting(NEWS, left=timedelta(0)), Answer.ASK),
        (NEWS, {}, waiting(OTHER_WORDS, left=timedelta(days=-1)), Answer.ASK),
    ],
)
def test_a_sign_up_leads_to(asked, active, pending, expected):
    assert answer(asked, active=active, pending=pending, now=NOW) is expected


def test_a_request_lives_a_week():
    """DO-05."""
    assert timedelta(days=7) == LIFE


def test_only_what_waits_can_be_confirmed():
    """Section 14: the mail can arrive before the worker marks it as sent."""
    assert set(OPEN) == {State.REQUESTED, State.SENT}
