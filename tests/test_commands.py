"""What goes wrong at a start: one line that says what to do, and no traceback."""

import socket

import pytest

from tests.commands import is_one_line
from tests.servers import LOOPBACK, free_port


def test_a_taken_port(start):
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        more = {
            "JAWOORD_BIND": f"{LOOPBACK}:{port}",
            "JAWOORD_DEMO_SHOP_URL": f"http://localhost:{port}",
        }
        answers = [start(command, **more) for command in ("serve", "demo")]

    for answer in answers:
        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert f"port {port} is taken" in answer.stderr
        assert "JAWOORD_BIND" in answer.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_start_without_tables(start, command, tmp_path):
    port = str(free_port())

    answer = start(
        command,
        JAWOORD_DATABASE_URL=f"sqlite:///{tmp_path}/empty.db",
        JAWOORD_BIND=f"{LOOPBACK}:{port}",
    )

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert "run: python -m server init" in answer.stderr


def test_a_folder_that_cannot_be_made(start, tmp_path):
    (tmp_path / "file").write_text("")

    answer = start("serve", JAWOORD_INSTANCE=str(tmp_path / "file" / "x"))

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert "JAWOORD_INSTANCE" in answer.stderr


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("serve", "JAWOORD_WEB_THREADS", "many"),
        ("serve", "JAWOORD_CLIENT_MAIL_LIMITS", "a few"),
        ("serve", "JAWOORD_PUBLIC_URL", "http://["),
        ("serve", "JAWOORD_PUBLIC_URL", "http://play.test:99999"),
        ("serve", "JAWOORD_PUBLIC_URL", "http://play.test?x"),
        ("serve", "JAWOORD_REDIS_URL", "http://redis.test"),
        ("serve", "JAWOORD_REDIS_URL", "redis://redis.test:99999"),
        ("worker", "JAWOORD_SMTP_URL", "mail.test"),
        ("worker", "JAWOORD_SMTP_URL", "smtp://["),
        ("worker", "JAWOORD_DATABASE_URL", "sqlite:////nowhere/of/ours.db"),
        ("init", "JAWOORD_DATABASE_URL", "sqlite:////nowhere/of/ours.db"),
        ("worker", "JAWOORD_LEASE_SECONDS", "0"),
        ("init", "JAWOORD_DATABASE_URL", "mysql://x"),
    ],
)
def test_a_setting_that_cannot_be_used(start, command, name, value):
    answer = start(command, **{name: value})

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert name in answer.stderr


def test_a_key_file_that_is_no_text(start, tmp_path):
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret_keys").write_bytes(b"\xff\xfe" * 40)

    answer = start("init")

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert "secret_keys" in answer.stderr


def test_a_database_without_tables(run, bare_database_url):
    answer = run("outbox", "list", JAWOORD_DATABASE_URL=bare_database_url)

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert "python -m server init" in answer.stderr


def test_the_doctor_names_what_is_not_well(run, smtp, environ):
    well = run("doctor")
    smtp.stop()
    unwell = run("doctor")

    assert well.exit_code == 0, well.stdout
    assert unwell.exit_code == 1
    assert "NOT   mail server: " in unwell.stdout
    assert "JAWOORD_SMTP_URL" in unwell.stdout


def test_init_makes_the_tables_and_may_be_repeated(run, bare_database_url):
    for _ in range(2):
        answer = run("init", JAWOORD_DATABASE_URL=bare_database_url)
        assert answer.exit_code == 0, answer.stderr
