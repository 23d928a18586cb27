"""Phone numbers in audiences, from the form to the file and out again (AD-03)."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from server.domain import audience
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from server.models import Attribute, AudienceMember, Contact, Entry
from server.services import campaigns, portable, privacy, withdrawals
from tests.claims import EMAIL, bring, consent
from tests.factories import campaign_tables
from tests.people import add_attribute, give_email
from tests.profiles import correct, remove
from tests.sharing import WITH_NUMBER, exported, number_tables, sharing_tables, telling
from tests.tooling import tools_with
from tests.visits import take_card

UPLOAD, ADS, NEWS = "google_upload", "google_personalise", "newsletter"
ALL = (UPLOAD, ADS, NEWS)
TYPED, OTHER = "06 12345678", "06 87654321"
STORED = "+31612345678"
HASH = audience.hashed("google", EMAIL)
NUMBER = audience.hashed_phone("google", STORED)
NEW_NUMBER = audience.hashed_phone("google", "+31687654321")
YES, NO = ("GRANTED", "GRANTED"), ("DENIED", "DENIED")
WITH = ("add", HASH, NUMBER, *YES)
WITHOUT = ("add", HASH, "", *YES)
ADDRESS_GONE = ("remove", HASH, "", *NO)
NUMBER_GONE = ("remove", "", NUMBER, *NO)
USE = privacy.Use("nl", "link", {})


@pytest.fixture
def run(run):
    return telling(run)


@pytest.fixture
def export(run, tmp_path):
    return lambda platform="google": exported(run, tmp_path, platform)


@pytest.fixture
def asked(publish):
    """Ask for a number, and whether Google may have it."""
    publish(parse_campaign(number_tables()))


@pytest.fixture
def say(client, house):
    """Say yes by the form and the mail, with a number typed or with none."""

    def said(*purposes, number=TYPED, email=EMAIL, at="welcome-inline", more=None):
        # A mailbox gets only so many mails a day.
        house.clock.advance(timedelta(days=2))
        more = (more or {}) | ({"mobile": number} if number else {})
        take_card(client, at).enter(client, email, consents=purposes, more=more)
        house.press(client, house.link("confirm", to=email))

    return said


@pytest.fixture
def withdraw(house):
    def done(*purposes, email=EMAIL):
        with house.database.transaction() as session:
            withdrawals.withdraw(
                session,
                house.person(email),
                purposes,
                facts={},
                method="link",
                tools=tools_with(house.vault),
                now=house.clock.now(),
            )

    return done


@pytest.fixture
def use(house):
    def used(right, **options):
        with house.database.transaction() as session:
            right(
                session,
                house.person(),
                use=USE,
                tools=tools_with(house.vault),
                now=house.clock.now(),
                **options,
            )

    return used


@pytest.mark.parametrize("platform", audience.PLATFORMS)
def test_a_number_from_the_form_is_in_the_file_as_the_platform_spells_it(
    publish, export, say, platform
):
    """AD-03: golden rows; and who told none has an empty cell."""
    publish(parse_campaign(number_tables(platform)))

    say(*ALL)
    say(*ALL, number="", email="bram@example.com")

    phone = {
        "google": "fab7be8a931d1088a82f6acf9e468aaf6a3accc07d5112ee5d6fca93281e1583",
        "meta": "e03d152bbe638d9fe7a04f9b88a67674bf15b73c0981755c16eb78d177721e03",
    }[platform]
    bram = audience.hashed(platform, "bram@example.com")
    assert export(platform) == [
        ("add", audience.hashed(platform, EMAIL), phone, *YES),
        ("add", bram, "", *YES),
    ]


def test_a_yes_to_a_hash_of_the_address_covers_no_number(publish, export, say, house):
    """AD-03: hashed or not, a number is data of its own and takes a yes of its own."""
    tables = sharing_tables(fields=number_tables()["fields"])
    publish(parse_campaign(tables))

    say(*ALL)

    assert house.attributes()["mobile"] == ("phone", STORED, NEWS)
    assert export() == [WITHOUT]
    assert [row.kind for row in house.rows(AudienceMember)] == ["email"]


def test_words_alone_share_nothing_that_the_purpose_does_not(publish, export, say):
    """AD-03: what is shared is declared, and never guessed from a text."""
    tables = number_tables()
    del tables["purposes"][-2]["shares"]
    publish(parse_campaign(tables))

    say(*ALL)

    assert export() == [WITHOUT]


def test_only_what_was_asked_as_a_number_is_one(publish, export, say):
    tables = number_tables()
    note = tables["fields"][0] | {"key": "note", "kind": "text"}
    tables["fields"] = [note]
    publish(parse_campaign(tables))

    say(*ALL, more={"note": STORED})

    assert export() == [WITHOUT]


def test_of_several_numbers_the_one_told_last_is_taken(asked, export, say, house):
    say(*ALL)
    iris = house.person().id
    for key, number, hours in (("first", STORED, -1), ("latest", "+31687654321", 1)):
        with house.database.transaction() as session:
            add_attribute(
                session,
                session.scalars(select(Entry)).one(),
                session.get_one(Contact, iris),
                house.vault,
                at=house.clock.now() + timedelta(hours=hours),
                key=key,
                value=number,
                kind="phone",
            )

    assert export() == [("add", HASH, NEW_NUMBER, *YES)]


def test_a_yes_brought_in_covers_a_number_only_where_its_words_name_one(
    asked, export, say, house
):
    """AD-03, PR-08: under which key it is brought in does not say what was said."""
    address_alone = "Yes, send a hash of my mail address to Google."
    named = WITH_NUMBER["en"].format("Google")
    for email, words in ((EMAIL, address_alone), ("bram@example.com", named)):
        say(NEWS, email=email)
        bring(house, consent(email, purpose=UPLOAD, text=words))

    bram = audience.hashed("google", "bram@example.com")
    assert export() == [
        ("add", HASH, "", "GRANTED", "DENIED"),
        ("add", bram, NUMBER, "GRANTED", "DENIED"),
    ]


def test_what_a_yes_covers_is_fixed_by_its_first_publication(publish, database, now):
    """AD-01, PR-07: nobody's yes grows because a newer file says so."""
    publish(parse_campaign(sharing_tables()))
    tables = number_tables()

    with pytest.raises(FileError) as refused, database.transaction() as session:
        campaigns.save(
            session,
            parse_campaign(tables),
            vault=None,
            now=now,
            random=os.urandom,
        )

    place = f"purposes[{len(tables['purposes']) - 1}]"
    assert [(f.place, f.rule) for f in refused.value.faults] == [(place, "AD-01")]


