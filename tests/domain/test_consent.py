"""Consent: PR-06 (the fold), PR-07 (wordings), CR-04 (what a text names)."""

import hashlib
import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.consent import (
    CLAIMS,
    DECISIONS,
    Act,
    Told,
    readable,
    request_text,
    standing,
    told_in,
    worded,
)
from tests.factories import campaign_file, shop_file

PURPOSES = ("newsletter", "personal_offers")
LETTERS = {act: act[0] for act in DECISIONS}
ACTS = {letter: act for act, letter in LETTERS.items()}


@dataclass(frozen=True)
class Event:
    purpose: str
    act: str


events = st.lists(
    st.builds(Event, st.sampled_from(PURPOSES), st.sampled_from(Act)), max_size=30
)


@given(events)
def test_standing_is_the_last_decision_for_each_purpose(log: list[Event]):
    """PR-06: a replay of the log, told in another way.

    Claims of the shop count only before a person's own yes or no, or once that lapsed.
    """
    expected: dict[str, Act] = {}
    for purpose in PURPOSES:
        acts = "".join(LETTERS.get(e.act, "") for e in log if e.purpose == purpose)
        # No letter may stand behind one that does not let it: g and w stop claims,
        # and only what lasts can lapse.
        while (shorter := re.sub(r"([gw])[su]|(^|[wl])l", r"\1\2", acts)) != acts:
            acts = shorter
        if acts:
            expected[purpose] = ACTS[acts[-1]]

    assert standing(log) == expected


@given(events)
def test_no_claim_becomes_a_consent(log: list[Event]):
    """SO-02, PR-08: a yes stands only where somebody gave it, and never after a no."""
    for purpose, act in standing(log).items():
        acts = [e.act for e in log if e.purpose == purpose]
        last = {kind: n for n, kind in enumerate(acts)}
        if act == Act.GIVEN:
            assert last[Act.GIVEN] > last.get(Act.WITHDRAWN, -1)
        if act in CLAIMS:
            assert last.get(Act.GIVEN, 0) >= last.get(Act.WITHDRAWN, -1)


@given(events, events)
def test_a_fold_can_go_on_from_where_it_was(before: list[Event], after: list[Event]):
    """PR-06: what the table keeps plus the new events equals a rebuild."""
    kept = [Event(purpose, act) for purpose, act in standing(before).items()]

    assert standing(before + after) == standing(kept + after)


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


@pytest.mark.parametrize("ask", ["Mail me.", "Mail me.\nReally.\nEach week."])
@pytest.mark.parametrize("recipient", [None, "Lampenhuis B.V."])
def test_a_kept_wording_is_read_back(recipient: str | None, ask: str):
    """Also where it names another company (CR-05), or asks in several lines."""
    purpose = campaign_file().purposes[0]
    shared = {"recipient": recipient, "products": "lamps"} if recipient else {}
    text = purpose.texts["en"].model_copy(update={"ask": ask} | shared)

    body = request_text(purpose, text, shop_file().legal).body

    others = f"{recipient}: lamps" if recipient else ""
    assert told_in(body) == Told(text.title, text.ask, text.frequency, others)


def test_a_kept_wording_is_read_with_its_channel_in_words():
    """PR-09: what is hashed has the name that programs know; all else stays."""
    purpose = campaign_file().purposes[0]
    text = purpose.texts["en"].model_copy(update={"ask": "Mail me\nby email\nemail"})
    body = request_text(purpose, text, shop_file().legal).body

    lines = readable(body, by_mail="By e-mail").split("\n")

    assert lines[-3] == "By e-mail"
    lines[-3] = "email"
    assert lines == body.split("\n")
    assert readable("Our\nemail\nletter", by_mail="By e-mail") == "Our\nemail\nletter"


@pytest.mark.parametrize(
    "body", ["Our letter", "Our letter\nmonthly", "Our letter\r\n" + 9 * "\r\nmore"]
)
def test_another_wording_is_known_by_its_first_line(body: str):
    assert told_in(body) == Told("Our letter")
    assert told_in("") == Told("")


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
