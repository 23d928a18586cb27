"""What a shop brings along, and what a person decided (PR-08, DS-02, SO-01..SO-03)."""

import hashlib
from datetime import date, timedelta
from functools import partial

import pytest

from server.domain.ledger import Notary
from server.models import ConsentEvent, Contact, Evidence, Standing, Text
from server.sealing import Sealing
from server.services import (
    contactable,
    contacts,
    ledger,
    ledger_audit,
    privacy,
    withdrawals,
)
from server.services.contactable import Wanted
from server.services.contacts import Reason
from server.services.tools import Tools
from tests.claims import EMAIL, SALE, bring, consent, sale, shop_named
from tests.factories import campaign_file, shop_file
from tests.tooling import tools_with
from tests.visits import at_once, take_card

YESTERDAY = "2026-03-01"
NOTARY = Notary([b"k" * 32])
# How a no is told to a withdrawal, and to a right.
HOW = {"facts": {}, "method": "link"}
USE = privacy.Use("nl", "link", {})


@pytest.fixture(autouse=True)
def shop(publish):
    return publish(campaign_file("welcome-scratch"))


@pytest.fixture
def tools(vault) -> Tools:
    return tools_with(vault)


@pytest.fixture
def act(house, tools):
    """Do something that a person does: `act(withdrawals.withdraw, ["newsletter"])`."""

    def done(what, *args, email=EMAIL, **options):
        who = house.person(email)
        common = {"tools": tools} if "use" in options else HOW | {"tools": tools}
        with house.database.transaction() as session:
            return what(session, who, *args, **common | options, now=house.clock.now())

    return done


@pytest.fixture
def exported(house):
    def found(purpose="newsletter", basis="consent"):
        wanted = Wanted(shop_named(house), purpose, basis)
        return [
            line.email
            for line in contactable.lines(
                house.database.reading,
                wanted,
                vault=house.vault,
                clock=house.clock.now,
            )
        ]

    return found


def test_a_consent_with_its_proof_counts(house, exported):
    """PR-08: a yes by import, its text kept and its proof sealed."""
    assert bring(house, consent()) == ["stored"]

    (fact,) = house.facts()
    proof = house.evidence(fact)
    assert (fact.act, fact.method, fact.optin_id) == ("given", "import", None)
    assert fact.context == {"given_on": "2025-06-01"}
    assert proof["source"] == "sign-up form of the old site"
    assert (proof["date"], proof["method"]) == ("2025-06-01", "double opt-in")
    assert proof["row"]["address"] == EMAIL
    (text,) = house.rows(Text, kind="import")
    assert text.sha256 == fact.text_hash
    assert hashlib.sha256(text.body.encode()).digest() == text.sha256
    assert exported() == [EMAIL]


@pytest.mark.parametrize("gone", ["source", "date", "text", "method"])
def test_one_without_any_part_of_it_is_unproven_and_never_exported(
    house, exported, gone
):
    """PR-08: import without text, and the like -> unproven."""
    assert bring(house, consent(**{gone: ""})) == ["stored"]

    (fact,) = house.facts()
    assert (fact.act, fact.context["missing"]) == ("unproven", [gone])
    assert house.standing() == {"newsletter": "unproven"}
    assert exported() == []


def test_the_proof_may_come_later(house, exported):
    bring(house, consent(text=""))

    assert bring(house, consent()) == ["stored"]
    assert exported() == [EMAIL]
    assert bring(house, consent(text="")) == ["known"]
    assert exported() == [EMAIL]


def test_the_same_file_once_more_changes_nothing(house):
    """A file that was cut short goes on by being run again."""
    rows = [consent(), consent("bram@example.com", text=""), consent("cas@example.com")]
    assert bring(house, *rows) == ["stored"] * 3
    before = house.dump()

    assert bring(house, *rows) == ["known"] * 3
    assert house.dump() == before


def test_one_person_twice_in_a_file_is_one_person(house):
    rows = [consent(), consent("IRIS@example.com", date="2025-07-01"), consent()]

    assert bring(house, *rows) == ["stored", "stored", "known"]
    assert len(house.rows(Contact)) == 1
    assert house.facts()[-1].context == {"given_on": "2025-07-01"}


