"""People are told apart by their address, and every shop knows only its own."""

import hashlib
import os
from functools import partial

import pytest
from sqlalchemy import select

from server.models import Contact, Shop
from server.services import contacts
from tests.factories import shop_file
from tests.visits import at_once, few_mugs, sure_win, take_card


@pytest.fixture
def shop_id(database, publish):
    publish(sure_win())
    with database.reading() as session:
        return session.scalars(select(Shop.id)).one()


def met(database, vault, now, shop_id, email):
    with database.transaction() as session:
        return contacts.recognise(
            session,
            shop_id=shop_id,
            email=email,
            locale="nl",
            vault=vault,
            now=now,
            random=os.urandom,
        )


def test_the_same_address_is_the_same_person(database, vault, now, shop_id):
    """PZ-10: however its letters are cased; a tag or a dot is another address."""
    first = met(database, vault, now, shop_id, "iris@example.com")
    again = met(database, vault, now, shop_id, "IRIS@example.com")
    tagged = met(database, vault, now, shop_id, "iris+a@example.com")

    assert (first.is_new, again.is_new, tagged.is_new) == (True, False, True)
    assert first.id == again.id != tagged.id
    assert first.key == again.key != tagged.key
    assert again.email == "iris@example.com"


def test_twelve_arrivals_at_once_are_one_person(database, vault, now, shop_id, house):
    arrive = partial(met, database, vault, now, shop_id, "iris@example.com")

    people = at_once([arrive] * 12, threads=12)

    assert [who.is_new for who in people].count(True) == 1
    assert len({(who.id, who.key, who.subject_ref) for who in people}) == 1
    assert len(house.rows(Contact)) == 1


def test_a_person_at_two_shops_is_two_people(publish, client, house):
    """T1: nothing in one row leads to the other, except the address itself."""
    publish(few_mugs(0))
    place = [{"code": "other", "shape": "inline"}]
    publish(
        few_mugs(0, shop="other", code="other", placements=place),
        shop=shop_file(code="other"),
    )
    for code in ("welcome-inline", "other"):
        take_card(client, code).enter(client)

    mine, theirs = house.rows(Contact)
    assert mine.shop_id != theirs.shop_id
    for name in (
        "public_id",
        "email_hash",
        "subject_ref",
        "sealed_key",
        "sealed_email",
    ):
        assert getattr(mine, name) != getattr(theirs, name)


def test_a_persons_key_and_hash_are_no_use_without_ours(database, vault, now, shop_id):
    """T24: the row alone neither opens evidence nor can be guessed from an address."""
    who = met(database, vault, now, shop_id, "iris@example.com")
    with database.reading() as session:
        row = session.get_one(Contact, who.id)

    assert who.key not in row.sealed_key
    assert b"iris" not in row.sealed_email
    for text in ("iris@example.com", f"{shop_id}|iris@example.com"):
        assert row.email_hash != hashlib.sha256(text.encode()).digest()
