"""Consent: PR-06 (the fold), PR-07 (wordings), CR-04 (what a text names)."""

import hashlib
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from server.domain.consent import DECISIONS, Act, request_text, standing, worded
from tests.factories import campaign_file, shop_file

PURPOSES = ("newsletter", "personal_offers")


@dataclass(frozen=True)
class Event:
    purpose: str
    act: str


events = st.lists(
    st.builds(Event, st.sampled_from(PURPOSES), st.sampled_from(Act)), max_size=30
)


@given(events)
def test_standing_is_the_last_decision_for_each_purpose(log: list[Event]):
    """PR-06: a replay of the log, told in another way."""
    expected = {}
    for purpose in PURPOSES:
        decisions = [e.act for e in log if e.purpose == purpose and e.act in DECISIONS]
        if decisions:
            expected[purpose] = decisions[-1]

    assert standing(log) == expected


@given(events, events)
def test_a_fold_can_go_on_from_where_it_was(before: list[Event], after: list[Event]):
    """PR-06: what the table keeps plus the new events equals a rebuild."""
    assert standing(before + after) == standing(before) | standing(after)


@given(events)
def test_asking_sending_and_expiring_decide_nothing(log: list[Event]):
    undecided = [event for event in log if event.act not in DECISIONS]

    assert standing(undecided) == {}


def test_withdrawing_is_logged_and_stands_until_the_next_yes():
    given_once = [Event("newsletter", "given")]
    withdrawn = [*given_once, Event("newsletter", "withdrawn")]
    again = [*withdrawn, Event("newsletter", "given")]

    assert standing(given_once) == {"newsletter": Act.GIVEN}
    assert standing(withdrawn) == {"newsletter": Act.WITHDRAWN}
    assert standing(again) == {"newsletter": Act.GIVEN}


def test_a_no_to_one_purpose_leaves_the_other():
    log = [
        Event("newsletter", "given"),
        Event("personal_offers", "given"),
        Event("newsletter", "withdrawn"),
    ]

    assert standing(log)["personal_offers"] is Act.GIVEN


@given(st.text())
def test_a_wording_is_named_by_its_bytes(body: str):
    body = body.encode("utf-8", "replace").decode()

    assert worded(body).sha256 == hashlib.sha256(body.encode()).digest()


def test_a_request_names_everything_the_law_asks_for():
    """CR-04: purpose, content, controller, channel, frequency, how to stop."""
    purpose, legal = campaign_file().purposes[0], shop_file().legal
    text = purpose.texts["nl"]

    body = request_text(purpose, text, legal).body

    for part in (
        *(text.title, text.ask, text.frequency, text.stop),
        *(legal.name, legal.address, legal.country, purpose.channel),
    ):
        assert part in body


def test_a_request_names_who_else_gets_the_address():
    """CR-05: and with whom it is shared makes it another request."""
    shared = {"recipient": "Lampenhuis B.V.", "products": "lampen en snoeren"}
    legal, plain = shop_file().legal, campaign_file().purposes[0]
    purpose = campaign_file(
        **{f"purposes__0__texts__nl__{name}": value for name, value in shared.items()}
    ).purposes[0]

    wording = request_text(purpose, purpose.texts["nl"], legal)

    assert "Lampenhuis B.V.: lampen en snoeren" in wording.body.splitlines()
    assert wording != request_text(plain, plain.texts["nl"], legal)


def test_other_words_or_another_controller_are_another_request():
    """PR-07: a yes to other words is another yes."""
    purpose, legal = campaign_file().purposes[0], shop_file().legal
    changed = campaign_file(purposes__0__texts__nl__ask="Ja, mail mij alles.")
    other = shop_file(legal__name="Somebody Else B.V.").legal

    hashes = {
        request_text(purpose, purpose.texts["nl"], legal).sha256,
        request_text(purpose, changed.purposes[0].texts["nl"], legal).sha256,
        request_text(purpose, purpose.texts["nl"], other).sha256,
        request_text(purpose, purpose.texts["en"], legal).sha256,
    }

    assert len(hashes) == 4
