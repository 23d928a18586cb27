"""Every path from a fact to the recipients that have to know of it (DS-06)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from server.domain.consent import Act, Question
from server.models import Contact, Entry, Text
from server.services import (
    campaigns,
    consents,
    optins,
    privacy,
    shops,
    webhooks,
    withdrawals,
)
from server.services.consents import Decided
from tests.factories import shop_file
from tests.tellings import Desk
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
USE = privacy.Use("nl", "test", {})
NEW = "iris.new@example.com"


@contextmanager
def statements(database) -> Iterator[list[str]]:
    """Collect what is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def desk(house):
    return Desk(house)


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def shop(publish):
    publish(sure_win(days=365))


@pytest.fixture
def crm(shop, desk):
    """A recipient that is told of everything."""
    return desk.add()[0]


@pytest.fixture
def enter(client):
    def enter(email=EMAIL, says=BOTH):
        take_card(client).enter(client, email, consents=says)

    return enter


@pytest.fixture
def fan(enter, client, house):
    """Somebody who said yes to both and confirmed it."""

    def fan(email=EMAIL):
        enter(email)
        house.press(client, house.link("confirm", to=email))
        return house.person(email)

    return fan


@pytest.fixture
def use(house, tools):
    """Use a right: `use(privacy.erase, person)`."""

    def use(right, who, **more):
        with house.database.transaction() as session:
            now = house.clock.now()
            return right(session, who, use=USE, tools=tools, now=now, **more)

    return use


def claim(house, tools, act, purpose, who=None):
    """Let the shop claim something, as an import does."""
    with house.database.transaction() as session:
        decided = Decided(
            who=who or house.person(),
            question=Question(purpose, "link", b"t" * 32, b"", b"", "nl", {}),
            act=act,
            method="import",
            facts={},
        )
        if session.get(Text, b"t" * 32) is None:
            session.add(
                Text(
                    sha256=b"t" * 32,
                    kind="import",
                    locale="nl",
                    body="",
                    created_at=house.clock.now(),
                )
            )
        consents.record_all(session, [decided], tools=tools, now=house.clock.now())


