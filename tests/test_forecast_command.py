"""`forecast`, as whoever plans a campaign runs it."""

from datetime import timedelta

import pytest

from tests.factories import campaign_file, prize_table
from tests.html import parse
from tests.raffles import CODE, raffle_file, raffle_table
from tests.visits import NOTHING, few_mugs


def test_it_tells_cost_winners_and_when_prizes_sell_out(publish, run, tmp_path):
    publish(few_mugs(3, losing=9, days=5))
    picture = tmp_path / "forecast.svg"

    told = run("forecast", "welcome-scratch", "--visits", 40, "--svg", picture)

    assert told.exit_code == 0, told.output
    lines = [" ".join(line.split()) for line in told.output.splitlines()]
    assert "welcome-scratch: 40 plays over 5 days" in lines
    assert any(line.startswith("mug 10.000% 3 2.7") for line in lines)
    assert any(line.startswith("winners 2.7 expected") for line in lines)
    assert "sold out by the end of day 1 2 3 4 5" in lines
    by_day = lines[lines.index("sold out by the end of day 1 2 3 4 5") + 1].split()
    assert by_day[0] == "mug"
    assert [int(cell[:-1]) for cell in by_day[1:]] == [4, 21, 44, 63, 78]
    drawn = parse(picture.read_text())
    assert [text.text for text in drawn.all("text")][1] == "mug"
    assert len(drawn.all("rect")) == 1 + 5 + 1


def test_days_are_known_also_where_the_file_says_only_the_end(publish, run, now):
    ends = now + timedelta(days=2, hours=1)
    publish(few_mugs(3, losing=9, days=None, ends=ends))

    told = run("forecast", "welcome-scratch", "--visits", 40).output

    assert told.startswith("welcome-scratch: 40 plays over 3 days")
    assert "sold out by the end of day    1    2    3" in told


def test_what_raffles_cost_is_told_beside_the_odds(publish, run):
    """PZ-09: no sum may leave the dearest prize out."""
    publish(few_mugs(3, losing=9, days=5, raffles=[raffle_table(1, 2)]))

    lines = run("forecast", "welcome-scratch", "--visits", 40).output.splitlines()

    assert "raffles       3 prizes of raffles, EUR 30.00 in all" in lines
    assert lines[-5].endswith("at the very most, without the raffles")


@pytest.mark.parametrize("flow", ["play-first", "form-first"])
def test_it_warns_where_one_person_could_claim_the_best_of_several(publish, run, flow):
    """PZ-10: the figures hold for each play, which need not be a person's only one."""
    mug = prize_table(stock=3, value_cents=2500)
    prizes = {"prizes": [mug, NOTHING | {"weight": 9}], "fallback": "nothing"}
    publish(campaign_file("lucky-scratch", flow=flow, entries_per_address=1, **prizes))

    told = run("forecast", "lucky-scratch", "--visits", 40).output

    said = "beware        entries_per_address: somebody can play several times and "
    said += 'claim the best one, worth EUR 25.00: choose flow = "form-first"'
    assert (said in told) is (flow == "play-first")


def test_of_a_raffle_alone_the_cost_is_told(publish, run):
    publish(raffle_file(1, 2))

    told = run("forecast", CODE, "--visits", 40)
    drawn = run("forecast", CODE, "--visits", 40, "--svg", "x.svg")

    assert told.output == f"{CODE}: 3 prizes of raffles, EUR 30.00 in all\n"
    assert (told.exit_code, drawn.exit_code) == (0, 2)


@pytest.mark.parametrize(
    ("code", "visits", "says"),
    [
        ("nowhere", 10, "there is no campaign 'nowhere'"),
        ("footer-newsletter", 10, "leaves nothing to chance"),
        ("footer-newsletter", 0, "is not in the range"),
        ("footer-newsletter", "many", "is not a valid integer"),
    ],
)
def test_what_cannot_be_foreseen_is_said_in_one_line(publish, run, code, visits, says):
    publish(campaign_file("footer-newsletter"))

    told = run("forecast", code, "--visits", visits)

    assert told.exit_code == 2
    assert says in told.output
