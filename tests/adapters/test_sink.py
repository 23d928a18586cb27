"""The demo's mail server really listens, keeps mails whole, and ends when told."""

import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from server.adapters.sink import Mailbox, Sink

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def make_mail(subject: str = "Je prijs") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Noord & Zon <hallo@noordenzon.example>"
    mail["To"] = "Iris <iris@example.com>"
    mail["Subject"] = subject
    mail.set_content("Gefeliciteerd.\n.\nTot gauw, € 25\n")
    return mail


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.fixture
def sink(tmp_path):
    port = free_port()
    sink = Sink(HOST, port, folder=tmp_path / "mail", most=5)
    sink.start()
    yield port, tmp_path / "mail"
    sink.stop()


def test_it_keeps_a_mail_that_came_over_a_socket(sink):
    port, folder = sink

    with smtplib.SMTP(HOST, port, timeout=5) as smtp:
        smtp.send_message(make_mail(), to_addrs=["iris@example.com"])

    [kept] = files(folder)
    body = kept.read_bytes()
    assert kept.suffix == ".eml"
    assert b"X-Envelope-To: iris@example.com\r\n" in body
    assert b"Subject: Je prijs" in body


def test_the_envelope_stands_above_what_the_mail_claims(sink):
    port, folder = sink
    forged = make_mail()
    forged["X-Envelope-To"] = "someone-else@example.com"

    with smtplib.SMTP(HOST, port, timeout=5) as smtp:
        smtp.send_message(forged, from_addr="a@example.com", to_addrs=["b@example.com"])

    lines = files(folder)[0].read_text().splitlines()
    assert lines[:2] == [
        "X-Envelope-From: a@example.com",
        "X-Envelope-To: b@example.com",
    ]


def test_one_connection_can_bring_many_mails_and_only_the_newest_stay(sink):
    port, folder = sink

    with smtplib.SMTP(HOST, port, timeout=5) as smtp:
        for number in range(9):
            smtp.send_message(make_mail(f"Mail {number}"))

    texts = [path.read_text() for path in files(folder)]
    subjects = [text.split("Subject: ")[1].split("\n")[0] for text in texts]
    assert subjects == [f"Mail {number}" for number in range(4, 9)]


def test_a_mail_that_is_cut_off_is_not_kept(sink):
    port, folder = sink

    with socket.create_connection((HOST, port), timeout=5) as raw:
        for line in (
            b"EHLO x",
            b"MAIL FROM:<a@example.com>",
            b"RCPT TO:<b@example.com>",
            b"DATA",
        ):
            raw.recv(4096)
            raw.sendall(line + b"\r\n")
        raw.recv(4096)
        raw.sendall(b"Subject: half\r\n\r\nno dot at the end")

    with smtplib.SMTP(HOST, port, timeout=5) as smtp:
        assert smtp.noop()[0] == 250
    assert files(folder) == []


def test_it_counts_mails_of_an_earlier_run(tmp_path):
    for second in range(3):
        (tmp_path / f"20200101T00000{second}000-000000-0a1b2c3d.eml").touch()

    name = Mailbox(tmp_path, most=3).keep(b"new", sender="a", recipients=["b"])

    kept = files(tmp_path)
    assert len(kept) == 3
    assert kept[-1].name == name


def test_a_stopped_sink_frees_its_port(tmp_path):
    port = free_port()

    for _ in range(2):
        sink = Sink(HOST, port, folder=tmp_path)
        sink.start()
        sink.stop()

    with pytest.raises(OSError):
        socket.create_connection((HOST, port), timeout=1)


def test_a_taken_port_is_an_error_that_names_it(tmp_path):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()

        with pytest.raises(OSError, match="(?i)address already in use"):
            Sink(HOST, taken.getsockname()[1], folder=tmp_path).start()
