"""`boxcodes create | print | revoke | report`, as an operator runs them (PZ-11)."""

import re
import sys

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import func, select

from server.models import BoxBatch, BoxCode
from server.services import boxcodes
from tests.boxes import PLACEMENT, fill_boxes, scan
from tests.conftest import PUBLIC_URL
from tests.factories import campaign_file

BATCH = re.compile(r"^([0-9a-f]{12}): ", re.M)


@pytest.fixture(autouse=True)
def _campaign(publish):
    publish(campaign_file("box-scratch"))


@pytest.fixture
def run(run):
    """Run a command of box codes and return how it ended: with this code."""

    def run_boxcodes(*words, code=0):
        done = run("boxcodes", *words)
        assert done.exit_code == code, done.output
        return done

    return run_boxcodes


@pytest.fixture
def create(run):
    """Make a batch and return its id."""

    def create(*more, size=3):
        said = run("create", PLACEMENT, "--name", "Autumn", "--size", size, *more)
        found = BATCH.search(said.stdout)
        assert found
        return found[1]

    return create


def codes_on(file):
    (page,) = pypdfium2.PdfDocument(file)
    return [c.text for c in zxingcpp.read_barcodes(page.render(scale=2).to_pil())]


def test_what_is_printed_can_be_played_and_printed_again(
    run, create, client, house, tmp_path
):
    batch = create()
    first, second = tmp_path / "first.pdf", tmp_path / "second.pdf"

    said = run("print", batch, "--to", first)
    run("print", batch, "--to", second)

    assert "3 labels on 1 sheets" in said.stdout
    assert "Labels" in said.stderr
    links = codes_on(first)
    assert len(set(links)) == 3
    assert set(links) == set(codes_on(second))
    for link in links:
        assert client.get(link.removeprefix(PUBLIC_URL)).status_code == 200
    assert house.rows(BoxBatch)[0].printed_at is not None
    assert list(tmp_path.glob("*.part")) == []


def test_the_words_say_which_language_the_labels_have(run, create, tmp_path):
    batch, file = create(), tmp_path / "sheet.pdf"

    run("print", batch, "--to", file, "--language", "en")

    (page,) = pypdfium2.PdfDocument(file)
    assert "There is more in your" in page.get_textpage().get_text_range()


def test_no_command_says_a_code(run, create, database, vault, now, tmp_path):
    """They are on the labels and nowhere else."""
    boxes = fill_boxes(database, vault, now=now)
    said = run("report").output
    said += run("print", boxes.batch, "--to", tmp_path / "sheet.pdf").output
    said += run("revoke", boxes.batch).output

    for label in boxes.labels:
        assert label.qr not in said
        assert label.typed not in said


def test_no_visitor_waits_for_a_whole_batch(create, house, database, monkeypatch):
    """A play beside it waits for one range; what died before is swept away."""
    monkeypatch.setattr(boxcodes, "RANGE", 2)
    before = create()
    many: list[int] = []

    def add(session, making, rows, really=boxcodes.add):
        with database.reading() as other:
            many.append(other.scalar(select(func.count(BoxCode.id))))
        really(session, making, rows)

    monkeypatch.setattr(boxcodes, "add", add)
    batch = create(size=5)

    assert many == [3, 5, 7]
    sizes = {row.public_id: row.size for row in house.rows(BoxBatch)}
    assert sizes == {before: 3, batch: 5}
    assert len(house.rows(BoxCode)) == 8


def test_what_a_killed_command_has_left_goes_with_the_next(
    create, run, house, clock, monkeypatch
):
    monkeypatch.setattr(boxcodes, "RANGE", 2)
    with monkeypatch.context() as patch:
        patch.setattr(boxcodes, "finish", lambda *_: sys.exit(9))
        run("create", PLACEMENT, "--name", "Dead", "--size", "5", code=9)
    assert "No batches yet" in run("report").stdout
    clock.advance(boxcodes.LEFT_AFTER)

    batch = create()

    assert [row.public_id for row in house.rows(BoxBatch)] == [batch]
    assert len(house.rows(BoxCode)) == 3


