"""Audiences on the command line: a no is told to the platform (AD-01 to AD-04)."""

import os
from datetime import timedelta

import pytest

from server.domain import audience
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from server.models import AudienceMember, Contact
from server.services import campaigns, privacy, withdrawals
from tests.claims import EMAIL, bring, consent, sale
from tests.people import give_email
from tests.sharing import exported, sharing_tables, telling
from tests.tooling import tools_with
from tests.visits import take_card

UPLOAD, ADS = "google_upload", "google_personalise"
HASH = audience.hashed("google", EMAIL)
GONE = ("remove", HASH, "", "DENIED", "DENIED")
BOTH = ("add", HASH, "", "GRANTED", "GRANTED")
# How a no is told to a withdrawal, and to a right.
HOW = {"facts": {}, "method": "link"}
USE = privacy.Use("nl", "link", {})


@pytest.fixture
def database_kind() -> str:
    """Ranges and hashes are plain SQL; what is locked is tested with the imports."""
    return "sqlite"


@pytest.fixture
def run(run):
    return telling(run)


@pytest.fixture
def export(run, publish, tmp_path, house):
    """Publish the campaign, and return the rows of an export."""
    publish(parse_campaign(sharing_tables()))

    return lambda platform="google": exported(run, tmp_path, platform)


@pytest.fixture
def say(client, house):
    """Say yes by the form and the mail, as people do."""

    def said(*purposes, email=EMAIL):
        # A mailbox gets only so many mails a day.
        house.clock.advance(timedelta(days=2))
        take_card(client).enter(client, email, consents=purposes)
        house.press(client, house.link("confirm", to=email))

    return said


@pytest.fixture
def act(house, vault):
    tools = tools_with(vault)

    def done(what, *args, **options):
        who = house.person()
        common = {"tools": tools} if "use" in options else HOW | {"tools": tools}
        with house.database.transaction() as session:
            what(session, who, *args, **common | options, now=house.clock.now())

    return done


def test_denied_unless_active(export, say, client, house):
    """AD-02: nobody before the press, and each state is a yes of its own."""
    take_card(client).enter(client, consents=[UPLOAD, ADS])
    assert export() == []

    house.press(client, house.link("confirm"))
    say(UPLOAD, email="bram@example.com")
    say(ADS, email="cas@example.com")
    say("newsletter", email="dina@example.com")

    bram = audience.hashed("google", "bram@example.com")
    assert export() == [BOTH, ("add", bram, "", "GRANTED", "DENIED")]
    assert export("meta") == []


@pytest.mark.parametrize(
    ("what", "args", "options"),
    [
        (withdrawals.withdraw, [[UPLOAD]], {}),
        (withdrawals.end_all, [], {}),
        (privacy.object_to_marketing, [], {"use": USE}),
        (privacy.restrict, [], {"use": USE, "is_restricted": True}),
        (privacy.erase, [], {"use": USE}),
    ],
)
def test_a_no_becomes_a_removal_once(export, say, act, house, what, args, options):
    """AD-04: event -> removal row, told by one file and kept as told."""
    say(UPLOAD, ADS)
    assert export() == [BOTH]

    act(what, *args, **options)

    assert export() == [GONE]
    assert export() == []
    rows = house.rows(AudienceMember)
    if what is privacy.erase:
        assert rows == [], "of who was erased nothing is left"
    else:
        assert [row.removed_at for row in rows] == [house.clock.now()]


@pytest.mark.parametrize(
    ("what", "args", "options"),
    [
        (withdrawals.withdraw, [[UPLOAD]], {}),
        (privacy.object_to_marketing, [], {"use": USE}),
        (privacy.restrict, [], {"use": USE, "is_restricted": True}),
        (privacy.erase, [], {"use": USE}),
    ],
)
def test_a_removal_that_nobody_handed_over_is_an_alarm(
    export, say, act, house, run, what, args, options
):
    """WD-03, AD-04: two days are enough, down to who shows the ads."""
    alarm = "NOT   audiences: 1 people of demo have to be removed at google; run:"
    say(UPLOAD, ADS)
    say(UPLOAD, email="bram@example.com")
    export()
    act(what, *args, **options)

    house.clock.advance(timedelta(hours=48) - timedelta(milliseconds=1))
    assert "ok    audiences" in run("doctor")[1]
    house.clock.advance(timedelta(milliseconds=1))
    assert alarm in run("doctor")[1]

    export()
    assert "ok    audiences" in run("doctor")[1]


