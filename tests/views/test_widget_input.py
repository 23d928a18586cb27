"""Bad input: a clear page, the right status, their language, and nothing changed."""

from datetime import timedelta
from io import BytesIO

import pytest

from server.domain.entry import TICKET_LIFE
from server.domain.links import Salt, Signer
from server.models import Campaign, Contact, Entry
from tests.factories import campaign_file
from tests.html import parse
from tests.visits import AGREED, EMAIL, NOTICED, Card, at_once, sure_win, take_card

FORM = "application/x-www-form-urlencoded"
LANGUAGES = [("nl", "Deze pagina is vernieuwd"), ("en", "This page was renewed")]


@pytest.fixture(autouse=True)
def _published(publish):
    publish(campaign_file("lucky-scratch"))
    publish(campaign_file("welcome-scratch"))


def enter_with(client, ticket: str, **options):
    return Card("/w/welcome-inline/entries", ticket).enter(client, **options)


def tampered(ticket: str) -> list[str]:
    body, stamp, signature = ticket.rsplit(".", 2)
    return [
        "",
        "x",
        "a.b.c",
        ticket[:-1],
        ticket + "A",
        ticket[::-1],
        f"{body}.{stamp}.{signature[::-1]}",
        f"{body}.{stamp}",
        f"{body}AA.{stamp}.{signature}",
        f"{body}.{stamp}A.{signature}",
        f"{body}..{signature}",
        ticket.replace(".", "\n"),
        ticket + "\x00",
        "é" * 50,
        "x" * 40_000,
    ]


@pytest.mark.parametrize(("lang", "words"), LANGUAGES)
def test_a_tampered_ticket_is_renewed_and_nothing_is_lost(client, house, lang, words):
    """T12, G11: what was typed comes back with a ticket that works."""
    ticket = take_card(client).ticket
    before = house.dump()

    for changed in tampered(ticket):
        answer = enter_with(
            client,
            changed,
            consents=["newsletter"],
            headers={"Accept-Language": lang},
        )
        assert answer.status_code == 422
        assert words in answer.text
        assert f'value="{EMAIL}"' in answer.text

    assert house.dump() == before
    form = parse(answer.text).one("form", id="play")
    ticked = [box.attrs["name"] for box in form.all("input", checked="")]
    assert "consent.newsletter" in ticked
    assert "consent.personal_offers" not in ticked


def test_a_renewed_form_can_simply_be_sent(pages, house):
    refused = pages.post(
        "/w/welcome-inline/entries",
        status=422,
        data=AGREED | {"email": EMAIL, "ticket": "stale"},
    )

    pages.submit(refused.form("/entries"))

    assert len(house.rows(Entry)) == 1


def test_an_old_ticket_is_renewed(client, house, clock):
    """T12: a page that lay open for half a day."""
    card = take_card(client)
    clock.advance(TICKET_LIFE + timedelta(seconds=1))

    assert card.enter(client).status_code == 422
    assert house.rows(Entry) == []


def test_a_ticket_of_another_placement_does_not_fit(client, house):
    """T12: neither one of another campaign nor one of this campaign's other place."""
    for code in ("lucky-inline", "welcome-dialog"):
        ticket = take_card(client, code).ticket
        assert enter_with(client, ticket).status_code == 422

    assert house.rows(Entry) == []


def test_a_ticket_of_another_shop_does_not_fit(client, house, publish):
    """T1, T12."""
    publish(
        sure_win(
            shop="other",
            code="others",
            placements=[{"code": "others", "shape": "inline"}],
        )
    )

    answer = enter_with(client, take_card(client, "others").ticket)

    assert answer.status_code == 422
    assert house.rows(Entry) == []


