"""The commands, as an operator runs them: processes, their words and their codes."""

import os
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from server.domain.campaign import parse_campaign
from server.models import Campaign, Image, Member, Membership, Outbox
from server.settings import MAIL_SERVER
from tests.factories import CAMPAIGNS
from tests.letters import publish, queue
from tests.pictures import bomb, picture
from tests.servers import LOOPBACK, ROOT, Program, free_port

SHOP = CAMPAIGNS / "demo-shop.toml"
LUCKY = CAMPAIGNS / "lucky-scratch.toml"
COMMAND = [sys.executable, "-m", "server"]


@pytest.fixture
def start(tmp_path):
    """Run a command to its end as a process, on SQLite, with the ports it is given."""

    def start(*command, **more):
        done = subprocess.run(
            [*COMMAND, *command],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "JAWOORD_INSTANCE": str(tmp_path / "instance"),
                "JAWOORD_BIND": f"{LOOPBACK}:{free_port()}",
                **more,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return start


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@dataclass
class Answer:
    """How a command ended and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def with_pictures(folder, **named):
    """Return a campaign's file whose theme names these pictures beside it."""
    (folder / "pictures").mkdir(parents=True)
    lines = ""
    for name, body in named.items():
        (folder / "pictures" / f"{name}.png").write_bytes(body)
        lines += f'{name} = "pictures/{name}.png"\n'
    file = folder / "campaign.toml"
    file.write_text(LUCKY.read_text().replace("[theme]\n", f"[theme]\n{lines}"))
    return file


def count(database, model):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def is_one_line(answer):
    return answer.stdout == "" and answer.stderr.count("\n") == 1


class TestFiles:
    def test_what_is_exported_reads_back_to_the_same(self, run, database, tmp_path):
        assert run("shop", "import", SHOP).exit_code == 0
        assert run("campaign", "import", LUCKY).exit_code == 0

        exported = run("campaign", "export", "lucky-scratch").stdout
        again = tmp_path / "again.toml"
        again.write_text(exported)

        assert parse_campaign(tomllib.loads(exported)) == parse_campaign(
            tomllib.loads(LUCKY.read_text())
        )
        answer = run("campaign", "import", again)
        assert answer.stdout == "lucky-scratch: unchanged, version 1\n"
        shop = run("shop", "export", "demo").stdout
        again.write_text(shop)
        assert run("shop", "import", again).stdout == "demo: unchanged\n"

    def test_every_fault_is_listed_by_its_place_and_nothing_is_stored(
        self, run, database, tmp_path
    ):
        run("shop", "import", SHOP)
        broken = tmp_path / "broken.toml"
        text = LUCKY.read_text()
        text = text.replace("weight = 30", "weight = -1")
        text = text.replace('accent = "#e8590c"', 'accent = "tangerine"')
        broken.write_text(text)

        answer = run("campaign", "import", broken)

        assert answer.exit_code == 1
        lines = answer.stderr.splitlines()
        assert len(lines) == 2
        assert all(line.startswith(f"{broken}: ") for line in lines)
        assert any(": theme.accent: " in line for line in lines)
        assert any(": prizes[2].weight: " in line for line in lines)
        assert count(database, Campaign) == 0

    def test_what_the_law_refuses_is_listed_by_rule(self, run, database, tmp_path):
        run("shop", "import", SHOP)
        broken = tmp_path / "broken.toml"
        text = LUCKY.read_text().replace('shop = "demo"', 'shop = "nix"')
        broken.write_text(text.replace('title = "Nieuwsbrief"', 'title = "TODO"'))

        answer = run("campaign", "import", broken)

        assert answer.exit_code == 1
        assert f"{broken}: shop: there is no shop 'nix' (form)" in answer.stderr
        assert "(L-11)" in answer.stderr
        assert count(database, Campaign) == 0

    def test_a_file_that_is_no_toml_names_the_line(self, run, tmp_path):
        broken = tmp_path / "broken.toml"
        broken.write_text("format = 1\ncode = \n")

        answer = run("campaign", "import", broken)

        assert answer.exit_code == 1
        assert is_one_line(answer)
        assert f"{broken}: line 2, column" in answer.stderr

    def test_a_file_nested_without_end_is_refused(self, run, tmp_path):
        broken = tmp_path / "broken.toml"
        broken.write_text("code = " + "[" * 5_000 + "]" * 5_000)

        answer = run("campaign", "import", broken)

        assert answer.exit_code == 1
        assert is_one_line(answer)
        assert "nested too deeply" in answer.stderr

    def test_a_mark_of_the_encoding_is_no_fault(self, run, database, tmp_path):
        """Editors on Windows write one."""
        marked = tmp_path / "marked.toml"
        marked.write_text(SHOP.read_text(), encoding="utf-8-sig")

        assert run("shop", "import", marked).stdout == "demo: stored\n"

    def test_a_file_that_is_not_there_gives_one_line(self, run, tmp_path):
        answer = run("shop", "import", tmp_path / "nix.toml")

        assert answer.exit_code == 2
        assert is_one_line(answer)

    def test_pictures_come_in_and_go_out_with_their_file(self, run, database, tmp_path):
        """A picture is named by a path beside the file, and kept as we made it."""
        run("shop", "import", SHOP)
        file = with_pictures(tmp_path, logo=picture("PNG"), foil_image=picture("JPEG"))

        answer = run("campaign", "import", file)

        assert answer.stdout == "lucky-scratch: version 1 stored\n", answer.stderr
        assert count(database, Image) == 2
        again = run("campaign", "import", file)
        assert again.stdout == "lucky-scratch: unchanged, version 1\n"
        out = tmp_path / "out"
        written = run("campaign", "export", "lucky-scratch", "--to", out)
        assert written.stdout.splitlines()[0] == str(out / "lucky-scratch.toml")
        assert len(list(out.glob("*.webp"))) == 2
        back = run("campaign", "import", out / "lucky-scratch.toml")
        assert back.stdout == "lucky-scratch: unchanged, version 1\n"
        plain = tmp_path / "plain.toml"
        plain.write_text(run("campaign", "export", "lucky-scratch").stdout)
        assert run("campaign", "import", plain).stdout == back.stdout

    def test_a_campaign_moves_to_another_house_with_its_pictures(
        self, run, start, database, tmp_path
    ):
        run("shop", "import", SHOP)
        file = with_pictures(tmp_path, logo=picture("PNG"))
        run("campaign", "import", file)
        out = tmp_path / "out"
        run("campaign", "export", "lucky-scratch", "--to", out)

        for command in (["init"], ["shop", "import", str(SHOP)]):
            assert start(*command).exit_code == 0
        answer = start("campaign", "import", str(out / "lucky-scratch.toml"))

        assert answer.stdout == "lucky-scratch: version 1 stored\n", answer.stderr

    def test_a_bad_picture_is_named_by_its_place_and_nothing_is_stored(
        self, run, database, tmp_path
    ):
        """T20: together with all else that is wrong with the file."""
        run("shop", "import", SHOP)
        file = with_pictures(tmp_path, logo=bomb(5_001), foil_image=picture("PNG"))
        file.write_text(
            file.read_text().replace('title = "Nieuwsbrief"', 'title = "TODO"')
        )

        answer = run("campaign", "import", file)

        assert answer.exit_code == 1
        first, second = answer.stderr.splitlines()
        assert first.startswith(
            f"{file}: theme.logo: 'pictures/logo.png' has more than"
        )
        assert first.endswith("(T20)") and second.endswith("(L-11)")
        assert count(database, Image) == count(database, Campaign) == 0

    @pytest.mark.parametrize("way", ["not there", "a link out", "a folder"])
    def test_a_picture_is_looked_for_beside_its_file_only(self, run, tmp_path, way):
        run("shop", "import", SHOP)
        (tmp_path / "elsewhere.png").write_bytes(picture("PNG"))
        house = tmp_path / "house"
        file = with_pictures(house, logo=b"")
        path = house / "pictures" / "logo.png"
        path.unlink()
        if way == "a link out":
            path.symlink_to(tmp_path / "elsewhere.png")
        elif way == "a folder":
            path.mkdir()

        answer = run("campaign", "import", file)

        assert answer.exit_code == 1
        assert is_one_line(answer)
        assert ": theme.logo: " in answer.stderr

    def test_a_shop_has_a_logo_of_its_own(self, run, database, tmp_path):
        (tmp_path / "logo.png").write_bytes(picture("PNG"))
        file = tmp_path / "shop.toml"
        text = SHOP.read_text()
        file.write_text(
            text.replace('language = "nl"', 'language = "nl"\nlogo = "logo.png"')
        )

        assert run("shop", "import", file).stdout == "demo: stored\n"
        assert run("shop", "import", file).stdout == "demo: unchanged\n"

        out = tmp_path / "out"
        run("shop", "export", "demo", "--to", out)
        assert run("shop", "import", out / "demo.toml").stdout == "demo: unchanged\n"
        (tmp_path / "logo.png").write_bytes(b"<svg/>")
        answer = run("shop", "import", file)
        assert answer.exit_code == 1
        assert f"{file}: logo: 'logo.png' is not a PNG" in answer.stderr

    def test_a_draft_is_not_published(self, run, database):
        run("shop", "import", SHOP)

        run("campaign", "import", LUCKY, "--draft")

        with database.reading() as session:
            assert session.scalars(select(Campaign.state)).all() == ["draft"]


class TestPeople:
    def test_a_member_is_added_with_a_password_from_stdin(self, run, database):
        run("shop", "import", SHOP)
        who = [
            "--email",
            "olga@noordenzon.example",
            "--name",
            "Olga",
            "--role",
            "viewer",
        ]

        answer = run(
            *("member", "add", *who, "--shop", "demo", "--password-stdin"),
            given="a long enough password\n",
        )

        assert answer.exit_code == 0, answer.stderr
        with database.reading() as session:
            assert session.scalars(select(Member.email)).all() == [
                "olga@noordenzon.example"
            ]
            assert session.scalars(select(Membership.role)).all() == ["viewer"]

    def test_who_has_an_account_is_said_to_keep_its_password(self, run, tmp_path):
        """Else an operator hands out the one just typed, and it opens nothing."""
        other = tmp_path / "other.toml"
        other.write_text(SHOP.read_text().replace('code = "demo"', 'code = "other"'))
        run("shop", "import", SHOP)
        run("shop", "import", other)
        who = ["--email", "olga@noordenzon.example", "--name", "Olga"]

        answers = [
            run(
                *("member", "add", *who, "--role", "owner", "--shop", shop),
                "--password-stdin",
                given="a long enough password\n",
            ).stdout
            for shop in ("demo", "other")
        ]

        assert answers == [
            "Olga is owner of demo.\n",
            "Olga is owner of other. They sign in with the password they had.\n",
        ]

    @pytest.mark.parametrize("name", ["", "  ", "Ol\nga", "Ol\x1b[2Jga", "x" * 161])
    def test_a_name_that_is_none_gives_one_line(self, run, database, name):
        run("shop", "import", SHOP)

        answer = run(
            *("member", "add", "--email", "olga@noordenzon.example", "--name", name),
            *("--shop", "demo", "--role", "owner", "--password-stdin"),
            given="a long enough password\n",
        )

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert "name" in answer.stderr
        assert count(database, Member) == 0

    @pytest.mark.parametrize(
        ("email", "shop", "password"),
        [
            ("olga@noordenzon.example", "nix", "a long enough password"),
            ("olga", "demo", "a long enough password"),
            ("olga@noordenzon.example", "demo", "short"),
        ],
    )
    def test_one_that_cannot_be_added_gives_one_line(
        self, run, database, email, shop, password
    ):
        run("shop", "import", SHOP)

        answer = run(
            *("member", "add", "--email", email, "--name", "Olga", "--shop", shop),
            *("--role", "owner", "--password-stdin"),
            given=password + "\n",
        )

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert count(database, Member) == 0


class TestOutbox:
    @pytest.fixture
    def dead(self, database, tools, now):
        with database.transaction() as session:
            publish(session, tools=tools, now=now)
            queue(session, "prize", tools=tools, now=now)
            row = session.query(Outbox).one()
            row.state = "dead"
            return row.id

    def test_mails_are_listed_without_what_they_say(self, run, dead):
        answer = run("outbox", "list", "--state", "dead")

        assert str(dead) in answer.stdout
        assert "prize" in answer.stdout
        assert "ada" not in answer.stdout

    def test_a_mail_that_is_held_back_says_when_it_is_due(self, run, dead, database):
        with database.transaction() as session:
            mail = session.get_one(Outbox, dead)
            mail.created_at = mail.due_at = datetime(2099, 1, 2, 3, tzinfo=UTC)

        assert "due 2099-01-02 03:00:00" in run("outbox", "list").stdout

    def test_dead_letters_are_tried_again(self, run, dead, database):
        assert run("outbox", "retry", dead).stdout == "1 to be tried again\n"
        assert run("outbox", "retry", dead).exit_code == 2
        assert run("outbox", "retry", "--all-dead").stdout == "0 to be tried again\n"
        with database.reading() as session:
            assert session.scalars(select(Outbox.state)).all() == ["waiting"]

    def test_it_asks_which(self, run, dead):
        assert run("outbox", "retry").exit_code == 2

    def test_an_id_that_no_row_can_have_is_refused(self, run, dead):
        answer = run("outbox", "retry", "9" * 23)

        assert answer.exit_code == 2
        assert "Traceback" not in answer.stderr


class TestTrouble:
    """Each is one line that says what to do, and no traceback."""

    def test_a_taken_port(self, start):
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
    def test_a_start_without_tables(self, start, command, tmp_path):
        port = str(free_port())

        answer = start(
            command,
            JAWOORD_DATABASE_URL=f"sqlite:///{tmp_path}/empty.db",
            JAWOORD_BIND=f"{LOOPBACK}:{port}",
        )

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert "run: python -m server init" in answer.stderr

    def test_a_folder_that_cannot_be_made(self, start, tmp_path):
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
    def test_a_setting_that_cannot_be_used(self, start, command, name, value):
        answer = start(command, **{name: value})

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert name in answer.stderr

    def test_a_key_file_that_is_no_text(self, start, tmp_path):
        (tmp_path / "instance").mkdir()
        (tmp_path / "instance" / "secret_keys").write_bytes(b"\xff\xfe" * 40)

        answer = start("init")

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert "secret_keys" in answer.stderr

    def test_a_database_without_tables(self, run, bare_database_url):
        answer = run("outbox", "list", JAWOORD_DATABASE_URL=bare_database_url)

        assert answer.exit_code == 2
        assert is_one_line(answer)
        assert "python -m server init" in answer.stderr

    def test_the_doctor_names_what_is_not_well(self, run, smtp, environ):
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


class TestTheDemo:
    @pytest.fixture
    def demo(self, tmp_path):
        """Start the demo on free ports; SQLite, as it comes."""
        port, shop_port = free_port(), free_port()
        started = []

        def start():
            program = Program(
                [*COMMAND, "demo"],
                log=tmp_path / "demo.log",
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONUNBUFFERED": "1",
                    "JAWOORD_INSTANCE": str(tmp_path / "instance"),
                    "JAWOORD_BIND": f"{LOOPBACK}:{port}",
                    "JAWOORD_DEMO_SHOP_URL": f"http://localhost:{shop_port}",
                },
            )
            started.append(program)
            program.wait_until(lambda: "Ctrl-C" in program.log.read_text())
            return program

        start.shop = f"http://localhost:{shop_port}/demo/"
        start.health = f"http://{LOOPBACK}:{port}/healthz"
        start.folder = tmp_path / "instance"
        yield start
        for program in started:
            program.stop(signal.SIGINT)

    def test_it_starts_answers_and_stops_clean_and_keeps_its_data(self, demo):
        codes = []
        for _ in range(2):
            program = demo()
            for address in (demo.shop, demo.health):
                with urllib.request.urlopen(address, timeout=5) as answer:
                    assert answer.status == 200
            codes.append(program.stop(signal.SIGINT))
            with pytest.raises(OSError):
                urllib.request.urlopen(demo.health, timeout=2)
            program.log.write_text("")

        assert codes == [0, 0]

    def test_a_process_that_dies_ends_it_with_one_line(self, demo):
        program = demo()
        children = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(program.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        (worker,) = [line for line in children if line.endswith("server worker")]

        os.kill(int(worker.split()[0]), signal.SIGKILL)

        assert program.process.wait(20) == 2
        assert "the demo's worker ended by itself" in program.log.read_text()

    def test_the_doctor_beside_it_finds_its_mail_server_until_it_stops(
        self, demo, start
    ):
        """Who follows the README tries this in a second terminal."""
        program = demo()

        beside = start("doctor")
        program.stop(signal.SIGINT)
        after = start("doctor")

        assert (beside.exit_code, beside.stderr) == (0, ""), beside.stdout
        assert "ok    mail server" in beside.stdout
        assert not (demo.folder / MAIL_SERVER).exists()
        assert "see JAWOORD_SMTP_URL" in after.stdout

    def test_it_is_told_where_everything_is(self, demo):
        said = demo().log.read_text()

        for word in (demo.shop, "/demo/inbox", "/office", "owner@noordenzon.example"):
            assert word in said
