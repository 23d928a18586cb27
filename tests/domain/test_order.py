"""An order's reference and amount, as people and pages write them."""

import pytest

from server.domain.order import as_typed, cents, identity, paid_back


@pytest.mark.parametrize("typed", ["A-1001", "a1001", " #A 1001 ", "A_1001."])
def test_one_order_is_known_however_it_is_typed(typed):
    assert identity(typed) == "a1001"


@pytest.mark.parametrize("typed", ["", " - ", "#", "1" * 41])
def test_what_is_no_number_is_none(typed):
    assert identity(typed) == ""


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        *(("49,95", 4_995), ("49.95", 4_995), ("€ 49,95", 4_995), ("EUR 49", 4_900)),
        *((" 5,- ", 500), ("0,01", 1), ("100000", 10_000_000)),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed, amount):
    assert cents(typed) == amount


@pytest.mark.parametrize(
    "typed", ["", "free", "-5", "0", "0,00", "1,5", "1.000,00", "100001", "٤"]
)
def test_what_is_no_amount_is_none(typed):
    assert cents(typed) is None


def test_what_a_page_tells_in_cents_is_shown_in_euros():
    assert [as_typed(told, "nl") for told in ("4590", "5", "", "x", "9" * 12)] == [
        *("45,90", "0,05", "", "", ""),
    ]
    assert as_typed("4590", "en") == "45.90"


def test_no_more_than_the_cap_is_paid_back():
    assert [paid_back(amount, most=500) for amount in (1, 500, 501)] == [1, 500, 500]