def test_a_token_for_something_else_is_no_ticket(client, house, app, now):
    """T12, DO-04: other salt, other key, another payload of our own."""
    signer = app.extensions["signer"]
    payload = signer.read(
        Salt.TICKET, take_card(client).ticket, now=now, lasts=TICKET_LIFE
    )
    foreign = Signer(("another key of at least 32 letters",))
    tokens = [
        signer.sign(salt, payload, now=now) for salt in Salt if salt != "ticket.v1"
    ]
    tokens.append(foreign.sign(Salt.TICKET, payload, now=now))
    for wrong in (None, [], "x", 7, {}, payload[:-1], [*payload, 1], ["zz" * 16]):
        tokens.append(signer.sign(Salt.TICKET, wrong, now=now))

    for token in tokens:
        assert enter_with(client, token).status_code == 422
    assert house.rows(Entry) == []


def test_a_ticket_outlives_a_rotation_of_keys_but_not_the_removal(
    client, house_with, app
):
    """T26: old key kept -> fine; old key gone -> renewed."""
    old = app.extensions["tools"] and app.config["SETTINGS"].secret_keys[0]
    card = take_card(client)
    new = "a new key that has at least 32 letters"

    for keys, status in ((new, 422), (f"{old},{new}", 200)):
        rotated = house_with(SECRET_KEYS=keys)
        assert card.enter(rotated.app.test_client()).status_code == status


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_ten_megabytes_are_too_much(client, house, lang):
    """T21: answered at once, in the visitor's language."""
    words = {"nl": "Dat was te veel in één keer", "en": "That was too much at once"}
    before = house.dump()

    for kind in (FORM, "multipart/form-data; boundary=x", "application/json"):
        answer = client.post(
            "/w/welcome-inline/entries",
            data=b"email=" + b"x" * 10_000_000,
            content_type=kind,
            headers={"Accept-Language": lang},
        )
        assert answer.status_code == 413
        assert words[lang] in answer.text

    assert house.dump() == before


def test_ten_thousand_fields_are_too_much(client, house):
    """T21, T2: in both encodings; none of them is answered with a crash."""
    card = take_card(client)
    before = house.dump()
    many = {f"f{number}": "" for number in range(10_000)}
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n\r\n'
    few = "".join(part.format(number) for number in range(900)) + "--x--"

    pairs = card.enter(client, more=many)
    parts = client.post(
        card.action, data=few, content_type="multipart/form-data; boundary=x"
    )

    assert parts.status_code == pairs.status_code == 413
    assert house.dump() == before


def test_unknown_fields_are_ignored(client, house):
    """T2: nobody sets what the form does not ask."""
    wish = {"shop_id": "9", "state": "claimed", "contact_id": "1", "is_win": "yes"}
    wish |= {"role": "owner", "__proto__": "x", "answers": "{}", "locale": "de"}

    answer = take_card(client).enter(client, more=wish)

    (entry,) = house.rows(Entry)
    assert answer.status_code == 200
    assert house.answers() == {} and entry.locale == "en"


def test_other_kinds_of_bodies_are_asked_again(client, house):
    """Wrong types: JSON, XML, files and nonsense where a form belongs."""
    card = take_card(client)
    sent = [
        {"json": {"ticket": card.ticket, "email": EMAIL} | AGREED},
        {"data": b"\xff\xfe\x00nonsense", "content_type": "text/plain"},
        {"data": b"<a/>", "content_type": "application/xml"},
        {"data": b"%ff%fe=%zz&&&==", "content_type": FORM},
        {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"", "content_type": "multipart/form-data"},
        {"data": {"ticket": card.ticket, "email": (BytesIO(b"a@b.nl"), "a.txt")}},
    ]

    for options in sent:
        answer = client.post("/w/welcome-inline/entries", **options)
        assert answer.status_code in {400, 422}, options

    assert house.rows(Entry) == []


