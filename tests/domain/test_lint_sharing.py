"""What a campaign must say about advertising platforms (AD-01, L-20, L-21)."""

import pytest

from server.domain.campaign import parse_campaign
from server.domain.lint import judge
from server.domain.parts import FileError
from tests.sharing import sharing_tables


def found(tables, rule="L-21"):
    faults = judge(parse_campaign(tables))
    return [(fault.place, fault.refuses) for fault in faults if fault.rule == rule]


def test_two_texts_to_a_platform_and_a_joint_controller_are_in_order():
    assert found(sharing_tables()) == []


def test_one_of_the_two_texts_is_not_enough():
    """L-21: advice, in each language."""
    tables = sharing_tables()
    del tables["purposes"][-1]

    assert found(tables) == [("purposes", False), ("purposes", False)]


def test_a_text_names_the_platform():
    tables = sharing_tables()
    tables["purposes"][-1]["texts"]["nl"]["ask"] = "Ja, kies advertenties voor mij."

    assert found(tables) == [(f"purposes[{len(tables['purposes'])}].texts.nl", False)]


def test_the_notice_says_who_else_decides():
    tables = sharing_tables()
    tables["notice"]["en"]["recipients"] = "Google gets a hash of your address."

    assert found(tables) == [("notice.en", False)]


@pytest.mark.parametrize("gone", ["shares_with", "use"])
def test_half_of_a_sharing_is_refused(gone):
    tables = sharing_tables()
    del tables["purposes"][-1][gone]

    assert (f"purposes[{len(tables['purposes'])}]", True) in found(tables)


def test_the_same_use_twice_is_refused():
    """AD-01: each use is one purpose of its own."""
    tables = sharing_tables()
    tables["purposes"][-1]["use"] = "upload"

    assert found(tables, "AD-01") == [(f"purposes[{len(tables['purposes'])}]", True)]


@pytest.mark.parametrize(
    ("name", "value"), [("shares_with", "tiktok"), ("use", "all"), ("use", True)]
)
def test_another_platform_or_use_is_not_known(name, value):
    tables = sharing_tables()
    tables["purposes"][-1][name] = value

    with pytest.raises(FileError):
        parse_campaign(tables)


@pytest.mark.parametrize("key", ["soft:mugs", "soft:", "*"])
def test_a_soft_opt_in_cannot_be_chosen_in_a_campaign(key):
    """L-20, SO-02: no campaign's form, draw or quiz can have it as a purpose."""
    tables = sharing_tables()
    tables["purposes"][0]["key"] = key

    with pytest.raises(FileError) as refused:
        parse_campaign(tables)
    assert [fault.place for fault in refused.value.faults] == ["purposes[1].key"]
