"""T24: whoever has the files of the database, and not its keys, reads about nobody."""

import base64
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from server.domain.rights import Right
from server.domain.seals import Own, SealError, Vault
from server.models import Attribute, ConsentEvent, Contact, Entry, Member
from server.services import envelopes, privacy
from server.services.contacts import Person
from server.services.office import rights
from tests.factories import make
from tests.pages import Form
from tests.people import contact_of
from tests.visits import sure_win, take_card

GAME, CODE = "lucky-scratch", "lucky-inline"


@pytest.fixture
def canary() -> str:
    """A word that is nowhere else: a cluster has seen other tests before."""
    letters = random.SystemRandom().choices(string.ascii_lowercase, k=14)
    return "kanarie" + "".join(letters)


@pytest.fixture
def files(
    database_kind: str, database_url: str, request: pytest.FixtureRequest
) -> Callable[[], Iterator[Path]]:
    """Return the files of the database, as they are on the disk now."""

    def of_sqlite() -> Iterator[Path]:
        path = Path(make_url(database_url).database or "")
        yield from path.parent.glob(f"{path.name}*")

    if database_kind == "sqlite":
        return of_sqlite
    return request.getfixturevalue("postgres").files


def spellings(word: str) -> set[bytes]:
    """Return the ways in which a file may say it without hiding it."""
    plain = word.encode()
    padded = (b"x" * shift + plain for shift in range(3))
    # Without the ends, which what stands beside it decides.
    in_base64 = {base64.b64encode(text)[4:-4] for text in padded}
    return {
        *(plain, plain.hex().encode(), plain[::-1]),
        *(word.encode(code) for code in ("utf-16-le", "utf-16-be")),
        *in_base64,
    }


def readable(files: Iterator[Path], word: str) -> list[tuple[str, bytes]]:
    """Return where a word can be read, and how it is spelled there."""
    wanted = spellings(word)
    return [
        (path.name, spelled)
        for path in files
        for body in [path.read_bytes().lower()]
        for spelled in wanted
        if spelled.lower() in body
    ]


@pytest.fixture
def known(publish, client, house, pages, canary) -> None:
    """Somebody who plays, claims, confirms, wishes, moves, and uses their rights."""
    fields = [
        field("first_name", "name", "Name"),
        field("remark", "text", "Remark"),
        field("likes", "text", "Likes", purpose="newsletter"),
    ]
    hidden = [{"key": "order", "from": "data:order"}]
    publish(sure_win(GAME, fields=fields, hidden=hidden))
    agent = {"User-Agent": f"Browser {canary}"}
    card = take_card(client, CODE, page=f"http://localhost:8401/{canary}/")
    card.play(client, more={"h.order": f"order {canary}"}, headers=agent)
    card.claim(
        client,
        f"{canary}@example.com",
        consents=["newsletter", "personal_offers"],
        more={
            "first_name": canary.title(),
            "remark": f"To {canary}, please",
            "likes": f"sea {canary}",
        },
        headers=agent,
    )
    house.press(client, house.link("confirm", to=f"{canary}@example.com"))
    mine = house.link("preferences", to=f"{canary}@example.com")
    pages.submit(pages.get(mine).form("/save"), status=303)
    pages.submit(pages.get(mine).form("/data"), status=200)
    page = pages.get(pages.get(mine).link("Correct my data"))
    (change,) = [
        form for form in page.root.all("form") if form.all("input", name="likes")
    ]
    pages.submit(Form(change), status=303, likes=f"lake {canary}")
    page = pages.get(pages.get(mine).link("Correct my address"))
    pages.submit(page.form("/address"), status=303, email=f"{canary}@new.example")


def field(key: str, kind: str, label: str, **more: str) -> dict[str, object]:
    words = {"nl": label, "en": label}
    return {"key": key, "kind": kind, "label": words, "why": words, **more}


def test_the_walk_leaves_everything_that_is_looked_for(known, house, canary):
    """Else nothing is found because nothing was there."""
    (contact,) = house.rows(Contact)
    with house.database.reading() as session:
        who = contact_of(session, f"{canary}@example.com", house.vault)
        evidence = [
            house.evidence(fact, who_email(canary)) for fact in house.rows(ConsentEvent)
        ]

    assert contact.id == who.id
    assert house.answers()["remark"] == f"To {canary}, please"
    assert house.answers()["first_name"] == canary.title()
    assert house.source() == {"order": f"order {canary}"}
    assert house.attributes()["likes"][1] == f"lake {canary}"
    assert any(canary in str(each.get("page")) for each in evidence)
    assert any(canary in str(each.get("user_agent")) for each in evidence)
    assert house.letters("rectify", to=f"{canary}@new.example")


def who_email(canary: str) -> str:
    return f"{canary}@example.com"


def test_nobody_is_read_about_in_the_files(known, house, canary, files):
    """`strings db | grep canary`: nothing, however it is spelled."""
    write_down(house, who_email(canary))

    assert readable(files(), canary) == []
    assert canary not in repr(house.dump()).lower()


def test_an_unclaimed_play_is_not_read_either(publish, client, house, canary, files):
    """Nobody is known yet, but an order is somebody's."""
    hidden = [{"key": "order", "from": "data:order"}]
    publish(sure_win(GAME, hidden=hidden))

    done = take_card(client, CODE).play(client, more={"h.order": canary})
    assert done.status_code == 200, done.text

    assert house.source() == {"order": canary}
    assert readable(files(), canary) == []