def test_what_a_draft_said_is_not_what_was_asked(
    publish, export, say, database, vault, now
):
    publish(parse_campaign(campaign_tables("welcome-wheel")))
    common = {"vault": vault, "now": now, "random": os.urandom}
    for tables, is_promised in ((sharing_tables(), False), (number_tables(), True)):
        with database.transaction() as session:
            file = parse_campaign(tables)
            campaigns.save(session, file, publish=is_promised, **common)

    say(*ALL)

    assert export() == [WITH]


def test_a_no_removes_by_both_hashes_that_were_handed_over(
    asked, export, say, withdraw
):
    """AD-04: golden removal rows; once."""
    say(*ALL)
    assert export() == [WITH]

    withdraw(UPLOAD)

    assert export() == [ADDRESS_GONE, NUMBER_GONE]
    assert export() == []


def test_who_was_named_without_a_number_is_removed_without_one(
    asked, export, say, withdraw
):
    """AD-04: a removal tells a platform nothing that it was not told before."""
    say(*ALL, number="")
    export()
    withdraw(UPLOAD)

    assert export() == [ADDRESS_GONE]


@pytest.mark.parametrize("right", ["erase", "restrict", "object"])
def test_a_right_removes_by_both(asked, export, say, use, house, right):
    """GDPR 17, 18, 21: also when the key of the person is destroyed."""
    say(*ALL)
    export()

    if right == "erase":
        use(privacy.erase)
        assert [row.sealed_key for row in house.rows(Contact)] == [b""]
    elif right == "restrict":
        use(privacy.restrict, is_restricted=True)
    else:
        use(privacy.object_to_marketing)

    assert NUMBER not in str(house.dump())
    assert export() == [ADDRESS_GONE, NUMBER_GONE]
    assert export() == []
    if right == "erase":
        assert house.rows(AudienceMember) == [], "of who was erased nothing is left"


def test_another_number_removes_the_old_one_alone(asked, export, say, withdraw):
    """GDPR 16: by the number that was handed over, not the one known today."""
    say(*ALL)
    export()
    withdraw(NEWS)
    say(NEWS, number=OTHER)

    assert export() == [NUMBER_GONE, ("add", HASH, NEW_NUMBER, *YES)]
    assert export() == [("add", HASH, NEW_NUMBER, *YES)]


def test_a_number_that_is_corrected_by_its_person_is_another_one(
    asked, export, say, house, pages
):
    """GDPR 16: on their own page; and one that is removed there goes."""
    say(*ALL)
    assert export() == [WITH]
    link = house.link("preferences", to=EMAIL)

    correct(pages, link, "mobile", mobile=OTHER)
    assert export() == [NUMBER_GONE, ("add", HASH, NEW_NUMBER, *YES)]

    remove(pages, link, "mobile")
    assert export() == [("remove", "", NEW_NUMBER, *NO), WITHOUT]