def test_no_list_stands_above_a_persons_own_no(house, act, exported):
    """PR-06: a yes from before the no is refused, a claim without proof always."""
    bring(house, consent())
    act(withdrawals.withdraw, ["newsletter"])

    assert bring(house, consent(), consent(text="")) == ["decided", "decided"]
    assert bring(house, consent(date="2026-03-02")) == ["decided"], "that very day"
    assert house.standing() == {"newsletter": "withdrawn"}
    assert exported() == []

    house.clock.advance(timedelta(days=30))
    assert bring(house, consent(date="2026-03-20")) == ["stored"], "a newer yes"


def test_all_off_holds_against_an_older_list_with_another_key(house, act, exported):
    """PR-08: who ended everything meant that list too, whatever it calls itself."""
    bring(house, consent())
    act(withdrawals.end_all)
    older = [consent(purpose="mailing"), consent(purpose="mailing", text="")]
    undated = consent(purpose="mailing", date="")

    assert bring(house, *older, undated) == ["decided"] * 3
    assert (exported("mailing"), house.standing()) == ([], {"newsletter": "withdrawn"})

    house.clock.advance(timedelta(days=30))
    newer = consent(purpose="mailing", date="2026-03-20")
    assert bring(house, newer) == ["stored"], "asked anew, and answered"


def test_a_no_holds_though_a_yes_to_something_else_came_after_it(house, act, client):
    """What stands today hides it; it was said all the same."""
    bring(house, consent())
    act(withdrawals.withdraw, ["newsletter"])
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))

    assert bring(house, consent(purpose="mailing")) == ["decided"]


def test_what_is_known_is_told_as_known_after_a_no_to_something_else(house, act):
    """The same file once more is no reason to say that somebody decided."""
    rows = [consent(), consent(purpose="mailing")]
    bring(house, *rows)
    act(withdrawals.withdraw, ["newsletter"])

    assert bring(house, *rows) == ["decided", "known"]


@pytest.mark.parametrize("row", [consent(), consent(text=""), sale()])
def test_an_ended_objection_says_yes_to_nothing(house, client, act, row):
    """DS-02: also of somebody of whom nothing stood when they objected."""
    take_card(client).enter(client)
    act(privacy.object_to_marketing, use=USE)
    house.clock.advance(timedelta(days=2))
    act(privacy.end_objection, use=USE)

    assert bring(house, row) == ["decided"]
    assert bring(house, consent(date="2026-03-04")) == ["decided"], "that very day"
    assert house.standing() == {}
    house.clock.advance(timedelta(days=1))
    assert bring(house, consent(date="2026-03-05")) == ["stored"]


def test_a_yes_of_their_own_stays_as_it_is(house, client, exported):
    """Their own proof is the better one, whatever a list says."""
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    before = house.acts()

    assert bring(house, consent(date="2026-03-02"), consent(text="")) == [
        "known",
        "known",
    ]
    assert house.acts() == before
    assert exported() == [EMAIL]


SUPPRESSED = {
    Reason.NOT_ME: timedelta(days=180),
    Reason.REFUSED: timedelta(days=30),
    Reason.NEVER: None,
    Reason.ERASED: None,
    Reason.MOVED: None,
}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("row", [consent(), consent(text=""), sale()])
def test_who_is_suppressed_is_not_made_a_contact_again(
    house, act, exported, reason, row
):
    """DS-02, T30: the list survives erasure, and blocks imports while it lasts."""
    bring(house, consent())
    lasts = SUPPRESSED[reason]
    with house.database.transaction() as session:
        contacts.suppress(
            session,
            house.person(),
            reason=reason,
            until=lasts and house.clock.now() + lasts,
            now=house.clock.now(),
        )
    act(privacy.erase, use=USE)
    before = house.dump()

    assert bring(house, row) == ["erased"], "the strongest is told"
    assert house.dump() == before
    assert (exported(), exported("soft:mugs", "soft")) == ([], [])