NOT_ADDRESSES = [
    "iris",
    "@",
    "iris@",
    "@example.com",
    "iris@localhost",
    "iris@example",
    "iris@@example.com",
    "iris@exa mple.com",
    "iris@example..com",
    ".iris@example.com",
    "iris.@example.com",
    "iris@-example.com",
    "iris@[127.0.0.1]",
    "iris@127.0.0.1",
    '"iris"@example.com',
    "Iris <iris@example.com>",
    "iris@example.com, bram@example.com",
    "iris@example.com;bram@example.com",
    "iris@example.com\r\nBcc: bram@example.com",
    "iris@example.com\nBcc: bram@example.com",
    "iris\r\nBcc:bram@example.com",
    "iris%0d%0aBcc:bram@example.com",
    "iris@example.com\x00",
    "\x00iris@example.com",
    "iris(comment)@example.com",
    "ïris@example.com",
    "iris\u202e@example.com",
    "iris\u200b@example.com",
    "ｉris@example.com",
    "a" * 65 + "@example.com",
    "iris@" + "a" * 64 + ".com",
    "iris@" + "a." * 130 + "com",
    "javascript:alert(1)",
    "<script>alert(1)</script>@example.com",
]
# One is at the end a line feed that a browser's field could never hold.
TRIMMED = {"iris@example.com\x00", "\x00iris@example.com"}


@pytest.mark.parametrize("email", NOT_ADDRESSES)
def test_what_is_no_address_is_said_at_the_field(client, house, email):
    """AB-06, T6: one plain address, and never a second recipient."""
    answer = take_card(client).enter(client, email)

    if email in TRIMMED:
        assert house.emails()[0] == EMAIL
        return
    page = parse(answer.text)
    assert answer.status_code == 422
    assert "does not look like a mail address" in page.by_id("fault-email").text
    assert page.by_id("field-email").attrs["aria-invalid"] == "true"
    assert house.rows(Contact) == []


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" iris@example.com ", "iris@example.com"),
        ("Iris@Example.COM", "Iris@example.com"),
        ("iris+shop@example.com", "iris+shop@example.com"),
        ("i.r-i_s@example.museum", "i.r-i_s@example.museum"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("iris@münchen.example.com", "iris@xn--mnchen-3ya.example.com"),
        ("iris@例え.jp", "iris@xn--r8jz45g.jp"),
        ("{{7*191}}@example.com", "{{7*191}}@example.com"),
    ],
)
def test_an_unusual_address_is_written_to_as_it_must_be(client, house, typed, stored):
    """AB-06: `+tag` is fine; an international host is stored as it is looked up."""
    answer = take_card(client).enter(client, typed, consents=["newsletter"])

    assert answer.status_code == 200
    assert house.emails()[0] == stored
    assert {letter.to for letter in house.letters()} == {stored}


@pytest.mark.parametrize(
    "name",
    [
        "Visit http://evil.example",
        "www.evil.example",
        "Win 1000 now",
        "Iris\r\nBcc: bram@example.com",
        "x" * 41,
        "<b>Iris</b>",
        "{{7*191}}",
    ],
)
def test_a_name_that_could_be_an_advertisement_is_refused(client, house, name):
    """AB-06, T16: our mail would carry it to a stranger."""
    answer = take_card(client).enter(client, more={"first_name": name})

    assert answer.status_code == 422
    assert 'id="fault-first_name"' in answer.text
    assert house.rows(Entry) == []


@pytest.mark.parametrize("name", ["Iris", "Anne-Marie", "D'Arcy", "Zoë", "محمد", "李"])
def test_a_name_in_any_script_is_a_name(client, house, name):
    assert take_card(client).enter(client, more={"first_name": name}).status_code == 200
    assert house.answers() == {"first_name": name}