def test_a_number_that_was_told_for_something_else_goes_with_it(
    asked, export, say, withdraw
):
    """CR-10: it is kept only while what it was told for has a yes."""
    say(*ALL)
    export()

    withdraw(NEWS)

    assert export() == [NUMBER_GONE, WITHOUT]
    assert export() == [WITHOUT]


def test_another_address_leaves_the_number_where_it_is(asked, export, say, house):
    say(*ALL)
    export()
    with house.database.transaction() as session:
        moved = session.get_one(Contact, house.person().id)
        give_email(moved, "new@example.com", house.vault)

    new = audience.hashed("google", "new@example.com")
    assert export() == [ADDRESS_GONE, ("add", new, NUMBER, *YES)]


def test_a_no_after_all_changes_removes_what_is_there(
    asked, export, say, house, withdraw
):
    """AD-04: each hash that was handed over goes once, and none is left."""
    say(*ALL)
    export()
    withdraw(NEWS)
    say(NEWS, number=OTHER)
    with house.database.transaction() as session:
        moved = session.get_one(Contact, house.person().id)
        give_email(moved, "new@example.com", house.vault)
    withdraw(UPLOAD, email="new@example.com")

    assert export() == [ADDRESS_GONE, NUMBER_GONE]
    assert all(row.removed_at for row in house.rows(AudienceMember))


def test_the_number_of_who_said_no_goes_with_nobody_else(asked, export, say, withdraw):
    """AD-04: the same number, told by two; the other's own address stays."""
    bram = audience.hashed("google", "bram@example.com")
    say(*ALL)
    say(*ALL, email="bram@example.com")
    assert export() == [WITH, ("add", bram, NUMBER, *YES)]

    withdraw(UPLOAD)

    others = ("add", bram, "", *YES)
    assert export() == [ADDRESS_GONE, NUMBER_GONE, others]
    assert export() == [others]


def test_the_yes_that_covered_it_may_end_while_another_stands(
    publish, asked, export, say, withdraw, house, run
):
    """AD-03: of two yeses to Google, one of them to the address alone."""
    tables = sharing_tables("welcome-wheel")
    tables["purposes"][-2]["key"] = "other_upload"
    publish(parse_campaign(tables))
    say(*ALL)
    say("other_upload", number="", at="welcome-wheel-inline")
    assert export() == [WITH]

    withdraw(UPLOAD)
    house.clock.advance(timedelta(days=2))

    assert "1 people of demo have to be removed at google" in run("doctor")[1]
    assert export() == [NUMBER_GONE, WITHOUT]
    assert "ok    audiences" in run("doctor")[1]


@pytest.mark.parametrize("ended", [UPLOAD, NEWS])
def test_a_number_that_nobody_had_removed_is_an_alarm_about_one_person(
    asked, export, say, withdraw, house, run, ended
):
    """WD-03, AD-04: two days are enough; by two hashes it is still one person."""
    alarm = "NOT   audiences: 1 people of demo have to be removed at google; run:"
    say(*ALL)
    say(*ALL, number=OTHER, email="bram@example.com")
    export()
    withdraw(ended)

    house.clock.advance(timedelta(hours=48) - timedelta(milliseconds=1))
    assert "ok    audiences" in run("doctor")[1]
    house.clock.advance(timedelta(milliseconds=1))
    assert alarm in run("doctor")[1]

    export()
    assert "ok    audiences" in run("doctor")[1]


def test_who_has_a_number_that_does_not_open_is_left_out_and_told(
    asked, export, say, house, run, tmp_path
):
    say(*ALL)
    say(*ALL, number=OTHER, email="bram@example.com")
    iris = house.person().id
    with house.database.transaction() as session:
        broken = update(Attribute).where(Attribute.contact_id == iris)
        session.execute(broken.values(sealed_value=b"x" * 40))

    words = ("audience", "export", "--shop", "demo", "--platform", "google")
    said = run(*words, "-o", tmp_path / "out.csv")[1]

    bram = audience.hashed("google", "bram@example.com")
    assert ": 1 to add, 0 to remove" in said
    assert export() == [("add", bram, NEW_NUMBER, *YES)]


def test_people_are_told_that_their_number_was_handed_over(asked, export, say, house):
    """GDPR 15(1)(c): each hash of its own."""
    say(*ALL)
    export()

    tools = tools_with(house.vault)
    with house.database.reading() as session:
        content = portable.export(
            session, house.person(), tools=tools, now=house.clock.now()
        )

    assert [
        each["as"] for each in content["recipients"] if each["name"] == "google"
    ] == [
        "advertising platform, as a hash of the address",
        "advertising platform, as a hash of the phone number",
    ]