class TestWhoIsTold:
    def test_nobody_who_has_not_confirmed_is_named(self, crm, enter, desk):
        """DO-01: a pending person is in no webhook."""
        enter()

        assert desk.rows() == []

    def test_a_pending_person_who_wants_none_of_it_is_not_named_either(
        self, crm, enter, house, client, use, desk
    ):
        enter()
        client.post(house.link("unsubscribe"))
        use(privacy.object_to_marketing, house.person())
        use(privacy.restrict, house.person(), is_restricted=True)
        use(privacy.erase, house.person())

        assert desk.rows() == []

    def test_a_confirmation_tells_of_each_yes(self, crm, fan, desk, house):
        who = fan()

        (contact,) = house.rows(Contact, id=who.id)
        told = desk.waiting()
        assert [each["type"] for each in told] == ["consent.given"] * 2
        assert [each["data"]["purpose"] for each in told] == BOTH
        for each in told:
            data = each["data"]
            assert (data["contact"], data["email"]) == (contact.public_id, EMAIL)
            assert (data["basis"], data["channel"]) == ("consent", "email")

    def test_no_payload_holds_a_token(self, crm, fan, client, house, desk):
        """DO-15: neither a link nor its secret, nor how somebody is known inside."""
        who = fan()
        client.post(house.link("unsubscribe"))

        told = str([desk.said(row) for row in desk.rows()])
        for letter in house.letters():
            assert letter.params["link"][1] not in told
        assert who.subject_ref.hex() not in told and "http" not in told

    def test_what_waits_is_sealed(self, crm, fan, desk):
        fan()

        assert all(EMAIL.encode() not in row.sealed for row in desk.rows())

    def test_another_shop_s_recipient_hears_nothing(self, crm, fan, desk, house):
        with house.database.transaction() as session:
            campaigns.save_shop(session, shop_file(code="other"), now=house.clock.now())
            other = shops.id_of(session, "other")
            tools = house.app.extensions["tools"]
            webhooks.add(
                session, other, name="X", url="x", tools=tools, now=house.clock.now()
            )
        fan()

        assert {row.webhook_id for row in desk.rows()} == {crm}

    def test_a_recipient_of_one_purpose_learns_of_no_other(
        self, shop, desk, fan, use, house
    ):
        """CR-05: whoever is named in one consent only gets what that is about."""
        partner, _ = desk.add(name="Partner", purposes=["personal_offers"])
        stranger, _ = desk.add(name="Stranger", purposes=["something_else"])
        use(privacy.erase, fan())

        told = [(row.event, row.topic) for row in desk.rows(webhook_id=partner)]
        assert told == [
            ("consent.given", "purpose:personal_offers"),
            ("consent.withdrawn", "purpose:personal_offers"),
            ("contact.erased", "erasure"),
        ]
        assert desk.rows(webhook_id=stranger) == []

    def test_one_that_came_after_all_had_ended_is_not_told_who_it_was(
        self, shop, desk, fan, use, client, house
    ):
        """GDPR 19, 5(1)(c): it was given nothing of theirs, so it learns no address."""
        who = fan()
        client.post(house.link("unsubscribe"), data={"List-Unsubscribe": "One-Click"})
        house.clock.advance(timedelta(days=1))
        desk.add(name="Newcomer")
        use(privacy.erase, who)

        assert desk.rows() == []

    def test_one_that_came_while_a_yes_stood_hears_of_the_erasure(
        self, shop, desk, fan, use, house
    ):
        """GDPR 19: it may have been given them in a file, to catch up."""
        who = fan()
        house.clock.advance(timedelta(days=1))
        desk.add(name="Newcomer")
        use(privacy.erase, who)

        assert [row.event for row in desk.rows()][-1] == "contact.erased"

    def test_a_yes_that_came_back_is_as_good_as_the_first(
        self, shop, desk, fan, use, client, house
    ):
        who = fan()
        client.post(house.link("unsubscribe"), data={"List-Unsubscribe": "One-Click"})
        house.clock.advance(timedelta(days=1))
        fan()
        house.clock.advance(timedelta(days=1))
        desk.add(name="Newcomer")
        use(privacy.erase, who)

        assert [row.event for row in desk.rows()][-1] == "contact.erased"

    def test_one_that_was_given_files_before_hears_of_whom_was_in_them(
        self, shop, desk, fan, use, client, house
    ):
        """GDPR 19: its program came late, the addresses had not."""
        who, since = fan(), house.clock.now()
        client.post(house.link("unsubscribe"), data={"List-Unsubscribe": "One-Click"})
        house.clock.advance(timedelta(days=1))
        desk.add(name="Mailing program", since=since)
        use(privacy.erase, who)

        assert [row.event for row in desk.rows()] == ["contact.erased"]

    def test_one_that_is_off_still_hears_of_noes(self, crm, fan, desk, use, house):
        """GDPR 19: it holds what it was told; of more it is not told."""
        who = fan()
        with house.database.transaction() as session:
            (row,) = webhooks.listed(session)
            webhooks.turn_off(session, row, why="test")
        fan("bram@example.com")
        use(privacy.object_to_marketing, who)

        assert [row.event for row in desk.rows()[2:]] == [
            *("consent.withdrawn", "consent.withdrawn", "contact.objected")
        ]

    def test_one_that_has_ended_hears_nothing_and_nothing_waits(
        self, crm, fan, desk, use, house
    ):
        who = fan()
        with house.database.transaction() as session:
            (row,) = webhooks.listed(session)
            assert webhooks.end(session, row, now=house.clock.now())
        use(privacy.erase, who)

        assert desk.events() == [("consent.given", "dropped")] * 2
        assert all(row.sealed is None for row in desk.rows())

    def test_who_hears_of_a_yes_hears_of_its_end(self, shop, desk):
        with pytest.raises(webhooks.IncompleteError, match="consent.withdrawn"):
            desk.add(events=["consent.given", "contact.erased"])


