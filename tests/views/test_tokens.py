"""What was signed opens one thing, as it was signed, at one place (T12, T26, G11)."""

from urllib.parse import quote

import pytest

from tests.boxes import PLACEMENT as BOX
from tests.boxes import fill_boxes, take_box
from tests.factories import shop_file
from tests.mutants import mutants
from tests.stress.service import size
from tests.visits import Card, few_mugs, take_card

NEW_KEY = "a new key that has at least 32 letters"
# What each answers to a token that is not good there.
REFUSED = {
    "confirm": 404,
    # A mail program's press gets 200 whatever the link was.
    "unsubscribe": 200,
    "prize": 404,
    "shown": 422,
    "ticket": 422,
    "box": 403,
}


class Doors:
    """A live token of each kind, and the place where it is good for something."""

    def __init__(self, client, house, box):
        self._client, self._box = client, box
        self._link = house.link("confirm")
        self.live = {
            place: house.link(place).rpartition("/")[2]
            for place in ("confirm", "unsubscribe", "prize")
        }
        self.live["shown"] = house.shown(client, self._link)
        self.live["ticket"] = take_card(client).ticket
        self.live["box"] = box.ticket

    def use(self, kind: str, token: str) -> int:
        """Use a token as if it were of this kind; return the status of the answer."""
        match kind:
            case "ticket":
                card = Card("/w/welcome-inline/entries", token)
                return card.enter(self._client, "other@example.com").status_code
            case "box":
                return Card(self._box.action, token).play(self._client).status_code
            case "shown":
                return self._press(self._link, token)
            case "prize":
                return self._press(f"/prize/{quote(token, safe='')}/mail")
        return self._press(f"/{kind}/{quote(token, safe='')}", self.live["shown"])

    def _press(self, path: str, shown: str = "") -> int:
        return self._client.post(path, data={"shown": shown}).status_code


@pytest.fixture
def doors(publish, client, house, database, vault, now, clock):
    """Doors behind which something waits: a prize, a question, two games."""
    publish(few_mugs(3))
    place = {"code": BOX, "channel": "box", "shape": "page"}
    publish(few_mugs(1, "lucky-scratch", placements=[place]))
    (label,) = fill_boxes(database, vault, now=now, size=1).labels
    take_card(client).enter(client, consents=["newsletter"])
    return Doors(client, house, take_box(client, label))


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(30, id="30"),
        pytest.param(size("MUTANTS", 1_000), id="full", marks=pytest.mark.stress),
    ],
)
def test_no_mutant_is_taken(doors, house, count):
    """G11: none of a thousand, of each kind; the tokens themselves still work."""
    before = house.dump()

    answers = {
        kind: {doors.use(kind, mutant) for mutant in mutants(token, count)}
        for kind, token in doors.live.items()
    }

    # No address with a zero byte is looked at, whatever it is of.
    faults = {kind: got - {REFUSED[kind], 404} for kind, got in answers.items()}
    assert faults == dict.fromkeys(REFUSED, set())
    assert house.dump() == before
    # Confirmed first by the token that its form carries.
    well = {kind: doors.use(kind, token) for kind, token in doors.live.items()}
    assert set(well.values()) == {200, 303}
    assert house.dump() != before


def test_no_token_opens_another_door(doors, house):
    """G11: every kind at every other place, with two games of one shop."""
    before = house.dump()

    answers = {
        (kind, other): doors.use(kind, token)
        for kind in REFUSED
        for other, token in doors.live.items()
        if other != kind
    }

    assert answers == {(kind, other): REFUSED[kind] for kind, other in answers}
    assert house.dump() == before


def test_a_ticket_is_no_right_to_play_at_another_shop(publish, client, house):
    publish(few_mugs(3))
    theirs = few_mugs(
        3, shop="other", code="others", placements=[{"code": "o", "shape": "inline"}]
    )
    publish(theirs, shop=shop_file(code="other"))
    before = house.dump()

    for ours, other in (("welcome-inline", "o"), ("o", "welcome-inline")):
        card = Card(f"/w/{other}/entries", take_card(client, ours).ticket)
        assert card.enter(client).status_code == 422

    assert house.dump() == before


def test_a_ticket_outlives_a_rotation_of_keys_but_not_the_removal(
    publish, client, house, house_with
):
    """T26: who has the page open while the operator adds a key plays on."""
    publish(few_mugs(3))
    first, second = take_card(client), take_card(client)
    old = house.app.config["SETTINGS"].secret_keys[0]

    added = house_with(SECRET_KEYS=f"{old},{NEW_KEY}").app.test_client()
    removed = house_with(SECRET_KEYS=NEW_KEY).app.test_client()

    assert first.enter(added).status_code == 200
    assert second.enter(removed).status_code == 422
