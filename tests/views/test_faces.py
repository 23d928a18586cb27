"""What shops and visitors type is text, wherever it is shown (T3, T4, T5)."""

import re

import pytest

from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from server.worker import Worker
from tests.factories import campaign_file, campaign_tables, prize_table, shop_file
from tests.pages import faults
from tests.visits import AGREED, EMAIL, Card, take_card, ticket_in

# Each would print 1337 if anything took it for a template.
SUMS = [
    "{{7*191}}",
    "${7*191}",
    "#{7*191}",
    "<%= 7*191 %>",
    "{%print(7*191)%}",
    "%(7*191)s",
    "{7*191}",
    "*{7*191}",
    "{{ ''.__class__ }}",
    "{{config}}",
]
SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
]
MUG = prize_table(stock=None, code="MUG10")


def typed_everywhere(flow: str, text: str):
    """Return a campaign with this text in every field a shop can fill in freely."""
    long = {"heading": text[:160], "text": text}
    words = {"title": text, "intro": text, "play": text, "foil": text}
    words |= {"won": text, "lost": text}
    notice = {
        "recipients": text,
        "transfers": text,
        "retention": text,
        "profiling": text,
    }
    tables = campaign_tables("welcome-scratch", flow=flow, fallback="mug")
    mug = prize_table(stock=None, code="MUG10")
    mug["texts"] = {lang: {"label": text, "claim": text} for lang in ("nl", "en")}
    changes = {
        "prizes": [mug],
        "name": {"nl": text, "en": text},
        "texts": {"nl": words, "en": words},
        "notice": {"nl": notice, "en": notice},
        "terms": {"nl": [long], "en": [long]},
        "fields": [
            {
                "key": "first_name",
                "label": {"nl": text, "en": text},
                "why": {"nl": text, "en": text},
            }
        ],
        # The linter lets no brackets into these; scripts and sums without them pass.
        "purposes": [
            {
                **tables["purposes"][0],
                "texts": {
                    lang: dict.fromkeys(("title", "ask", "frequency", "stop"), plain)
                    for lang in ("nl", "en")
                    for plain in [re.sub(r"[{}\[\]]", "", text)]
                },
            }
        ],
    }
    return parse_campaign(tables | changes)


def shop_typed(text: str):
    person = {"name": text, "email": "hallo@noordenzon.example"}
    return shop_file(
        sender=person,
        legal__name=text,
        legal__address=text,
        legal__phone=text,
    ).model_copy(update={"name": text})


@pytest.fixture
def shown(publish, app, client, house, smtp):
    """Return every page and mail of a visit to a campaign full of a text."""

    def walk(text: str, flow: str) -> list[str]:
        publish(typed_everywhere(flow, text), shop=shop_typed(text))
        start = client.get("/w/welcome-inline?lang=en")
        card = Card("/w/welcome-inline/entries", ticket_in(start))
        answers = [
            start,
            client.get("/terms/welcome-inline?lang=en"),
            client.get("/w/welcome-inline?lang=nl"),
            card.send(client, AGREED | {"email": "wrong", "first_name": text}),
            card.send(client, {"adult": "no"}),
        ]
        if flow == "play-first":
            answers += [
                card.play(client),
                card.claim(client, more={"first_name": text}),
            ]
            answers.append(card.claim(client, consents=["newsletter"]))
        else:
            answers.append(card.enter(client, consents=["newsletter"]))
        answers.append(card.enter(client, "other@example.com"))
        answers += [
            client.get(house.link("confirm")),
            client.get("/done/renewed/demo/en"),
        ]
        answers.append(client.get(house.link("unsubscribe")))
        worker = Worker(app)
        worker.deliver()
        worker.close()
        for answer in answers:
            assert not faults(answer.text), faults(answer.text)
        mails = smtp.to(EMAIL)
        assert len(mails) == 2
        assert {mail.message["To"] for mail in mails} == {EMAIL}
        said = [form for mail in mails for form in (mail.text(), mail.text("html"))]
        return [answer.text for answer in answers] + said

    return walk


@pytest.mark.parametrize("flow", ["form-first", "play-first"])
@pytest.mark.parametrize("start", [0, 5])
def test_no_text_is_ever_a_template(shown, flow, start):
    """T5: nothing that shops or visitors type is computed, on any page or mail."""
    pages = shown(" ".join(SUMS[start : start + 5]), flow)

    for page in pages:
        assert "1337" not in page
        assert "SECRET_KEY" not in page and "class &#39;str&#39;" not in page


@pytest.mark.parametrize("flow", ["form-first", "play-first"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_no_text_is_ever_markup(shown, flow, script):
    """T3, T4, G9: what could be markup is escaped, and shown as it was typed."""
    pages = shown(script, flow)

    for page in pages:
        if page.lstrip().startswith("<"):
            assert "<script>alert" not in page and "<img" not in page
    assert any("alert(1)" in page for page in pages)


def test_an_address_that_looks_like_a_template_is_written_as_it_is(
    publish, client, house
):
    """T5: `{{7*191}}@example.com` is a mail address."""
    publish(campaign_file("welcome-scratch"))

    take_card(client).enter(client, "{{7*191}}@example.com", consents=["newsletter"])

    page = client.get(house.link("confirm", to="{{7*191}}@example.com")).text
    assert "1337" not in page and "{***@example.com" in page


def test_what_is_put_into_a_kept_page_is_escaped_too(publish, client):
    """T3: code and mailbox are filled in after the page was rendered."""
    publish(campaign_file("welcome-scratch", prizes=[MUG], fallback="mug"))

    said = take_card(client).enter(client, "&lt@example.com").text

    assert "&amp;***@example.com" in said


def test_a_shop_cannot_fill_in_our_own_marks(publish, client):
    """The page's own places cannot be typed: no control character passes the file."""
    for mark in ("\x01ticket\x01", "\x01nonce\x01", "\x01code\x01"):
        with pytest.raises(FileError):
            campaign_file("welcome-scratch", texts__en__title=mark)
        with pytest.raises(FileError):
            campaign_file("welcome-scratch", texts__en__intro=mark)