class TestPaths:
    def types(self, desk):
        return [row.event for row in desk.rows()]

    def test_one_click_unsubscribe(self, crm, fan, client, house, desk):
        fan()
        client.post(house.link("unsubscribe"), data={"List-Unsubscribe": "One-Click"})

        told = desk.waiting()
        assert [each["type"] for each in told] == ["consent.withdrawn"] * 2
        assert {each["data"]["because"] for each in told} == {"withdrawn"}
        # The yes that it had not heard of yet is nothing to hear any more.
        assert desk.events()[:2] == [("consent.given", "dropped")] * 2

    def test_a_request_for_something_else_hides_no_withdrawal(
        self, crm, fan, enter, client, house, desk
    ):
        """Who has a yes and another request open withdraws both with one press."""
        fan()
        link = house.link("unsubscribe")
        with house.database.transaction() as session:
            who = house.person()
            consents_of = {"newsletter": b"n" * 32}
            session.add(
                Text(
                    sha256=b"n" * 32,
                    kind="purpose",
                    locale="nl",
                    body="",
                    created_at=house.clock.now(),
                )
            )
            session.flush()
            optins.request(
                session,
                who,
                consents_of,
                entry_id=house.rows(Entry)[0].id,
                notice_hash=b"",
                form_hash=b"",
                locale="nl",
                channel="web",
                context={"page": ""},
                facts={},
                tools=house.app.extensions["tools"],
                now=house.clock.now(),
            )
        client.post(link)

        told = desk.waiting()
        assert sorted(each["data"]["purpose"] for each in told) == sorted(BOTH)
        assert {each["type"] for each in told} == {"consent.withdrawn"}

    def test_the_preference_centre(self, crm, fan, client, pages, house, desk):
        fan()
        link = house.link("preferences")
        client.post(f"{link}/stop", data={"purpose": "newsletter"})
        pages.submit(
            (page := pages.get(link)).form("/save"),
            status=303,
            want__newsletter=page.root.all("input", role="switch")[-1].attrs["value"],
        )

        assert desk.events() == [
            ("consent.given", "dropped"),
            ("consent.given", "waiting"),
            ("consent.withdrawn", "dropped"),
            ("consent.given", "waiting"),
        ]

    def test_imports_and_soft_opt_ins_by_their_own_names(
        self, crm, fan, desk, house, tools, use
    ):
        """A soft opt-in is no consent, and a claim without proof is nothing to tell."""
        fan()
        claim(house, tools, Act.SOFT_OPT_IN, "soft:shoes")
        claim(house, tools, Act.UNPROVEN, "soft:hats")
        claim(house, tools, Act.GIVEN, "imported")
        use(privacy.object_to_marketing, house.person())

        told = [(row.event, row.topic) for row in desk.rows()[2:]]
        assert told == [
            ("soft_opt_in.started", "purpose:soft:shoes"),
            ("consent.given", "purpose:imported"),
            ("consent.withdrawn", "purpose:imported"),
            ("consent.withdrawn", "purpose:newsletter"),
            ("consent.withdrawn", "purpose:personal_offers"),
            ("soft_opt_in.ended", "purpose:soft:shoes"),
            ("contact.objected", "objection"),
        ]

    def test_a_restriction_and_its_end(self, crm, fan, desk, use):
        who = fan()
        use(privacy.restrict, who, is_restricted=True)
        assert self.types(desk)[2:] == ["contact.restricted"]
        use(privacy.restrict, who, is_restricted=False)

        assert desk.events()[2:] == [
            ("contact.restricted", "dropped"),
            ("contact.unrestricted", "waiting"),
        ]

    def test_what_the_clock_ends(self, crm, fan, desk, house, tools):
        who = fan()
        with house.database.transaction() as session:
            withdrawals.lapse(
                session,
                who,
                ["newsletter"],
                facts={},
                tools=tools,
                now=house.clock.now(),
            )

        (told,) = [t for t in desk.waiting() if t["type"] == "consent.withdrawn"]
        assert told["data"]["because"] == "lapsed"


