"""How mails are written down and handed in."""

import socket
import threading
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy

import flask_mail
import pytest

from server.adapters import mailer
from server.adapters.mailer import (
    DeliveryError,
    Letter,
    Mailer,
    RefusedError,
    Server,
    UnreachableError,
)
from server.settings import SettingError
from tests.mail import Mode

LINK = "https://play.example.com/unsubscribe/" + "WzEsIjAxMjM0NTY3ODlhYmNkZWYi." * 5
LETTER = Letter(
    to="ada@home.test",
    sender_name="Noord & Zon",
    sender_email="hallo@noordenzon.example",
    subject="Je prijs: € 25",
    text="Gefeliciteerd, één keer\n" + "x" * 2_000 + "\n.\nFrom ons\n",
    html="<p>één</p>",
    message_id="<abc@service.test>",
    date=datetime(2026, 3, 2, 10, 30, tzinfo=UTC),
    locale="nl",
    unsubscribe_url=LINK,
)


def written(app, **changes):
    values = {name: getattr(LETTER, name) for name in Letter.__slots__}
    with app.app_context():
        return mailer.written(Letter(**(values | changes)))


def read(raw):
    return message_from_bytes(raw, policy=policy.default)


@pytest.fixture
def sender(smtp):
    made = Mailer(Server.from_url(smtp.url), greeting="service.test", seconds=5)
    yield made
    made.close()


def send(sender, body=b"Subject: x\r\n\r\nhello\r\n", to="ada@home.test"):
    return sender.send(body, sender="hallo@shop.test", to=to)


class TestWhatIsWritten:
    def test_headers_say_who_when_and_how_to_stop(self, app):
        message = read(written(app))

        assert message["From"] == "Noord & Zon <hallo@noordenzon.example>"
        assert message["To"] == "ada@home.test"
        assert message["Message-ID"] == "<abc@service.test>"
        assert message["Date"].datetime == LETTER.date
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Content-Language"] == "nl"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_a_long_link_stays_a_plain_address(self, app):
        """RFC 8058: an encoded word would not be read as an address (WD-02)."""
        assert f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode() in written(app)

    def test_every_line_is_short_plain_and_ends_as_smtp_wants(self, app):
        raw = written(app, subject="Één " * 60, sender_name='Één, "naam" (met) ' * 9)

        lines = raw.split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert all(b"\n" not in line and b"\r" not in line for line in lines)
        assert raw.isascii()
        assert read(raw)["From"].addresses[0].addr_spec == LETTER.sender_email

    def test_text_and_html_come_back_as_they_were(self, app):
        message = read(written(app))

        assert message.get_content_type() == "multipart/alternative"
        text = message.get_body(("plain",)).get_content()
        assert text.replace("\r\n", "\n") == LETTER.text
        assert message.get_body(("html",)).get_content().strip() == LETTER.html

    def test_the_same_letter_has_the_same_headers_on_every_try(self, app):
        first, second = read(written(app)), read(written(app))

        for name in ("Message-ID", "Date", "Subject", "To", "List-Unsubscribe"):
            assert first[name] == second[name]

    @pytest.mark.parametrize(
        "changes",
        [
            {"subject": "Prize\r\nBcc: all@home.test"},
            {"subject": "Prize\nBcc: all@home.test"},
            {"to": "ada@home.test\r\nBcc: all@home.test"},
            {"sender_name": "Shop\nBcc: all@home.test"},
        ],
    )
    def test_a_line_break_in_a_header_is_refused(self, app, changes):
        with pytest.raises(flask_mail.BadHeaderError):
            written(app, **changes)


class TestSettings:
    @pytest.mark.parametrize(
        "url", ["", "mail.test", "http://mail.test", "smtp://", "smtp://mail.test:0x"]
    )
    def test_an_address_that_cannot_be_read_gives_one_line(self, url):
        with pytest.raises(SettingError, match="JAWOORD_SMTP_URL"):
            Server.from_url(url)

    def test_user_password_and_port_are_read(self):
        server = Server.from_url("smtp+starttls://me%40x:p%2Fw@mail.test")

        assert (server.user, server.password) == ("me@x", "p/w")
        assert (server.host, server.port) == ("mail.test", 587)


class TestHandingIn:
    def test_the_answer_comes_back_and_the_line_is_kept(self, smtp, sender):
        for _ in range(3):
            assert send(sender).startswith("250")

        assert [mail.recipients for mail in smtp.taken] == [("ada@home.test",)] * 3
        assert smtp.taken[0].sender == "hallo@shop.test"

    @pytest.mark.parametrize(
        ("mode", "error"),
        [
            (Mode.LATER, DeliveryError),
            (Mode.NEVER, RefusedError),
            (Mode.DROP, UnreachableError),
        ],
    )
    def test_trouble_is_sorted_and_the_next_mail_goes(self, smtp, sender, mode, error):
        smtp.mode = mode
        with pytest.raises(DeliveryError) as trouble:
            send(sender)
        smtp.mode = Mode.OK

        assert type(trouble.value) is error
        assert send(sender).startswith("250")

    def test_a_server_that_is_away_is_not_the_mails_fault(self, smtp, sender):
        smtp.stop()

        with pytest.raises(UnreachableError):
            send(sender)

    def test_a_line_that_was_cut_while_idle_is_opened_again(self, smtp, sender):
        send(sender)
        smtp.stop()
        smtp.start()

        assert send(sender).startswith("250")
        assert len(smtp.taken) == 2

    def test_no_address_is_in_what_an_error_says(self, smtp, sender):
        """SAFETY.md T23: servers like to repeat the address they refuse."""
        smtp.by_recipient["ada@home.test"] = Mode.NEVER

        with pytest.raises(RefusedError) as trouble:
            send(sender)
        told = mailer._told(550, b"5.1.1 <ada@home.test>: no such user ada@home.test")

        assert "ada" not in str(trouble.value)
        assert told == "550 5.1.1 <(address)>: no such user (address)"

    @pytest.mark.parametrize(
        ("code", "answer", "error"),
        [
            (550, b"5.1.1 no such user", RefusedError),
            (554, b"mailbox closed", RefusedError),
            (550, b"5.7.1 relaying denied", DeliveryError),
            (452, b"4.2.2 mailbox full", DeliveryError),
            (421, b"4.3.2 closing", UnreachableError),
            (530, b"5.7.0 authenticate first", UnreachableError),
        ],
    )
    def test_only_a_refused_person_is_refused_for_good(
        self, sender, code, answer, error
    ):
        assert type(sender._sorted("RCPT", code, answer)) is error

    def test_a_server_that_hangs_costs_no_more_than_its_time(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            sender = Mailer(
                Server.from_url(f"smtp://127.0.0.1:{port}"), greeting="", seconds=0.3
            )

            with pytest.raises(UnreachableError):
                send(sender)

    def test_a_stop_does_not_wait_for_a_silent_server(self, smtp, sender):
        send(sender)
        threading.Timer(0.1, sender.cut).start()

        assert sender._timed().sock.recv(1) == b""

    def test_a_stop_does_not_wait_for_a_greeting(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
            sender = Mailer(Server.from_url(url), greeting="", seconds=15)
            threading.Timer(0.2, sender.cut).start()
            began = time.monotonic()

            with pytest.raises(UnreachableError):
                send(sender)

            assert time.monotonic() - began < 5
