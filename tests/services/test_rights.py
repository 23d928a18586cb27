"""Requests about somebody's data, whoever wrote them down (DS-01)."""

import os
from datetime import timedelta

import pytest

from server.domain.rights import Right, due
from server.models import Contact, Member, RightsRequest
from server.services import contacts, rights
from tests.factories import make
from tests.people import give_email


@pytest.fixture
def who(session, vault, now):
    key = vault.seal(b"k" * 32, nonce=bytes(12), about=b"ref")
    made = make(session, Contact, subject_ref=b"ref", sealed_key=key, now=now)
    give_email(made, "ann@example.com", vault)
    return contacts.person(session, made.id, vault=vault)


@pytest.fixture
def ask(session, who, now):
    """Write down that somebody asks for something."""

    def ask(right, member_id=None):
        return rights.open(
            session,
            who.id,
            shop_id=who.shop_id,
            kind=right.value,
            member_id=member_id,
            random=os.urandom,
            now=now,
        )

    return ask


def test_a_request_is_due_within_a_month(session, ask, now):
    """GDPR 12(3): the clock starts when it comes in."""
    member = make(session, Member, now=now)

    made = ask(Right.ACCESS, member.id)

    assert (made.kind, made.member_id, made.due_at) == ("access", member.id, due(now))
    assert made.settled_at is None


def test_it_is_settled_once(session, ask, now):
    made = ask(Right.ERASE)
    later = now + timedelta(days=3)

    assert rights.settle(session, made, outcome="Not theirs", now=later)
    assert not rights.settle(session, made, outcome="erased", now=later)

    row = session.get_one(RightsRequest, made.id, populate_existing=True)
    assert (row.outcome, row.settled_at) == ("Not theirs", later)


def test_what_people_do_themselves_is_settled_at_once(session, who, now):
    rights.used(session, who, Right.OBJECT, random=os.urandom, now=now)

    row = session.query(RightsRequest).one()
    assert (row.kind, row.member_id) == ("object", None)
    assert (row.outcome, row.opened_at, row.settled_at) == ("objected", now, now)
