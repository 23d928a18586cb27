"""The test house itself: its servers are real, its pages are checked."""

import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
import redis
from playwright.sync_api import Page as Tab
from sqlalchemy import select, text

from server.models import Campaign, Contact, Entry, OptIn, Shop
from tests.factories import make
from tests.html import parse
from tests.mail import MailServer, Mode
from tests.pages import Form, Pages, faults
from tests.servers import Redis, Web

WHOLE = """<!doctype html><html lang="nl"><head><title>Dag - winkel</title></head>
<body><h1>Dag</h1>{}</body></html>"""


def letter() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@shop.test", "b@home.test", "Dag"
    mail.set_content("Hallo")
    return mail


def send(smtp: MailServer) -> None:
    with smtplib.SMTP("127.0.0.1", smtp.port, timeout=5) as connection:
        connection.send_message(letter())


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_starts_without_rows(database, now, run):
    with database.transaction() as session:
        make(session, Shop, now=now, code="a")

    with database.reading() as session:
        assert len(session.execute(select(Shop)).all()) == 1


def test_the_application_is_no_superuser(database):
    if database.is_sqlite:
        return
    with database.reading() as session:
        answer = session.execute(text("SELECT current_setting('is_superuser')"))

        assert answer.scalar_one() == "off"


def test_the_application_answers(pages):
    assert pages.get("/healthz").html == "ok\n"
    assert pages.get("/readyz").response.json == {"database": True, "disk": True}


def test_an_error_is_a_page_of_ours(pages):
    page = pages.get("/nowhere", status=404, headers={"Accept-Language": "en"})

    assert page.h1 == "This page is not here"


def test_the_service_runs_on_a_real_port(live: Web, page: Tab):
    answer = page.goto(f"{live.url}/healthz")

    assert answer is not None
    assert answer.status == 200


def test_mail_is_taken(smtp: MailServer):
    send(smtp)

    (taken,) = smtp.to("b@home.test")
    assert taken.sender == "a@shop.test"
    assert taken.message["Subject"] == "Dag"
    assert taken.text().strip() == "Hallo"


@pytest.mark.parametrize("mode", [Mode.LATER, Mode.NEVER])
def test_mail_is_refused(smtp: MailServer, mode: Mode):
    smtp.mode = mode

    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(smtp)

    assert str(refusal.value.smtp_code) == mode[:3]
    assert smtp.taken == []


def test_the_line_breaks_after_the_mail_was_taken(smtp: MailServer):
    smtp.mode = Mode.DROP

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send(smtp)

    assert len(smtp.taken) == 1


def test_a_stopped_mail_server_refuses_connections_and_comes_back(smtp: MailServer):
    smtp.stop()
    with pytest.raises(ConnectionRefusedError):
        send(smtp)

    smtp.start()
    send(smtp)

    assert len(smtp.taken) == 1


def test_redis_answers_and_can_go_away(redis_server: Redis):
    with redis.Redis.from_url(redis_server.url) as connection:
        assert connection.keys() == []
        connection.set("a", 1)
    redis_server.stop()

    with (
        redis.Redis.from_url(redis_server.url) as connection,
        pytest.raises(redis.ConnectionError),
    ):
        connection.ping()


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<h1>Two</h1>", "2 h1"),
        ('<p id="a"></p><p id="a"></p>', "more than once"),
        ('<form method="post"><button>Go</button></form>', "no action"),
        ('<form action="/x"><button>Go</button></form>', "no method"),
        ('<form action="/x" method="post"></form>', "no button"),
        ("<script>1</script>", "a script in the page"),
        ("<style>p{}</style>", "a style element"),
        ('<p style="color:red">', "'style'"),
        ('<p onclick="x()">', "'onclick'"),
        ('<p hx-on:click="x()">', "'hx-on:click'"),
        ('<a href="javascript:x()">x</a>', "a script in 'href'"),
        ('<label for="b">B</label>', "points nowhere"),
        ('<p aria-describedby="b">', "points nowhere"),
        ('<input name="b">', "no label"),
        ('<button><img src="x" alt=""></button>', "says nothing"),
        ('<img src="x">', "no alt"),
    ],
)
def test_a_faulty_page_is_refused(html, fault):
    assert faults(WHOLE.format("")) == []

    assert fault in "; ".join(faults(WHOLE.format(html)))


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        (WHOLE.format("").replace("Dag -", "Hoi -"), "does not start with"),
        (WHOLE.format("").replace(' lang="nl"', ""), "language"),
        ("<p id='a'></p><p id='b'></p>", "one root element"),
        ("<p></p>", "one root element"),
    ],
)
def test_a_faulty_frame_of_a_page_is_refused(html, fault):
    assert fault in "; ".join(faults(html))


def test_a_form_sends_what_a_browser_would_send():
    html = """<form action="/x" method="post"><input name="a" value="1">
    <input type="checkbox" name="b" value="yes"><input type="checkbox" name="c" checked>
    <textarea name="d">Dag &amp; hoi</textarea><button name="e">Go</button></form>"""
    (element,) = parse(html).all("form")

    assert Form(element).values == {"a": "1", "c": "on", "d": "Dag & hoi"}


def test_a_fault_names_the_page(client):
    with pytest.raises(AssertionError, match="/healthz answered 200, not 404"):
        Pages(client).get("/healthz", status=404)


def test_a_published_campaign_is_open_to_visitors(client, publish):
    campaign = publish()

    answer = client.get(f"/p/{campaign.placements[0].code}.json")

    assert answer.status_code == 200


def test_a_live_service_sees_what_a_test_publishes(live: Web, publish, page: Tab):
    campaign = publish(now=datetime.now(UTC))

    answer = page.request.get(f"{live.url}/p/{campaign.placements[0].code}.json")

    assert answer.status == 200


def test_a_family_of_rows_belongs_to_one_shop(session, now):
    shop = make(session, Shop, now=now)

    optin = make(session, OptIn, now=now, shop=shop, state="sent")

    contact = session.get(Contact, optin.contact_id)
    entry = session.get(Entry, optin.entry_id)
    assert contact.shop_id == shop.id
    assert session.get(Campaign, entry.campaign_id).shop_id == shop.id


def test_a_row_joins_the_family_it_is_given(session, now):
    contact = make(session, Contact, now=now)

    entry = make(session, Entry, now=now, contact=contact, state="claimed")

    assert entry.contact_id == contact.id
    assert session.get(Campaign, entry.campaign_id).shop_id == contact.shop_id
