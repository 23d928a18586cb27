"""What a raffle may not promise, named by its place (PZ-01, L-28)."""

import pytest

from server.domain import lint
from server.domain.campaign import Campaign
from server.domain.parts import FileError
from tests.factories import campaign_file, prize_table
from tests.raffles import CODE, raffle_file, raffle_table
from tests.visits import NOTHING

ENDS = "2026-05-01T00:00:00+02:00"
FIXED = {"ends": ENDS, "days": None}


def refused(campaign: Campaign) -> list[tuple[str, str]]:
    return [(f.place, f.what) for f in lint.judge(campaign) if f.refuses]


def places(campaign: Campaign) -> list[str]:
    return [place for place, _what in refused(campaign)]


def two(**changes) -> Campaign:
    """Return the demo's raffle with a second one beside it."""
    second = raffle_table(1, **{"key": "other", "draws_after_hours": 48} | changes)
    return campaign_file(CODE, raffles=[raffle_table(1), second])


def fixed(draws: str) -> Campaign:
    """Return a raffle of which end and draw are moments in the file."""
    table = raffle_table(1, draws=draws)
    del table["draws_after_hours"]
    return campaign_file(CODE, raffles=[table], **FIXED)


def test_a_raffle_that_keeps_to_the_rules_is_let_through():
    assert refused(campaign_file(CODE)) == []
    assert refused(raffle_file(1, reserves=0)) == []
    assert refused(fixed("2026-05-01T02:00:00+02:00")) == []
    assert refused(two()) == []


def test_it_is_advised_to_name_a_public_number():
    """PZ-08, decision 022: the secret alone lets its holder add entries in time."""
    named = {"nl": "Trekking 12", "en": "Draw 12"}

    (advice,) = lint.judge(campaign_file(CODE, raffles=[raffle_table(1)]))
    quiet = lint.judge(raffle_file(1, randomness=named))

    assert (advice.place, advice.refuses) == ("raffles[1].randomness", False)
    assert "add entries until the list is closed" in advice.what
    assert quiet == []


@pytest.mark.parametrize(
    ("draws", "what"),
    [
        ("2026-04-30T23:59:00+02:00", "it draws before the campaign ends"),
        ("2026-05-01T01:59:00+02:00", "it draws 2 hours after the end or later"),
        ("2027-05-01T00:00:00+02:00", "it draws 2,208 hours after the end or sooner"),
    ],
)
def test_it_draws_after_the_end(draws, what):
    ((place, said),) = refused(fixed(draws))

    assert place == "raffles[1].draws"
    assert said.startswith(what)


def test_a_moment_needs_an_end_that_is_one_as_well():
    table = raffle_table(1, draws="2026-05-02T00:00:00+02:00")
    del table["draws_after_hours"]

    assert places(campaign_file(CODE, raffles=[table])) == ["raffles[1].draws"]
    both = raffle_file(1, draws="2026-05-02T00:00:00+02:00")
    assert places(both) == ["raffles[1].draws"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"prizes": []}, "raffles[1].prizes"),
        ({"reserves": -1}, "raffles[1].reserves"),
        ({"claim_days": 0}, "raffles[1].claim_days"),
        ({"draws_after_hours": 1}, "raffles[1].draws_after_hours"),
        ({"draws": "2026-05-01"}, "raffles[1].draws"),
        ({"more": 1}, "raffles[1].more"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(change, place):
    with pytest.raises(FileError) as wrong:
        raffle_file(1, **change)

    assert [fault.place for fault in wrong.value.faults] == [place]


def test_a_number_of_prizes_is_one_at_least():
    with pytest.raises(FileError, match=r"raffles\[1\].prizes\[2\].number"):
        raffle_file(1, 0)


@pytest.mark.parametrize(
    ("campaign", "place"),
    [
        (two(key="main"), "raffles"),
        (two(draws_after_hours=24), "raffles[2]"),
        (raffle_file(999, 2), "raffles[1].prizes"),
        (
            campaign_file(CODE, raffles=[raffle_table(1)], award="nothing"),
            "award",
        ),
        (campaign_file(CODE, raffles=[]), "raffles"),
        (campaign_file(CODE, prizes=[prize_table()], fallback="mug"), "prizes"),
        (
            campaign_file(CODE, mechanic="scratch", award="raffle"),
            "award",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(campaign, place):
    assert place in places(campaign)


def test_the_same_prize_twice_and_a_language_without_words():
    table = raffle_table(1, 1)
    table["prizes"][1] = table["prizes"][0] | {
        "texts": {"nl": {"label": "A", "claim": "B"}}
    }
    table["randomness"] = {"en": "The draw of 1 May"}

    assert places(campaign_file(CODE, raffles=[table])) == [
        *("raffles[1].prizes", "raffles[1].prizes[2].texts.en"),
        "raffles[1].randomness.nl",
    ]


def test_all_prizes_together_are_worth_what_the_law_allows():
    """L-24 counts what is raffled as well."""
    table = raffle_table(11)
    table["prizes"][0]["value_cents"] = 100_000_00

    assert places(campaign_file(CODE, raffles=[table])) == ["prizes"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"raffle": "nowhere"}, "prizes[1].raffle"),
        ({"raffle": None}, "prizes[1].raffle"),
        ({"kind": "voucher"}, "prizes[1].raffle"),
        ({"stock": 3}, "prizes[1].kind"),
        ({"code": "MUG10"}, "prizes[1].kind"),
        ({"valid_days": 3}, "prizes[1].kind"),
    ],
)
def test_a_ticket_is_to_a_raffle_and_nothing_else(change, place):
    table = prize_table("ticket", kind="ticket", raffle="main") | change
    if "stock" not in change:
        del table["stock"]
    if table["raffle"] is None:
        del table["raffle"]
    campaign = campaign_file(
        "welcome-scratch",
        prizes=[table, NOTHING | {"weight": 1}],
        fallback="nothing",
        raffles=[raffle_table(1)],
    )

    assert places(campaign) == [place]


def test_who_joins_what():
    ticket = prize_table("ticket", kind="ticket", raffle="main", stock=None)
    campaign = campaign_file(
        "welcome-scratch",
        prizes=[ticket, NOTHING],
        fallback="nothing",
        raffles=[raffle_table(1), raffle_table(1, key="all", draws_after_hours=48)],
    )

    assert [raffle.key for raffle in campaign.joined_by("ticket")] == ["main", "all"]
    assert [raffle.key for raffle in campaign.joined_by("nothing")] == ["all"]
