"""What commands write: nothing that is there is lost unless somebody says so."""

import stat

import pytest

from tests.boxes import PLACEMENT
from tests.factories import campaign_file
from tests.raffles import CODE, raffle_file
from tests.visits import sure_win

OLD = b"somebody may still need this"
SHOP = ("--shop", "demo")
AUDIENCE = ("audience", "export", *SHOP, "--platform", "google")
CONSENTS = ("consents", "export", *SHOP, "--purpose", "newsletter")


@pytest.fixture
def database_kind() -> str:
    """Files know no database."""
    return "sqlite"


@pytest.fixture
def play(publish):
    publish(sure_win(days=365))
    publish(campaign_file("box-scratch"))


@pytest.fixture
def boxes(play, run):
    """A batch of codes for boxes; return its id."""
    said = run("boxcodes", "create", PLACEMENT, "--name", "Autumn", "--size", 3)
    return said.stdout.partition(":")[0]


@pytest.mark.parametrize(
    "command",
    [
        (*AUDIENCE, "-o"),
        (*CONSENTS, "-o"),
        ("suppression", "export", "--to"),
        ("ledger", "export", *SHOP, "--to"),
        ("draw", "export", "welcome-scratch", "--to"),
        ("forecast", "welcome-scratch", "--visits", "40", "--svg"),
        ("qr", "box-scratch-page", "--svg"),
        ("qr", "box-scratch-page", "--png"),
    ],
    ids=lambda command: "-".join(command[:2]) + command[-1],
)
def test_a_file_that_is_there_is_kept_until_somebody_says_so(
    run, play, tmp_path, command
):
    file = tmp_path / "out"
    file.write_bytes(OLD)

    refused = run(*command, file)
    kept = file.read_bytes()
    done = run(*command, file, "--force")

    assert refused.exit_code == 2
    line = f"jawoord: {file} is there already; give --force to replace it\n"
    assert refused.stderr == line
    assert refused.stdout == ""
    assert kept == OLD
    assert done.exit_code == 0, done.output
    assert file.read_bytes() != OLD
    assert list(tmp_path.glob("*.part")) == []


def test_so_is_the_record_of_a_raffle(run, publish, tmp_path):
    publish(raffle_file(1))
    file = tmp_path / "out"
    file.write_bytes(OLD)

    refused = run("raffle", "export", CODE, "--to", file)
    kept = file.read_bytes()
    done = run("raffle", "export", CODE, "--force", "--to", file)

    assert (refused.exit_code, kept) == (2, OLD)
    assert done.exit_code == 0 and file.read_bytes() != OLD


def test_so_are_sheets_of_labels(run, boxes, tmp_path):
    file = tmp_path / "out"
    file.write_bytes(OLD)

    refused = run("boxcodes", "print", boxes, "--to", file)
    kept = file.read_bytes()
    done = run("boxcodes", "print", boxes, "--to", file, "--force")

    assert (refused.exit_code, kept) == (2, OLD)
    assert done.exit_code == 0 and file.read_bytes().startswith(b"%PDF")


def test_so_is_a_picture_that_got_its_name_by_itself(run, play, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "box-scratch-page.svg"
    file.write_bytes(OLD)

    refused = run("qr", "box-scratch-page")
    kept = file.read_bytes()
    done = run("qr", "box-scratch-page", "--force")

    assert (refused.exit_code, kept) == (2, OLD)
    assert done.exit_code == 0 and file.read_bytes() != OLD


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("shop", "export", "demo"), "demo.toml"),
        (("campaign", "export", "welcome-scratch"), "welcome-scratch.toml"),
    ],
)
def test_so_is_what_lies_in_a_folder(run, play, tmp_path, command, name):
    (tmp_path / name).write_bytes(OLD)

    refused = run(*command, "--to", tmp_path)
    kept = (tmp_path / name).read_bytes()
    done = run(*command, "--to", tmp_path, "--force")
    again = run(*command, "--to", tmp_path)

    assert (refused.exit_code, kept) == (2, OLD)
    assert done.exit_code == 0 and (tmp_path / name).read_bytes() != OLD
    # Nothing of it would change.
    assert again.exit_code == 0


def test_who_may_read_a_file_is_as_it_was(run, play, tmp_path):
    """People are for their owner alone; what is public can be put on a web server."""
    people, draws = tmp_path / "people", tmp_path / "draws"

    run(*CONSENTS, "-o", people)
    run("draw", "export", "welcome-scratch", "--to", draws)

    assert stat.S_IMODE(people.stat().st_mode) == 0o600
    assert stat.S_IMODE(draws.stat().st_mode) & 0o044 == 0o044


def test_a_link_stays_one_and_a_device_is_no_file(run, play, tmp_path):
    link, file = tmp_path / "link", tmp_path / "file"
    file.write_bytes(OLD)
    link.symlink_to(file)

    done = run("suppression", "export", "--to", link, "--force")
    refused = run("suppression", "export", "--to", "/dev/null", "--force")

    assert done.exit_code == 0
    assert link.is_symlink() and file.read_bytes() == b""
    assert refused.exit_code == 2
    assert refused.stderr == "jawoord: /dev/null is no ordinary file\n"