def test_the_search_finds_what_is_there(house, publish, files, canary):
    """Broken on purpose: a column that is in clear is seen."""
    publish(sure_win(code=canary))

    assert readable(files(), canary)


def write_down(house, email: str) -> None:
    """Let the office write down what was asked by phone."""
    now = house.clock.now()
    with house.database.transaction() as session:
        member = make(session, Member, now=now)
        shop_id = session.scalars(select(Contact.shop_id)).first()
        rights.write_down(
            session,
            shop_id,
            email,
            Right.ACCESS,
            member_id=member.id,
            came_at=now,
            tools=house.app.extensions["tools"],
            now=now,
        )


# --- where a field belongs ---------------------------------------------------------


@pytest.fixture
def two(publish, client, house) -> None:
    """Two people who told the same."""
    fields = [field("likes", "text", "Likes", purpose="newsletter")]
    publish(sure_win(fields=fields))
    for name in ("ann", "ben"):
        email = f"{name}@example.com"
        take_card(client).enter(
            client, email, consents=["newsletter"], more={"likes": "the sea"}
        )
        house.press(client, house.link("confirm", to=email))


def test_a_field_of_somebody_else_does_not_open(two, house):
    """T24: neither their address, nor their answers, nor what is known of them."""
    with house.database.transaction() as session:
        ann, ben = session.scalars(select(Contact).order_by(Contact.id))
        hers, his = session.scalars(select(Entry).order_by(Entry.id))
        of_ann, of_ben = session.scalars(
            select(Attribute).order_by(Attribute.contact_id)
        )
        ann.sealed_email = ben.sealed_email
        hers.sealed_answers = his.sealed_answers
        of_ann.sealed_value = of_ben.sealed_value
        session.flush()
        key = envelopes.key_of(ann, vault=house.vault)
        with pytest.raises(SealError):
            envelopes.email_of(ann, vault=house.vault)
        with pytest.raises(SealError):
            envelopes.answers_of(hers, Own(key))
        with pytest.raises(SealError):
            envelopes.value_of(of_ann, key, subject_ref=ann.subject_ref)


def test_a_field_in_another_column_or_row_of_its_own_person_does_not_open(two, house):
    with house.database.transaction() as session:
        ann = session.scalars(select(Contact).order_by(Contact.id)).first()
        entry = session.scalars(select(Entry).order_by(Entry.id)).first()
        fact = session.scalars(select(Attribute).order_by(Attribute.contact_id)).first()
        key = envelopes.key_of(ann, vault=house.vault)
        email, answers = ann.sealed_email, entry.sealed_answers
        entry.sealed_source = answers
        entry.sealed_answers = email
        ann.sealed_email = fact.sealed_value
        fact.key = "other"

        for opening in (
            lambda: envelopes.source_of(entry, Own(key)),
            lambda: envelopes.answers_of(entry, Own(key)),
            lambda: envelopes.email_of(ann, vault=house.vault),
            lambda: envelopes.value_of(fact, key, subject_ref=ann.subject_ref),
        ):
            with pytest.raises(SealError):
                opening()
        session.rollback()


def test_a_whole_person_in_anothers_row_does_not_open_what_they_told(two, house):
    """Keys can be moved only with who they are of; what they sealed stays behind."""
    with house.database.transaction() as session:
        ann, ben = session.scalars(select(Contact).order_by(Contact.id))
        ann.sealed_key = ben.sealed_key

        with pytest.raises(SealError):
            envelopes.key_of(ann, vault=house.vault)
        session.rollback()


# --- erasure -----------------------------------------------------------------------


def erase(house, who: Person) -> None:
    """Forget somebody."""
    with house.database.transaction() as session:
        privacy.erase(
            session,
            who,
            use=privacy.Use("en", "office", {}),
            tools=house.app.extensions["tools"],
            now=house.clock.now(),
        )


def test_after_erasure_nothing_opens_not_even_in_a_copy(known, house, canary):
    """GDPR 17: the key is gone, and whoever kept the rows has bytes."""
    who = house.person(who_email(canary))
    before = [*house.rows(Contact), *house.rows(Entry), *house.rows(Attribute)]
    erase(house, who)

    (contact,), (entry,) = house.rows(Contact), house.rows(Entry)
    assert (contact.sealed_key, contact.sealed_email) == (b"", b"")
    assert (entry.sealed_answers, entry.sealed_source) == (None, None)
    assert house.rows(Attribute) == []
    with pytest.raises(SealError):
        envelopes.key_of(contact, vault=house.vault)
    kept, told, fact = before
    # A copy of the fields is worth nothing without the row that held the key.
    for holder in (house.vault, Own(bytes(32))):
        with pytest.raises(SealError):
            envelopes.answers_of(told, holder)
    assert kept.sealed_email and fact.sealed_value
    assert Vault((bytes(32),)).hashed("x") != house.vault.hashed("x")


def test_what_was_erased_is_overwritten_in_the_file(known, house, canary, files):
    """SQLite would leave it in free pages, for whoever has the data keys as well."""
    if not house.database.is_sqlite:
        # PostgreSQL does so with VACUUM, as docs/settings.md says.
        return
    (before,) = house.rows(Contact)
    erase(house, house.person(who_email(canary)))
    with house.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    for path in files():
        body = path.read_bytes()
        assert before.sealed_key not in body
        assert before.sealed_email not in body