@pytest.mark.parametrize(
    ("lang", "state", "status", "words"),
    [
        ("nl", "paused", 403, "Dit spel staat even stil"),
        ("en", "paused", 403, "This game is paused"),
        ("nl", "closed", 410, "Dit spel is voorbij"),
        ("en", "closed", 410, "This game is over"),
        ("nl", "draft", 404, "Deze pagina bestaat niet"),
        ("en", "draft", 404, "This page is not here"),
    ],
)
def test_a_game_that_is_not_open_says_so(
    pages, client, house, lang, state, status, words
):
    """In the visitor's language, on every address of it, and nothing is stored."""
    card = take_card(client)
    house.clock.advance(NOTICED)
    with house.database.transaction() as session:
        for row in house.rows(Campaign):
            session.merge(row).state = state
    before = house.dump()
    asked = {"headers": {"Accept-Language": lang}}

    shown = pages.get("/w/welcome-inline", status=status, **asked)
    sent = pages.post(
        card.action,
        status=status,
        data=AGREED | {"email": EMAIL, "ticket": card.ticket},
        headers={"Accept-Language": lang},
    )

    assert words in shown.text
    # Whose game it is stays said; of a draft nothing is known.
    assert ("Noord & Zon" in shown.text) is (state != "draft")
    if state == "draft":
        assert words in sent.text
    assert client.get("/p/welcome-inline.json").status_code == 404
    assert house.dump() == before


def test_a_game_before_its_first_and_after_its_last_day(publish, client, house, now):
    publish(
        sure_win(
            code="later",
            days=None,
            starts=now + timedelta(days=2),
            ends=now + timedelta(days=4),
            placements=[{"code": "later", "shape": "inline"}],
        )
    )
    early = client.get("/w/later?lang=en")
    house.clock.advance(timedelta(days=2))
    card = take_card(client, "later")
    house.clock.advance(timedelta(days=2))
    late = client.get("/w/later?lang=en")
    too_late = card.enter(client)

    assert (early.status_code, late.status_code) == (403, 410)
    assert "has not started yet" in early.text and "is over" in late.text
    assert too_late.status_code in {410, 422}
    assert house.rows(Entry) == []


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize(
    "path",
    ["/w/nowhere", "/terms/nowhere", "/p/nowhere.json", "/w/%00", "/w/" + "x" * 999],
)
def test_an_unknown_game_is_not_here(pages, path, lang):
    words = {"nl": "Deze pagina bestaat niet", "en": "This page is not here"}

    page = pages.get(path, status=404, headers={"Accept-Language": lang})

    assert page.h1 == words[lang]


def test_a_retired_place_is_not_here(publish, client, house):
    file = campaign_file("welcome-scratch")
    house.clock.advance(NOTICED)
    publish(file.model_copy(update={"placements": file.placements[:1]}))

    assert client.get("/w/welcome-inline").status_code == 404
    assert client.get("/w/welcome-dialog").status_code == 200


def test_a_host_page_with_a_strange_address_can_still_play(client, house):
    """The loader's `page` is anybody's to change; at worst it is not kept."""
    site = "http://localhost:8401"
    for page in (
        site + "/" + "日" * 500,
        site + "/\x00\x01",
        site + "/%00",
        "javascript:alert(1)",
        "http://[::1",
        "x" * 5_000,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ):
        card = take_card(client, page=page)
        assert card.enter(client, consents=["newsletter"]).status_code == 200, page


def test_only_a_post_enters(client, house):
    """Safe methods and the others: 405, with the allowed ones named."""
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = client.open("/w/welcome-inline/entries", method=method)
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


def test_a_storm_of_nonsense_is_never_a_crash(app, client, house):
    """I7: no answer of 500 and above."""
    card = take_card(client)
    odd = ["\x00", "\ud7ff", "'\"<>&", "%s%n", "../../etc/passwd", "0" * 5_000, "‮"]
    fields = ["email", "first_name", "consent.newsletter", "seed", "adult", "terms"]

    def send(field: str, value: str) -> int:
        return card.enter(app.test_client(), more={field: value}).status_code

    statuses = at_once(
        [lambda f=f, v=v: send(f, v) for f in fields for v in odd], threads=4
    )

    assert set(statuses) <= {200, 409, 413, 422}
