"""`forecast`, as whoever plans a campaign runs it."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import update

from server.models import Prize
from server.services import campaigns
from tests.factories import campaign_file, prize_table, with_pictures
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


def choosing():
    """Return forty mugs, and a choice of two televisions, or a bag for everybody."""
    prizes = [
        prize_table(stock=40, weight=20, value_cents=1_000),
        prize_table(
            "pick", kind="choice", stock=None, weight=40, options=["tote", "tv"]
        ),
        prize_table("tv", stock=2, weight=0, value_cents=50_000),
        prize_table("tote", stock=None, weight=0, value_cents=100),
        NOTHING | {"weight": 40},
    ]
    return campaign_file(
        "lucky-scratch", prizes=prizes, fallback="nothing", flow="play-first", days=5
    )


def test_a_choice_costs_what_is_dearest_while_it_lasts(publish, run):
    """PZ-09: two televisions are two, however many winners may pick one."""
    publish(choosing())

    told = run("forecast", "lucky-scratch", "--visits", 1_000)

    lines = [" ".join(line.split()) for line in told.output.splitlines()]
    assert "pick 40.000% no limit 400.0 as picked -" in lines
    assert "tv picked 2 2.0 EUR 1,000.00 100.0%" in lines
    assert "tote picked no limit 398.0 EUR 398.00 -" in lines
    assert "cost EUR 1,798.00 expected" in lines
    assert "EUR 2,358.00 at the very most" in lines
    assert "assumed the winners of pick each pick the dearest that is left" in lines
    assert "tv 100% 100% 100% 100% 100%" in lines
    assert "winners 440.0 expected, 44.0% of all plays" in lines


@pytest.fixture
def pool(publish, database, vault, now):
    """A draft whose prize is a pool without codes; its shop has another campaign."""
    publish(campaign_file("welcome-scratch"))
    pool = prize_table(pool=True, weight=1, value_cents=1_000)
    del pool["stock"]
    file = campaign_file(
        "lucky-scratch", prizes=[pool, NOTHING | {"weight": 1}], fallback="nothing"
    )
    with database.transaction() as session:
        draft = with_pictures(session, file, now=now)
        options = {"vault": vault, "now": now, "random": os.urandom}
        campaigns.save(session, draft, **options, publish=False)


def test_a_pool_without_codes_is_warned_about(pool, run):
    told = run("forecast", "lucky-scratch", "--visits", 100)

    assert told.exit_code == 0
    assert "beware        prizes[1].pool: it has no codes yet" in told.output


def test_codes_that_came_since_the_draft_was_stored_are_counted(pool, run, database):
    made = run("prize", "codes", "make", "lucky-scratch", "mug", "--number", 9)
    assert made.exit_code == 0, made.output

    told = run("forecast", "lucky-scratch", "--visits", 100).output
    with database.transaction() as session:
        session.execute(update(Prize).values(importing=b"somebody"))
    half = run("forecast", "lucky-scratch", "--visits", 100).output

    assert "EUR 90.00 at the very most" in told and "beware" not in told
    assert "beware        prizes[1].pool: an import of its codes has not ended" in half


def test_what_a_quiz_gives_has_a_bound(publish, run, tmp_path):
    """Answers are nobody's to foresee, but vouchers cost money all the same."""
    ship = prize_table("ship", weight=0, stock=100, value_cents=495)
    publish(campaign_file("style-quiz", prizes=[ship]))

    told = run("forecast", "style-quiz", "--visits", 1_000)
    drawn = run("forecast", "style-quiz", "--visits", 9, "--svg", tmp_path / "x.svg")

    assert told.exit_code == 0, told.output
    assert "no cost can be expected" in told.output
    assert "cost          EUR 495.00 at the very most" in told.output
    assert drawn.exit_code == 2


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
