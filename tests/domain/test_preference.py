"""What can be chosen within a yes (WD-05)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import lint
from server.domain.parts import FileError
from server.domain.preference import Wishes, wished
from tests.factories import campaign_file

NEWSLETTER = campaign_file("footer-newsletter").purposes[0]
KEYS = [wish.key for wish in NEWSLETTER.topics]


@given(st.lists(st.sampled_from([*KEYS, "foreign", ""])), st.text(max_size=9))
def test_only_what_there_is_can_be_chosen(topics, rhythm):
    wishes = wished(NEWSLETTER, topics, rhythm)

    assert wishes.topics is None or set(wishes.topics) <= set(KEYS)
    assert set(wishes.topics or ()) == set(topics) & set(KEYS)
    assert wishes.rhythm in {None, "weekly", "monthly"}


def test_nothing_chosen_is_everything_as_the_shop_does_it():
    assert wished(NEWSLETTER, [], "") == Wishes(None, None)


def test_topics_keep_the_order_of_the_file():
    assert wished(NEWSLETTER, reversed(KEYS), "weekly") == Wishes(tuple(KEYS), "weekly")


# --- the file ----------------------------------------------------------------------


def wish(key, **label):
    return {"key": key, "label": label}


@pytest.mark.parametrize(
    ("name", "wishes", "place"),
    [
        ("topics", [wish("a", en="A")], "purposes[1].topics[1].label.nl"),
        ("rhythms", [wish("a", nl="A")], "purposes[1].rhythms[1].label.en"),
        ("topics", 2 * [wish("a", nl="A", en="A")], "purposes[1].topics"),
    ],
)
def test_a_wish_has_a_key_of_its_own_and_all_languages(name, wishes, place):
    faults = lint.judge(
        campaign_file("footer-newsletter", **{f"purposes__0__{name}": wishes})
    )

    assert [fault.place for fault in faults if fault.refuses] == [place]


@pytest.mark.parametrize(("name", "most"), [("topics", 12), ("rhythms", 5)])
def test_there_are_only_a_few(name, most):
    wishes = [wish(f"a{number}", nl="A", en="A") for number in range(most + 1)]

    with pytest.raises(FileError, match=name):
        campaign_file("footer-newsletter", **{f"purposes__0__{name}": wishes})
    campaign_file("footer-newsletter", **{f"purposes__0__{name}": wishes[1:]})
