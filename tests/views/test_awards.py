"""Each way to a prize, in each game of chance: by luck, for everybody, one for all."""

import itertools

import pytest

from server.domain import chance
from server.models import Campaign, Entry, Voucher
from server.services import campaigns
from tests.factories import campaign_file, prize_table
from tests.visits import take_card

GAMES = {"wheel": "welcome-wheel", "scratch": "welcome-scratch"}
PURPOSES = ("newsletter", "personal_offers")
PLAYS = 12

# So likely that a dozen plays use up its stock, whatever seed the day has.
MUG = prize_table("mug", weight=20, stock=3)
BAG = prize_table("bag", weight=2, stock=None, code="BAG10")
NONE = prize_table("nothing", kind="none", weight=2, stock=None)
AWARDS = {
    "instant-win": ([MUG, NONE], "nothing"),
    "everybody-wins": ([MUG, BAG], "bag"),
    "same-gift": ([BAG], None),
}


def campaign(game: str, award: str, flow: str):
    prizes, fallback = AWARDS[award]
    wheel = {"area": "equal"} if game == "wheel" else {}
    words = {f"texts__{locale}__lost": "Not this time" for locale in ("nl", "en")}
    return campaign_file(
        GAMES[game],
        award=award,
        flow=flow,
        prizes=prizes,
        fallback=fallback,
        wheel=wheel,
        **words,
    )


@pytest.mark.parametrize("flow", ["play-first", "form-first"])
@pytest.mark.parametrize("award", AWARDS)
@pytest.mark.parametrize("game", GAMES)
def test_each_award_works_in_each_game(publish, client, house, game, award, flow):
    """PZ-01, PZ-04: everybody gets what the award says, and no more than there is."""
    file = publish(campaign(game, award, flow))
    code = next(p.code for p in file.placements if p.shape == "inline")

    for number in range(PLAYS):
        card = take_card(client, code)
        email = f"p{number}@example.com"
        if flow == "play-first":
            assert card.play(client).status_code == 200
            answer = card.claim(client, email)
        else:
            answer = card.enter(client, email)
        assert answer.status_code == 200
        assert "Not this time" not in answer.text or award == "instant-win"

    awarded = [entry.awarded for entry in house.rows(Entry)]
    given = house.rows(Voucher, state="awarded")
    assert len(awarded) == PLAYS and awarded.count("mug") <= 3
    if award == "same-gift":
        assert set(awarded) == {"bag"}
    if award == "everybody-wins":
        assert set(awarded) <= {"mug", "bag"} and "bag" in awarded
    if award == "instant-win":
        assert set(awarded) == {"mug", "nothing"}
    assert len(given) == awarded.count("mug") + awarded.count("bag")


@pytest.mark.parametrize("award", AWARDS)
@pytest.mark.parametrize("game", GAMES)
def test_no_outcome_depends_on_a_consent(publish, client, house, game, award):
    """CR-02: whatever is ticked, it is what the ticket and the day's seed give."""
    file = publish(campaign(game, award, "form-first"))
    code = next(p.code for p in file.placements if p.shape == "inline")
    subsets = [
        subset
        for size in range(len(PURPOSES) + 1)
        for subset in itertools.combinations(PURPOSES, size)
    ]

    for number, consents in enumerate(subsets * 2):
        card = take_card(client, code)
        card.enter(client, f"c{number}@example.com", consents=consents)

    row = house.rows(Campaign)[0]
    last = house.vault.open(row.sealed_seed, about=row.code.encode())
    played = house.rows(Entry)
    assert len(played) == 2 * len(subsets)
    for entry in played:
        assert entry.drawn == chance.draw(
            campaigns.table_of(file),
            seed=chance.seed_for(last, epochs=row.epochs, epoch=entry.epoch),
            campaign=file.code,
            epoch=entry.epoch,
            ticket=entry.ticket.hex(),
            browser=entry.browser_seed.hex(),
        )