def test_a_no_to_the_ads_alone_is_no_alarm_where_it_is_a_signal(
    export, say, act, house, run
):
    """AD-02: Google keeps them, and is told."""
    say(UPLOAD, ADS)
    export()
    act(withdrawals.withdraw, [ADS])
    house.clock.advance(timedelta(days=3))

    assert "ok    audiences" in run("doctor")[1]


def test_a_no_to_the_ads_alone_is_a_state(export, say, act):
    say(UPLOAD, ADS)
    act(withdrawals.withdraw, [ADS])

    assert export() == [("add", HASH, "", "GRANTED", "DENIED")]


def test_the_hash_of_who_was_erased_stays_until_it_was_told(export, say, act, house):
    """AD-04: and with it nothing that leads to the person."""
    say(UPLOAD, ADS)
    export()

    act(privacy.erase, use=USE)

    (row,) = house.rows(AudienceMember)
    assert house.vault.open(row.sealed_hash, about=row.mark) == HASH.encode()
    assert row.removed_at is None
    assert HASH not in str(house.dump())
    assert house.emails()[0] == ""


def test_a_file_that_could_not_be_written_has_told_nothing(
    export, say, act, run, tmp_path
):
    say(UPLOAD, ADS)
    export()
    act(withdrawals.withdraw, [UPLOAD])

    words = ("audience", "export", "--shop", "demo", "--platform", "google")
    code, said = run(*words, "-o", tmp_path / "no such folder" / "out.csv")

    assert code == 2
    assert "cannot be written" in said
    assert export() == [GONE]


def test_who_says_yes_again_is_added_again(export, say, act, house):
    say(UPLOAD, ADS)
    export()
    act(withdrawals.withdraw, [UPLOAD, ADS])
    export()

    say(UPLOAD, ADS)

    assert export() == [BOTH]
    assert [row.removed_at for row in house.rows(AudienceMember)] == [None]


def test_another_address_removes_the_old_hash(export, say, house):
    """GDPR 16: a corrected address is another hash at the platform."""
    say(UPLOAD, ADS)
    export()
    with house.database.transaction() as session:
        moved = session.get_one(Contact, house.person().id)
        give_email(moved, "new@example.com", house.vault)

    new = audience.hashed("google", "new@example.com")
    assert export() == [GONE, ("add", new, "", "GRANTED", "GRANTED")]


def test_a_no_under_one_spelling_keeps_the_mailbox_out(export, say, act, house):
    """Google knows both addresses by one hash; a no is not undone by the other."""
    say(UPLOAD, ADS, email="jane.doe@gmail.com")
    say(UPLOAD, ADS, email="janedoe@gmail.com")
    assert len(export()) == 2
    who = house.person("jane.doe@gmail.com")
    tools = tools_with(house.vault)
    with house.database.transaction() as session:
        withdrawals.withdraw(
            session,
            who,
            [UPLOAD],
            facts={},
            method="link",
            tools=tools,
            now=house.clock.now(),
        )

    mailbox = audience.hashed("google", "janedoe@gmail.com")
    assert export() == [("remove", mailbox, "", "DENIED", "DENIED")]
    assert export() == []


def test_a_soft_opt_in_and_what_lacks_its_proof_are_never_named(export, house):
    """SO-02, PR-08: only a yes is a yes, whatever the purpose is called."""
    bring(house, sale(category=UPLOAD), sale(category=ADS))
    bring(house, *(consent(purpose=key, text="") for key in (UPLOAD, ADS)))

    assert export() == []
    assert house.rows(AudienceMember) == []


def test_a_yes_to_a_newsletter_never_becomes_one_to_a_platform(publish, database, now):
    """AD-01: with whom a key shares is fixed by its first publication."""
    tables = sharing_tables()
    publish(parse_campaign(tables))
    tables["purposes"][0] |= {"shares_with": "meta", "use": "upload"}
    del tables["purposes"][-1]["shares_with"], tables["purposes"][-1]["use"]

    with pytest.raises(FileError) as refused, database.transaction() as session:
        campaigns.save(
            session,
            parse_campaign(tables),
            vault=None,
            now=now,
            random=os.urandom,
        )

    number = len(tables["purposes"])
    assert [(f.place, f.rule) for f in refused.value.faults] == [
        ("purposes[1]", "AD-01"),
        (f"purposes[{number}]", "AD-01"),
    ]


def test_a_shop_that_never_asked_is_told_so(run, publish, tmp_path):
    publish()

    words = ("audience", "export", "--platform", "meta", "-o", tmp_path / "out.csv")
    code, said = run(*words, "--shop", "demo")
    assert code == 0
    assert "no campaign of demo asks whether it may share with meta" in said
    assert run(*words, "--shop", "nobody")[0] == 2
