"""The demo's inbox shows what was sent, and whatever a mail says stays harmless."""

import smtplib
from email.message import EmailMessage

import pytest

from server.adapters.sink import Sink
from server.views.demo import mails
from tests.servers import LOOPBACK, free_port

SCRIPT = "<script>alert(1)</script>"


def test_before_the_first_mail_it_says_what_to_do(pages):
    page = pages.get("/demo/inbox", headers={"Accept-Language": "en"})

    assert "Play first; your mail arrives here." in page.text


def test_it_shows_a_mail_that_came_over_smtp(pages, folder):
    port = free_port()
    sink = Sink(LOOPBACK, port, folder=folder)
    sink.start()
    mail = EmailMessage()
    mail["From"], mail["To"] = "hallo@noordenzon.example", "iris@example.com"
    mail["Subject"] = "Eén stap nog"
    mail.set_content("Bevestig hier: http://service.test/confirm/abc?x=1&y=2.")

    with smtplib.SMTP(LOOPBACK, port, timeout=5) as smtp:
        smtp.send_message(mail)
    sink.stop()
    inbox = pages.get("/demo/inbox")
    shown = pages.get(inbox.link("Eén stap nog"))

    assert "iris@example.com" in inbox.text
    assert shown.h1 == "Eén stap nog"
    assert shown.link("confirm") == "http://service.test/confirm/abc?x=1&y=2"


def test_the_newest_mail_stands_first(pages, keep):
    for number in range(3):
        keep(subject=f"Mail {number}")

    page = pages.get("/demo/inbox")

    subjects = [e.text for e in page.root.all("span", class_="mail-subject")]
    assert subjects == ["Mail 2", "Mail 1", "Mail 0"]


@pytest.mark.parametrize("part", ["", "html", "text", "headers", "<script>"])
def test_every_part_of_a_mail_is_a_page(pages, keep, part):
    name = keep(html="<p>Dag</p>")

    page = pages.get(f"/demo/inbox/{name}", query_string={"part": part})

    head = page.root.one("dl", class_="mail-head").text
    assert page.h1 == "Je prijs"
    for said in ("hallo@noordenzon.example", "iris@example.com", "02 Mar 2026"):
        assert said in head
    assert "<http://service.test/unsubscribe/abc>" in head


def test_the_headers_name_the_envelope(pages, keep):
    page = pages.get(f"/demo/inbox/{keep()}?part=headers")

    assert "X-Envelope-To" in page.text
    assert "bounce@noordenzon.example" in page.text


def test_the_html_is_framed_without_scripts(client, pages, keep):
    name = keep(html=f"<!doctype html><html><body>{SCRIPT}<a href='/x'>ja</a>")

    page = pages.get(f"/demo/inbox/{name}")
    frame = page.root.one("iframe").attrs
    framed = client.get(frame["src"])

    assert "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"]
    policy = page.response.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in policy
    assert "script-src" not in policy
    assert framed.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        f"frame-ancestors 'self'; sandbox {frame['sandbox']}"
    )
    # A sandbox of its own, so that opening the address alone is harmless too.
    assert framed.get_data(as_text=True).startswith(
        '<!doctype html><meta charset="utf-8"><base target="_top">'
    )


def test_a_hostile_mail_stays_text(pages, keep):
    name = keep(
        subject=f'{SCRIPT}" onload="x', text=f"{SCRIPT} <b>vet</b> {{{{7*191}}}}"
    )

    for page in (
        pages.get("/demo/inbox"),
        pages.get(f"/demo/inbox/{name}?part=text"),
        pages.get(f"/demo/inbox/{name}?part=headers"),
    ):
        assert page.root.all("script", "b", "style")[1:] == []  # the basket's count
        assert SCRIPT in page.text
        assert "1337" not in page.text


@pytest.mark.parametrize(
    "text",
    [
        'http://a.example/"onmouseover="x',
        "http://a.example/'><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
    ],
)
def test_only_web_addresses_become_links(pages, keep, text):
    page = pages.get(f"/demo/inbox/{keep(text=text)}?part=text")

    body = page.root.one("div", class_="mail-text")
    assert {link.attrs["href"] for link in body.all("a")} <= {"http://a.example/"}
    assert body.all("img", "script") == []


def test_pieces_are_the_text_again():
    text = "Zie (https://a.example/x?y=1&z=2), of http://b.example. Dag!\n"

    pieces = mails.pieces(text)

    assert "".join(piece for piece, _ in pieces) == text
    assert [piece for piece, is_address in pieces if is_address] == [
        "https://a.example/x?y=1&z=2",
        "http://b.example",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?b?////?=\r\n\r\nx",
        b"Content-Type: text/plain; charset=no-such\r\n\r\nhallo \xff",
        b"Content-Type: text/html; charset=no-such\r\n\r\n<p>hallo \xff",
        b"Content-Type: multipart/alternative\r\n\r\nno parts",
        b'To: <<>@,;\r\nFrom: "\r\nDate: never\r\nSubject: \r\n\r\nx',
        b"Content-Transfer-Encoding: base64\r\n\r\n%%%%",
        b"Subject: a\r\nSubject: b\r\nX-Many: 1\r\nX-Many: 2\r\n\r\nx",
    ],
)
def test_a_damaged_mail_is_still_shown(pages, client, keep, raw):
    name = keep(raw=raw or b"\r\n")

    pages.get("/demo/inbox")
    for part in ("", "html", "text", "headers"):
        pages.get(f"/demo/inbox/{name}?part={part}")

    assert client.get(f"/demo/inbox/{name}/html").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fsecret_keys",
        "..",
        "../secret_keys",
        "%2e%2e%2fsecret_keys",
        "/etc/passwd",
        "20260302T103000000-000000-0a1b2c3d.eml",
        "20260302T103000000-000000-0a1b2c3d%00",
        "20260302T103000000-000000-0a1b2c3d%0a",
        "20260302T103000000-000000-0a1b2c3d",
        "99999999T999999999-000000-0a1b2c3d",
        "٢٠260302T103000000-000000-0a1b2c3d",
    ],
)
@pytest.mark.parametrize("rest", ["", "/html"])
def test_a_name_that_no_mail_has_leads_nowhere(client, keep, folder, name, rest):
    keep()
    (folder / "99999999T999999999-000000-0a1b2c3d.eml").write_bytes(b"x")

    response = client.get(f"/demo/inbox/{name}{rest}")

    assert response.status_code in {404, 308}


def test_a_stranger_in_the_folder_is_not_listed(pages, keep, folder):
    keep(subject="Echt")
    (folder / "notes.eml").write_text("Subject: vreemd\n\nx")
    (folder / ".20260302T103000000-000000-0a1b2c3d.eml.part").write_text("half")

    page = pages.get("/demo/inbox")

    assert len(page.root.all("li", class_="mail-row")) == 1


def test_links_of_a_mail_open_in_the_whole_window(live, page, keep):
    keep(
        html=f'{SCRIPT}<img src="x" onerror="document.title = 1">'
        f'<a href="{live.url}/demo/how?lang=en">Yes</a>'
    )

    # The shop's pages come from another origin than the service.
    page.goto(live.url.replace("127.0.0.1", "localhost") + "/demo/inbox?lang=en")
    page.click(".mail-row a")
    page.frame_locator("iframe").get_by_role("link", name="Yes").click()
    page.wait_for_url(f"{live.url}/demo/how?lang=en")

    assert page.locator("h1").inner_text() == "About this demo"