class TestErasure:
    def test_a_recipient_is_told_whom_it_is_about(self, crm, fan, use, desk, house):
        """T30, DS-06: the address waits sealed though the house has forgotten it."""
        who = fan()
        use(privacy.erase, who)

        (told,) = desk.waiting()
        assert told["type"] == "contact.erased"
        assert told["data"]["email"] == EMAIL
        assert house.rows(Contact, id=who.id)[0].sealed_email == b""

    def test_nothing_else_about_them_waits(self, crm, fan, use, desk):
        """T30: not even sealed."""
        use(privacy.erase, fan())

        rest = [row for row in desk.rows() if row.event != "contact.erased"]
        assert {row.state for row in rest} == {"dropped"}
        assert all(row.sealed is None for row in rest)

    def test_retention_tells_as_well(self, crm, fan, use, desk):
        use(privacy.erase, fan(), is_wished=False)

        assert [told["type"] for told in desk.waiting()] == ["contact.erased"]


class TestNewAddress:
    @pytest.fixture
    def moved(self, crm, fan, client, house, tools):
        fan()
        link = house.link("preferences")
        answer = client.post(f"{link}/address", data={"email": NEW})
        assert answer.status_code < 400, answer.status
        house.press(client, house.link("rectify", to=NEW))
        return house.person(NEW)

    def test_it_names_both(self, moved, desk):
        (told,) = [t for t in desk.waiting() if t["type"] == "contact.rectified"]

        assert told["data"]["email"] == NEW
        assert told["data"]["earlier_emails"] == [EMAIL]

    def test_until_it_was_heard_whatever_follows_names_both(self, moved, desk, use):
        use(privacy.erase, moved)

        (told,) = desk.waiting()
        assert told["data"]["email"] == NEW
        assert told["data"]["earlier_emails"] == [EMAIL]


class TestOrder:
    def test_what_follows_has_a_later_place_whatever_the_clock_says(
        self, crm, fan, use, desk, house
    ):
        who = fan()
        house.clock.advance(-timedelta(hours=1))
        use(privacy.object_to_marketing, who)

        places = [row.sequence for row in desk.rows()]
        assert places == sorted(set(places))

    def test_a_yes_after_a_no_takes_its_place(self, crm, fan, client, house, desk):
        fan()
        client.post(house.link("unsubscribe"))
        house.clock.advance(timedelta(days=2))
        fan()

        waiting = [(t["type"], t["data"]["purpose"]) for t in desk.waiting()]
        assert waiting == [("consent.given", purpose) for purpose in BOTH]


class TestCosts:
    def test_an_entry_costs_no_statement_more(self, shop, desk, enter, house, client):
        """The path of an entry is the same with a recipient as without."""
        # The first of a month makes its key, and the first two the questions known.
        for name in ("first", "second"):
            enter(f"{name}@example.com")
        with statements(house.database) as before:
            enter("a@example.com")
        desk.add()
        with statements(house.database) as after:
            enter("b@example.com")

        assert len(after) == len(before)
        assert not any("webhook" in one for one in after)

    def test_without_recipients_a_confirmation_pays_no_round_trip(
        self, shop, enter, client, house
    ):
        enter()
        link = house.link("confirm")
        shown = house.shown(client, link)
        with statements(house.database) as seen:
            client.post(link, data={"shown": shown})

        looks = [one for one in seen if "webhook" in one or "delivery" in one]
        assert [one.split()[0] for one in looks] == ["INSERT"]
