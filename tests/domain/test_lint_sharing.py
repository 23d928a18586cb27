"""What a campaign must say about advertising platforms (AD-01, L-20, L-21)."""

import pytest

from server.domain.campaign import parse_campaign
from server.domain.lint import judge
from server.domain.parts import FileError
from tests.sharing import number_tables, sharing_tables


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


def test_a_number_may_be_shared_by_a_text_that_names_it():
    assert found(number_tables(), "AD-03") == []


@pytest.mark.parametrize("locale", ["nl", "en"])
def test_a_text_that_names_the_address_alone_shares_no_number(locale):
    """AD-03: refused, in each language."""
    tables = number_tables()
    texts = tables["purposes"][-2]["texts"]
    texts[locale] = sharing_tables()["purposes"][-2]["texts"][locale]

    number = len(tables["purposes"]) - 1
    assert found(tables, "AD-03") == [(f"purposes[{number}].texts.{locale}.ask", True)]


@pytest.mark.parametrize("shares", [[], ["phone"], ["email", "email"]])
def test_an_address_is_always_shared_and_once(shares):
    tables = number_tables()
    tables["purposes"][-2]["shares"] = shares

    place = f"purposes[{len(tables['purposes']) - 1}].shares"
    assert found(tables, "AD-03") == [(place, True)]


def test_what_is_handed_over_is_said_by_the_yes_to_handing_over():
    """AD-01: neither by the one to ads, nor by one to mails."""
    for number in (1, len(number_tables()["purposes"])):
        tables = number_tables()
        purpose = tables["purposes"][number - 1]
        purpose["shares"] = ["email", "phone"]
        for text in purpose["texts"].values():
            text["ask"] += " And my phone number."

        assert found(tables, "AD-03") == [(f"purposes[{number}].shares", True)]


def test_what_else_could_be_shared_is_not_known():
    tables = number_tables()
    tables["purposes"][-2]["shares"] = ["email", "postcode"]

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
