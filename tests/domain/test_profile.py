"""What is known of somebody is read back by what asked for it: CR-10, GDPR 16."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import profile
from server.domain.answers import AnswerError
from server.domain.campaign import parse_campaign
from tests.factories import campaign_tables
from tests.forms import WORDS, asked

PARTS = [{"key": key, "label": WORDS} for key in ("sea", "city", "sofa")]
KINDS = ("text", "name", "birthday", "postcode", "phone", "choice", "choices", "long")
DAYS = st.dates().map(lambda day: f"--{day:%m-%d}")
STORED = {
    "text": st.sampled_from(["a", "a, b", "--03-09", "sea,city"]),
    "name": st.just("Iris"),
    "birthday": DAYS,
    "postcode": st.just("1234 AB"),
    "phone": st.just("+31612345678"),
    "choice": st.sampled_from(["sea", "city", "sofa"]),
    "choices": st.sampled_from(["sea", "sea,sofa", "sea,city,sofa"]),
    "long": st.just("One\ntwo"),
}


def form_with(*fields):
    return parse_campaign(campaign_tables("footer-newsletter", fields=list(fields)))


@pytest.fixture(scope="module")
def every_kind():
    return form_with(
        *(
            asked(kind, kind, options=PARTS if kind.startswith("choice") else [])
            for kind in KINDS
        )
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_reads_as_what_a_form_shows_of_it(every_kind, kind):
    """So pressing Save on what is there changes nothing."""

    @given(STORED[kind])
    def check(value):
        found = profile.asking(every_kind, kind, value)
        typed = profile.take(found, profile.as_typed(found, value))
        assert profile.correction(found, typed, country="NL") == value
        with pytest.raises(AnswerError):
            profile.correction(found, {}, country="NL")

    check()


@given(st.text(max_size=8))
def test_whatever_is_kept_can_be_shown(every_kind, value):
    """An older form may have kept it by other rules."""
    for kind in KINDS:
        found = profile.asking(every_kind, kind, value)
        assert all(isinstance(t, str) for t in profile.as_typed(found, value).values())


def test_what_nothing_asks_is_asked_by_nothing(every_kind):
    assert profile.asking(every_kind, "shoe_size", "42") is None


@pytest.fixture
def branches():
    """Two questions that tell of the same, with other answers."""
    tables = campaign_tables("style-quiz")
    for number in (0, 3):
        tables["quiz"]["questions"][number] |= {
            "attribute": "taste",
            "purpose": "style_profile",
        }
    return parse_campaign(tables)


@pytest.mark.parametrize(
    ("value", "label"),
    [("sea", "By the sea, in the wind"), ("coffee", "Strong coffee")],
)
def test_the_branch_that_knows_the_answer_asks_for_it(branches, value, label):
    found = profile.asking(branches, "taste", value)

    (option,) = [each for each in found.options if each.key == value]
    assert found.key == "taste"
    assert option.label["en"].startswith(label)
    assert profile.kind_of(found) == "choices"


def test_a_slider_keeps_a_number(branches):
    found = profile.asking(branches, "warmth", "5")

    assert profile.kind_of(found) == "number"
    assert profile.correction(found, {"warmth": "7"}, country="NL") == "7"