def test_a_batch_that_ends_before_the_campaign_begins_is_refused(run, publish, house):
    """Nobody could ever play it; in a draft the days are not fixed yet."""
    publish(
        campaign_file(
            "box-scratch",
            code="later",
            starts="2026-06-01T00:00:00Z",
            ends="2026-07-01T00:00:00Z",
            days=None,
            placements=[{"code": "later-box", "channel": "box", "shape": "page"}],
        )
    )
    words = "create", "later-box", "--name", "A", "--size", "3", "--until"

    early = run(*words, "2026-06-01", code=2)
    stored = house.rows(BoxBatch)
    run(*words, "2026-06-01T00:01")

    assert "they would expire before the campaign begins" in early.stderr
    assert stored == []


def test_a_batch_has_its_days(run, create, house):
    create("--from", "2026-04-01", "--until", "2026-05-01T12:30")

    (batch,) = house.rows(BoxBatch)
    assert batch.valid_from.isoformat() == "2026-04-01T00:00:00+00:00"
    assert batch.valid_until.isoformat() == "2026-05-01T12:30:00+00:00"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--name", "A", "--size", "3"], "no placement 'nowhere'"),
        (["box-scratch-page", "--name", "A", "--size", "3"], "of the channel box"),
        ([PLACEMENT, "--name", " ", "--size", "3"], "the name needs"),
        ([PLACEMENT, "--name", "a\nb", "--size", "3"], "the name needs"),
        ([PLACEMENT, "--name", "x" * 61, "--size", "3"], "the name needs"),
        ([PLACEMENT, "--name", "A", "--size", "0"], "0"),
        ([PLACEMENT, "--name", "A", "--size", "100001"], "100001"),
        (
            [PLACEMENT, "--name", "A", "--size", "3", "--from", "2026-05-01"]
            + ["--until", "2026-05-01"],
            "--until must be after --from",
        ),
        (
            [PLACEMENT, "--name", "A", "--size", "3", "--until", "2026-03-01"],
            "they would have expired already",
        ),
        (
            [PLACEMENT, "--name", "A", "--size", "3", "--from", "2027-03-01"],
            "the campaign ends before they can be played",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_stored(run, house, words, said):
    done = run("create", *words, code=2)

    assert said in done.stderr
    assert house.rows(BoxBatch) == house.rows(BoxCode) == []


@pytest.mark.parametrize("command", [["revoke"], ["print", "--to", "sheet.pdf"]])
def test_a_batch_that_is_not_there_gives_one_line(run, command):
    done = run(command[0], "nothing", *command[1:], code=2)

    assert done.stderr.count("\n") == 1
    assert "no batch 'nothing'" in done.stderr


def test_a_file_that_cannot_be_written_gives_one_line(run, create, tmp_path, house):
    done = run("print", create(), "--to", tmp_path / "gone" / "sheet.pdf", code=2)

    assert "cannot be written" in done.stderr
    assert house.rows(BoxBatch)[0].printed_at is None


def test_a_revoked_batch_ends_and_the_report_says_so(run, client, database, vault, now):
    boxes = fill_boxes(database, vault, now=now)

    run("revoke", boxes.batch)

    assert scan(client, boxes.labels[0]).status_code == 410
    assert "revoked" in run("report").stdout
    run("revoke", boxes.batch, code=2)


def test_a_report_is_of_one_campaign_or_of_all(run, create):
    assert "No batches yet" in run("report").stdout
    batch = create(size=5)

    head, line = run("report", "--campaign", "box-scratch").stdout.splitlines()

    assert head.split()[:3] == ["batch", "state", "codes"]
    assert line.split() == [
        *(batch, "valid", "5", "0", "0", "0", "0"),
        *(f"{PLACEMENT},", "Autumn"),
    ]
    assert "No batches yet" in run("report", "--campaign", "lucky-scratch").stdout
