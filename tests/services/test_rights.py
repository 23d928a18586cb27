"""Requests about somebody's data, whoever wrote them down (DS-01)."""

import os
from datetime import timedelta

import pytest

from server.domain.rights import Outcome, Right, due_at
from server.models import Contact, Member, RightsRequest
from server.services import contacts, rights
from tests.factories import make


@pytest.fixture
def who(session, vault, now):
    key = vault.seal(b"k" * 32, nonce=bytes(12), about=b"ref")
    made = make(session, Contact, subject_ref=b"ref", sealed_key=key, now=now)
    return contacts.person(session, made.id, vault=vault)


def test_a_request_is_due_within_a_month(session, who, now):
    """GDPR 12(3): the clock starts when it comes in."""
    member = make(session, Member, now=now)

    made = rights.open(
        session, who, Right.ACCESS, member_id=member.id, random=os.urandom, now=now
    )

    row = session.get_one(RightsRequest, made)
    assert (row.kind, row.member_id, row.due_at) == ("access", member.id, due_at(now))
    assert row.settled_at is None


def test_it_is_settled_once(session, who, now):
    made = rights.open(session, who, Right.ERASE, random=os.urandom, now=now)
    later = now + timedelta(days=3)

    assert rights.settle(session, made, outcome=Outcome.REFUSED, now=later)
    assert not rights.settle(session, made, outcome=Outcome.DONE, now=later)

    row = session.get_one(RightsRequest, made, populate_existing=True)
    assert (row.outcome, row.settled_at) == ("refused", later)


def test_what_people_do_themselves_is_settled_at_once(session, who, now):
    rights.used(session, who, Right.OBJECT, random=os.urandom, now=now)

    row = session.query(RightsRequest).one()
    assert (row.kind, row.member_id) == ("object", None)
    assert (row.outcome, row.opened_at, row.settled_at) == ("done", now, now)
