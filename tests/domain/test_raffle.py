"""The draw `rf-1` and its vectors (a fixed scheme); labels; the balance."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import raffle
from server.domain.raffle import Balance, Urn

LABELS = [f"e_{26 * letter}" for letter in "abcde"]
SECRET = hashlib.sha256(b"secret").digest()
BEACON = hashlib.sha256(b"beacon").digest()
COMMITMENT = "3881219d087dd9c634373fd33dfa33a2cb6bfc6c520b64b8bb60ef2ceb534ae7"
LISTED = "594c523cc97413c9c805c238626ab9aecd770d0ed57a324e3fd8d9bb160042c0"


def urn(randomness: bytes, secret: bytes = SECRET, draw: str = "main") -> Urn:
    return Urn(
        secret=secret,
        randomness=randomness,
        listed=raffle.list_hash(LABELS),
        campaign="demo",
        draw=draw,
    )


def order(urn: Urn, many: int = 5) -> str:
    return " ".join(label[2] for label in urn.first(LABELS, many))


def test_the_vectors_come_out():
    assert raffle.commitment(SECRET).hex() == COMMITMENT
    assert raffle.list_hash(LABELS).hex() == LISTED
    assert order(urn(BEACON)) == "d a e b c"
    assert order(urn(b"")) == "d b e c a"


def test_the_first_are_the_first_of_all():
    assert order(urn(BEACON), 2) == "d a"
    assert order(urn(BEACON), 9) == "d a e b c"
    assert urn(BEACON).first([], 3) == []


def test_a_position_is_what_rfc_5869_says():
    """Extract and expand written out, so that the library is not its own witness."""
    prk = hmac.digest(SECRET, BEACON + bytes.fromhex(LISTED), "sha256")
    info = f"rf-1|demo|main|{LABELS[0]}".encode()

    block = hmac.digest(prk, info + bytes([1]), "sha256")

    assert urn(BEACON).position(LABELS[0]) == block


def test_another_draw_of_the_same_labels_has_another_order():
    orders = {order(urn(b"", draw=f"draw{number}")) for number in range(10)}

    assert len(orders) > 5


def test_the_list_is_hashed_in_the_order_given_with_a_line_feed_each():
    whole = b"".join(label.encode() + b"\n" for label in LABELS)

    assert raffle.list_hash(LABELS) == hashlib.sha256(whole).digest()
    assert raffle.list_hash([]) == hashlib.sha256(b"").digest()


@given(st.binary(min_size=16, max_size=16))
def test_a_label_is_the_ticket_in_other_letters(ticket: bytes):
    label = raffle.label(ticket)

    assert len(label) == 28
    assert label.startswith("e_")
    assert raffle.ticket_of(label) == ticket
    assert raffle.ticket_of(f"  {label.upper()} ") == ticket


@pytest.mark.parametrize("text", ["", "e_", "e_aaa", "e_" + 26 * "1", "é", 60 * "a"])
def test_what_is_no_label_has_no_ticket(text: str):
    assert raffle.ticket_of(text) is None


def test_the_balance_says_where_every_prize_is():
    """PZ-04: offered = awarded + reason."""
    before = raffle.balance(3, {}, is_drawn=False)
    drawn = raffle.balance(3, {"offered": 3, "reserve": 1}, is_drawn=True)
    later = raffle.balance(3, {"claimed": 1, "lapsed": 2, "offered": 1}, is_drawn=True)
    end = raffle.balance(3, {"claimed": 2, "lapsed": 2}, is_drawn=True)
    nobody = raffle.balance(3, {}, is_drawn=True)

    assert before == Balance(3, 0, 3, 0)
    assert drawn == Balance(3, 0, 3, 0)
    assert later == Balance(3, 1, 1, 1)
    assert end == Balance(3, 2, 0, 1)
    assert nobody == Balance(3, 0, 0, 3)
    assert [one.is_settled for one in (before, drawn, later, end, nobody)] == [
        *(False, False, False),
        *(True, True),
    ]