@pytest.mark.parametrize("reason", [Reason.NOT_ME, Reason.REFUSED, Reason.NEVER])
def test_the_reason_is_told_and_ends_with_its_time(house, reason):
    lasts = SUPPRESSED[reason]
    bring(house, consent())
    with house.database.transaction() as session:
        contacts.suppress(
            session,
            house.person(),
            reason=reason,
            until=lasts and house.clock.now() + lasts,
            now=house.clock.now(),
        )
    newer = consent(date="2026-03-02")

    assert bring(house, newer) == bring(house, sale()) == [reason.value]
    house.clock.advance(timedelta(days=200))
    after = "never" if reason is Reason.NEVER else "stored"
    assert bring(house, newer) == [after]


def test_an_objection_keeps_every_list_out(house, act, exported):
    """DS-02: absolute and immediate, also after erasure."""
    bring(house, consent())
    act(privacy.object_to_marketing, use=USE)
    assert exported() == []

    assert bring(house, consent(date="2026-03-02")) == ["never"]
    assert bring(house, sale()) == ["never"]


def test_who_was_erased_comes_back_by_themselves_and_by_no_list(
    house, act, client, exported
):
    """T30: erasing and importing anew never brings a person back."""
    bring(house, consent())
    act(privacy.erase, use=USE)

    assert bring(house, consent()) == ["erased"]
    assert house.emails() == [""]
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    assert exported() == [EMAIL]
    assert bring(house, consent(date="2026-03-02")) == ["erased"]


def test_who_had_their_data_restricted_is_left_alone(house, act, exported):
    """GDPR 18: kept and not used, nor written to."""
    bring(house, consent())
    act(privacy.restrict, is_restricted=True, use=USE)

    assert exported() == []
    assert bring(house, consent(date="2025-12-01")) == ["restricted"]
    act(privacy.restrict, is_restricted=False, use=USE)
    assert exported() == [EMAIL]


def test_a_list_is_no_sign_of_life(house):
    """DS-05: what is kept for lack of activity must not be kept by a list."""
    bring(house, consent())
    (before,) = house.rows(Contact)
    house.clock.advance(timedelta(days=400))

    bring(house, consent(date="2026-03-02"))

    (after,) = house.rows(Contact)
    assert after.seen_at == before.seen_at


def test_other_shops_know_nothing_of_it(house, publish, database, now):
    from server.services import campaigns
    from tests.factories import shop_file

    with database.transaction() as session:
        campaigns.save_shop(session, shop_file(code="other"), now=now)
    bring(house, consent(), shop="other")
    wanted = Wanted(shop_named(house), "newsletter", "consent")

    assert not list(
        contactable.lines(
            database.reading, wanted, vault=house.vault, clock=house.clock.now
        )
    )


# --- races -------------------------------------------------------------------------


def test_erasing_and_importing_at_once_ends_erased(house, act, exported):
    """T30: whichever is first, nobody is there afterwards."""
    for number in range(6):
        email = f"p{number}@example.com"
        bring(house, consent(email))
        newer = consent(email, date="2026-02-01")

        at_once(
            [
                partial(bring, house, newer),
                partial(act, privacy.erase, use=USE, email=email),
                partial(bring, house, newer),
            ],
            threads=3,
        )

        assert exported() == []
        assert email not in house.emails()


def test_two_imports_of_one_file_at_once_store_it_once(house):
    """Each holds people in the same order, so neither waits for the other for ever."""
    rows = [consent(f"p{number}@example.com") for number in range(40)]

    found = at_once(
        [partial(bring, house, *rows), partial(bring, house, *reversed(rows))],
        threads=2,
    )

    assert sorted(found[0] + found[1]) == ["known"] * 40 + ["stored"] * 40
    assert len(house.rows(Contact)) == len(house.rows(ConsentEvent)) == 40


# --- soft opt-in -------------------------------------------------------------------


