"""A raffle on the command line: look, leave out, give the number, export, verify."""

from datetime import timedelta

import pytest

from server.domain import raffle as rules
from server.models import Entry, RaffleStep
from tests.factories import campaign_file
from tests.raffles import CODE, UNTIL_DRAW, Desk, raffle_file, raffle_table, take_part

NAMED = {"nl": "De lotto van 1 mei", "en": "The lottery of 1 May"}


@pytest.fixture
def database_kind() -> str:
    """Commands know no database; `tests/services/test_raffles.py` runs on both."""
    return "sqlite"


@pytest.fixture
def labels(publish, client, house) -> list[str]:
    """A raffle that waits for a public number; the labels of three who take part."""
    publish(raffle_file(1, reserves=1, randomness=NAMED))
    take_part(client, "ann", "ben", "cas")
    return [rules.label(entry.ticket) for entry in house.rows(Entry)]


def test_from_the_first_look_to_the_file(run, labels, house, tmp_path):
    file = tmp_path / "raffle.jsonl"
    desk = Desk(house)

    early = run("raffle", "show", CODE)
    out = run("raffle", "exclude", CODE, "--label", labels[0], "--why", "an employee")
    again = run("raffle", "exclude", CODE, "--label", labels[0], "--why", "an employee")
    desk.finish()
    listed = run("raffle", "show", CODE, "--raffle", "main")
    run("raffle", "export", CODE, "--to", file)
    before = run("draw", "verify", file)
    told = run("raffle", "draw", CODE, "--randomness", "072a")
    desk.finish(timedelta())
    drawn = run("raffle", "show", CODE)
    run("raffle", "export", CODE, "--to", file, "--force")
    after = run("draw", "verify", file)

    assert "main: waiting" in early.output
    assert "waits for   The lottery of 1 May" in early.output
    assert out.output == f"{labels[0]} is left out.\n"
    assert again.output == f"{labels[0]} was left out before.\n"
    assert (out.exit_code, again.exit_code) == (0, 0)
    assert "2 labels, 1 excluded" in listed.output
    assert before.exit_code == 0
    assert "not drawn yet" in before.output
    assert told.exit_code == 0
    assert told.output == "summer-raffle main is drawn with 072a.\n"
    assert "1 promised = 0 claimed + 1 waiting + 0 nobody was left for" in drawn.output
    assert after.exit_code == 0
    assert "every line is right" in after.output
    assert "2 labels" in after.output
    for label in labels[1:]:
        assert label in drawn.output
        assert label in after.output
    assert "reserve" in after.output


def test_the_first_wrong_line_of_a_file_is_named(run, labels, house, tmp_path):
    file = tmp_path / "raffle.jsonl"
    Desk(house).go_round(UNTIL_DRAW)
    run("raffle", "export", CODE, "--to", file)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"e_", b"e-")
    file.write_bytes(b"".join(lines))

    verified = run("draw", "verify", file)

    assert verified.exit_code == 1
    assert "line 4: it was changed" in verified.output


def test_a_try_to_reach_a_winner_is_kept(run, labels, house):
    """PZ-13."""
    desk = Desk(house)
    desk.finish()
    run("raffle", "draw", CODE, "--randomness", "00")
    desk.finish(timedelta())
    won = [
        label
        for label in labels
        if f"{label}  offered" in run("raffle", "show", CODE).output
    ]

    kept = run("raffle", "contacted", CODE, "--label", won[0], "--note", "no answer")
    lost = run("raffle", "contacted", CODE, "--label", "e_x", "--note", "no answer")

    assert (kept.exit_code, kept.output) == (0, "Kept.\n")
    assert lost.exit_code == 2
    (step,) = house.rows(RaffleStep, step="contacted")
    assert (step.note, step.by) == ("no answer", "operator")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nowhere"), "has no raffle"),
        (("show", CODE, "--raffle", "other"), "has no raffle 'other'"),
        (("exclude", CODE, "--label", "e_x", "--why", "x"), "nobody takes part"),
        (("exclude", CODE, "--label", "e_x", "--why", " "), "1 to 200 characters"),
        (("draw", CODE, "--randomness", "xyz"), "written in hex"),
        (("draw", CODE, "--randomness", ""), "1 to 64 bytes"),
        (("draw", CODE, "--randomness", "00"), "waits for no number now"),
        (("export", CODE, "--to", "/dev/null/x"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, labels, words, said):
    refused = run("raffle", *words)

    assert refused.exit_code == 2
    assert said in refused.output
    assert refused.output.count("\n") == 1


def test_one_of_several_has_to_be_named(run, publish):
    several = [raffle_table(1), raffle_table(1, key="late", draws_after_hours=48)]
    publish(campaign_file(CODE, raffles=several))

    assert run("raffle", "show", CODE).exit_code == 2
    assert run("raffle", "show", CODE, "--raffle", "late").exit_code == 0


def test_a_closed_list_takes_nobody_out(run, labels, house):
    Desk(house).go_round(UNTIL_DRAW)

    late = run("raffle", "exclude", CODE, "--label", labels[0], "--why", "late")

    assert late.exit_code == 2
    assert "the list is closed" in late.output