def test_a_sale_is_a_basis_of_its_own(house, exported):
    """SO-01, SO-03: with its offer kept, and the order in sealed evidence alone."""
    assert bring(house, sale()) == ["stored"]

    (fact,) = house.facts()
    assert (fact.purpose, fact.act, fact.method) == ("soft:mugs", "soft_opt_in", "sale")
    assert fact.context == {"category": "mugs", "sold_on": "2026-02-01"}
    assert house.evidence(fact)["order"] == SALE["order"]
    (offer,) = house.rows(Text, kind="soft-offer")
    assert (offer.sha256, offer.body) == (fact.text_hash, SALE["offer"])
    kept = house.rows(Evidence)[0].sealed
    assert SALE["order"].encode() not in kept
    assert exported("soft:mugs", "soft") == [EMAIL]
    assert exported("newsletter") == exported("soft:mugs") == []


def test_it_ends_two_years_after_the_last_sale_though_nobody_closed_it(house, exported):
    """SO-03: the clock alone decides; a newer sale renews it."""
    bring(house, sale(date="2024-03-03"))
    assert exported("soft:mugs", "soft") == [EMAIL]

    house.clock.advance(timedelta(days=1))
    assert exported("soft:mugs", "soft") == []
    assert bring(house, sale("bram@example.com", date="2024-03-03")) == ["too_old"]
    assert bring(house, sale(order="A-2", date=YESTERDAY)) == ["stored"]
    assert exported("soft:mugs", "soft") == [EMAIL]


def test_the_shops_own_term_of_a_sale_holds_in_the_export(publish, house, exported):
    """SO-03: import, export and `until` follow what the shop's file says."""
    shop = shop_file(retention={"soft_months": 12})
    publish(campaign_file("welcome-scratch"), shop=shop)
    late = sale("bram@example.com", date="2025-03-02")
    wanted = Wanted(shop_named(house), "soft:mugs", "soft")

    assert bring(house, sale(date="2025-03-03"), late) == ["stored", "too_old"]
    (line,) = contactable.lines(
        house.database.reading,
        wanted,
        vault=house.vault,
        clock=house.clock.now,
    )
    assert (line.email, line.until) == (EMAIL, date(2026, 3, 3))
    house.clock.advance(timedelta(days=1))
    assert exported("soft:mugs", "soft") == []

    publish(campaign_file("welcome-scratch"), shop=shop_file())
    assert exported("soft:mugs", "soft") == [EMAIL]


def test_an_older_or_the_same_sale_renews_nothing(house):
    bring(house, sale())

    assert bring(house, sale()) == ["known"]
    assert bring(house, sale(date="2026-01-31")) == ["known"]
    assert bring(house, sale(order="A-2", date="2026-02-02")) == ["stored"]


def test_it_never_stands_above_a_no(house, act, exported):
    """SO-02: neither to these mails, nor to others after the offer was made."""
    bring(house, sale())
    act(withdrawals.withdraw, ["soft:mugs"])
    newer = sale(order="A-2", date="2026-03-01", collected="2026-03-01T09:00Z")
    assert bring(house, newer) == ["decided"]

    bring(house, consent("bram@example.com"))
    act(withdrawals.withdraw, ["newsletter"], email="bram@example.com")
    assert bring(house, sale("bram@example.com")) == ["decided"], "an older offer"
    house.clock.advance(timedelta(days=3))
    later = sale("bram@example.com", date="2026-03-04", collected="2026-03-04T09:00Z")
    assert bring(house, later) == ["stored"], "offered anew, and not declined"
    assert exported("soft:mugs", "soft") == ["bram@example.com"]


# --- the ledger --------------------------------------------------------------------


def test_the_ledger_verifies_with_what_was_brought_in(house, act, database):
    """PR-05: every import has its proof, and every standing is the fold."""
    bring(house, consent(), consent("bram@example.com", text=""))
    bring(house, sale(), sale("cas@example.com"))
    act(withdrawals.withdraw, ["newsletter"])
    act(privacy.erase, use=USE, email="cas@example.com")
    Sealing(database, NOTARY).go_round(now=house.clock.now())

    with database.standing_still() as session:
        for tip in ledger.tips(session):
            whole = ledger_audit.verify(
                session,
                tip,
                keys=NOTARY.publics,
                step=lambda _: None,
                now=house.clock.now(),
            )
            assert whole.waiting == 0
    assert len(house.rows(ConsentEvent)) >= 6
    assert {row.act for row in house.rows(Standing)} >= {"unproven", "soft_opt_in"}
