"""The style quiz over HTTP: a result for anybody, and answers kept only under a yes."""

import pytest

from server.domain.parts import FileError
from server.models import Entry, Shop, Voucher
from server.services.office import campaigns, entries
from tests.factories import campaign_file, campaign_tables, prize_table, shop_file
from tests.visits import AGREED, NOTICED, take_card

ANSWERS = {
    "quiz.place": "sea",
    "quiz.colours.blue": "yes",
    "quiz.warmth": "5",
    "quiz.evening": "fish",
}
CODE = "style-quiz-inline"
SHIP = campaign_tables("style-quiz")["prizes"][0]
RENAMED = {
    f"quiz__questions__{question}__{parts}__{number}__points": {"shore": 1}
    for question, parts, number in [
        (0, "answers", 0),
        (1, "answers", 0),
        (2, "slider__ranges", 1),
        (3, "answers", 0),
    ]
}


@pytest.fixture(autouse=True)
def _published(publish):
    publish(campaign_file("style-quiz"))


def publish_other(publish, **changes):
    """Publish a changed quiz beside the demo's own, and return its placement's code."""
    placements = [{"code": "other-quiz", "shape": "inline"}]
    changes = {"code": "other", "placements": placements} | changes
    publish(campaign_file("style-quiz", **changes))
    return "other-quiz"


def play(client, answers=ANSWERS, **more):
    card = take_card(client, CODE)
    return card, card.send(client, AGREED | answers, **more)


def entry(house):
    with house.database.reading() as session:
        found = session.query(Entry).one()
        session.expunge(found)
    return found


def test_a_result_needs_no_address(client, house):
    """CR-10."""
    _card, answer = play(client)

    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "Coastal light" in text
    assert "you chose air, light" in text
    stored = entry(house)
    assert (stored.outcome, stored.state, stored.contact_id) == (
        "coast",
        "played",
        None,
    )
    assert house.answers()["colours"] == "blue"


def test_nothing_of_the_outcomes_is_in_the_page_before(client):
    """PZ-05 in spirit: the result and its points are decided here."""
    page = client.get(f"/w/{CODE}?lang=en").get_data(as_text=True)

    for word in ("Coastal", "City studio", "Warm nest", "points", "STIJLVRIJ"):
        assert word not in page


def test_what_is_missing_is_asked_again_and_nothing_is_lost(client, house):
    _card, answer = play(client, {**ANSWERS, "quiz.warmth": "", "quiz.evening": ""})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="fault-quiz.warmth"' in page
    assert 'value="sea" checked' in " ".join(page.split())
    with house.database.reading() as session:
        assert session.query(Entry).count() == 0


def test_answers_off_the_way_are_not_looked_at(client, house):
    play(client, {**ANSWERS, "quiz.place": "sofa", "quiz.colours.black": "yes"})

    assert set(house.answers()) == {"place", "warmth", "evening"}


def test_the_same_ticket_with_other_answers_is_refused(client):
    card, first = play(client)

    again = card.send(client, AGREED | ANSWERS)
    other = card.send(client, AGREED | ANSWERS | {"quiz.place": "city"})

    assert again.status_code == first.status_code == 200
    assert "Coastal light" in again.get_data(as_text=True)
    assert other.status_code == 409


def test_a_name_gets_no_answers_without_a_yes_for_them(client, house):
    """CR-10: at the claim they go, but for what led to the voucher."""
    card, _ = play(client)

    card.claim(client, consents=["newsletter"])

    stored = entry(house)
    assert house.answers() == {}
    assert stored.outcome == "coast"


def test_answers_become_attributes_once_their_purpose_is_confirmed(client, house):
    """CR-10, DO-01: typed, under their own purpose, and gone when it is withdrawn."""
    card, _ = play(client)
    card.claim(client, consents=["style_profile"])
    assert set(house.answers()) == {"place", "colours", "warmth"}
    assert known(house) == {}

    house.press(client, house.link("confirm"))

    assert known(house) == {
        "place": ("choices", "sea"),
        "colours": ("choices", "blue"),
        "warmth": ("number", "5"),
    }
    house.press(client, house.link("unsubscribe"))
    assert known(house) == {}


def known(house):
    return {key: told[:2] for key, told in house.attributes().items()}


@pytest.mark.parametrize("consents", [[], ["newsletter", "style_profile"]])
def test_the_outcome_gives_the_prize_whatever_was_said_yes_to(client, house, consents):
    """CR-02, DO-08."""
    card, _ = play(client)

    done = card.claim(client, consents=consents)

    assert "STIJLVRIJ" in done.get_data(as_text=True)
    with house.database.reading() as session:
        assert session.query(Voucher).one().code == "STIJLVRIJ"
    assert len(house.letters("prize")) == 1


def test_who_comes_after_the_last_prize_still_gets_a_result(client, house, publish):
    """PZ-06, CR-10: a limited prize is given as often as it is there."""
    mug = prize_table("mug", weight=0, stock=1)
    coast = {"quiz__outcomes__0__prize": "mug"}
    code = publish_other(publish, prizes=[mug, SHIP], **coast)

    answers = [take_card(client, code).send(client, AGREED | ANSWERS) for _ in "12"]

    assert ["Mug" in answer.text for answer in answers] == [True, False]
    assert all("Coastal light" in answer.text for answer in answers)
    awarded = [(each.drawn, each.awarded) for each in house.rows(Entry)]
    assert awarded == [("mug", "mug"), ("mug", "nothing")]


def test_what_replaces_the_last_prize_can_be_another(client, house, publish):
    mug = prize_table("mug", weight=0, stock=0)
    coast = {"quiz__outcomes__0__prize": "mug"}
    code = publish_other(publish, prizes=[mug, SHIP], fallback="ship", **coast)
    card = take_card(client, code)
    card.send(client, AGREED | ANSWERS)

    done = card.claim(client)

    assert "STIJLVRIJ" in done.text
    assert house.rows(Entry)[0].awarded == "ship"


@pytest.mark.parametrize("consents", [[], ["style_profile"]])
def test_the_same_gift_comes_with_every_result(client, house, publish, consents):
    """CR-02, PZ-01."""
    bare = {f"quiz__outcomes__{number}__prize": None for number in range(3)}
    gift = SHIP | {"weight": 1}
    code = publish_other(publish, award="same-gift", prizes=[gift], **bare)

    for place, result in [("sea", "Coastal light"), ("sofa", "Warm nest")]:
        card = take_card(client, code)
        more = {"quiz.place": place, "quiz.evening": "soup", "quiz.warmth": "9"}
        first = card.send(client, AGREED | ANSWERS | (more if place == "sofa" else {}))
        done = card.claim(client, f"{place}@example.com", consents=consents)
        assert result in first.text
        assert "STIJLVRIJ" in done.text

    assert [each.awarded for each in house.rows(Entry)] == ["ship", "ship"]


@pytest.mark.parametrize(
    ("page", "site"),
    [
        ("https://be.shop.example/nl/lamp?who=ada", "https://be.shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("https://elsewhere.example/", "https://shop.example"),
        ("", "https://shop.example"),
    ],
)
def test_links_lead_to_the_site_of_the_shop_that_the_visitor_is_on(
    client, publish, page, site
):
    """T28: one of the shop's own, whoever asks; also where a claim is asked again."""
    sites = ["https://shop.example", "https://be.shop.example"]
    publish(campaign_file("style-quiz"), shop=shop_file(sites=sites))
    card = take_card(client, CODE, page=page)

    for answer in (
        card.send(client, AGREED | ANSWERS),
        card.claim(client, "nobody", headers={"HX-Request": "true"}),
    ):
        assert f'href="{site}/demo/product/lamp-vuurtoren"' in answer.text
        assert "\x01" not in answer.text


def test_a_result_that_a_newer_version_lacks_is_no_error(client, house, publish):
    """What was played is answered again, as far as it can still be told."""
    free = {"award": "nothing", "prizes": None, "terms": None, "minimum_age": 0}
    bare = {f"quiz__outcomes__{number}__prize": None for number in range(3)}
    code = publish_other(publish, **free, **bare)
    card = take_card(client, code)
    assert "Coastal light" in card.send(client, ANSWERS).text
    publish_other(publish, quiz__outcomes__0__key="shore", **RENAMED, **free, **bare)
    house.clock.advance(NOTICED)

    again = card.send(client, ANSWERS)
    claimed = card.claim(client)

    assert (again.status_code, claimed.status_code) == (200, 200)
    assert "Which home suits you?" in again.text
    assert house.rows(Entry)[0].state == "claimed"


def test_an_attribute_can_have_a_name_of_its_own(client, house, publish):
    code = publish_other(publish, quiz__questions__0__attribute="likes_to_be")
    card = take_card(client, code)
    card.send(client, AGREED | ANSWERS)
    card.claim(client, consents=["style_profile"])

    house.press(client, house.link("confirm"))

    assert known(house)["likes_to_be"] == ("choices", "sea")
    assert "place" not in known(house)


def test_a_slider_tells_a_page_that_turns_where_it_leads(client, publish):
    code = publish_other(publish, quiz__questions__2__slider__ranges__0__next="end")

    page = client.get(f"/w/{code}?lang=en").text
    answer = take_card(client, code).send(
        client, AGREED | ANSWERS | {"quiz.warmth": "1", "quiz.evening": ""}
    )

    assert 'data-leads="3:end 7: 10:"' in page
    assert answer.status_code == 200


def test_what_a_result_gives_is_fixed_once_it_is_published(house, publish):
    """PZ-09: wording and points may change, but not what each outcome gives."""
    publish_other(publish)

    publish_other(publish, quiz__outcomes__0__texts__en__title="Sea light")
    for changed in ({"quiz__outcomes__0__prize": None}, {"quiz__outcomes__2": None}):
        with pytest.raises(FileError) as refused:
            publish_other(publish, **changed)
        assert "PZ-09" in {fault.rule for fault in refused.value.faults}


def test_an_outcome_without_a_prize_gives_none(client, house, publish):
    tables = campaign_file("style-quiz").quiz.model_dump(mode="json", exclude_none=True)
    del tables["outcomes"][0]["prize"]
    placements = [{"code": "other-quiz", "shape": "inline"}]
    publish(
        campaign_file("style-quiz", code="other", quiz=tables, placements=placements)
    )
    card = take_card(client, "other-quiz")
    card.send(client, AGREED | ANSWERS)

    done = card.claim(client)

    assert done.status_code == 200
    assert entry(house).awarded == "nothing"
    assert house.letters("prize") == []


def test_a_quiz_without_prizes_asks_for_neither_age_nor_terms(client, publish):
    quiz = campaign_file("style-quiz").quiz.model_dump(mode="json", exclude_none=True)
    for outcome in quiz["outcomes"]:
        del outcome["prize"]
    free = {"award": "nothing", "prizes": [], "terms": {}, "minimum_age": 0}
    placements = [{"code": "free-quiz", "shape": "inline"}]
    publish(
        campaign_file(
            "style-quiz", code="free", quiz=quiz, placements=placements, **free
        )
    )

    card = take_card(client, "free-quiz")
    answer = card.send(client, ANSWERS)

    assert answer.status_code == 200
    assert "Coastal light" in answer.get_data(as_text=True)


def test_the_office_is_told_where_the_quiz_led(client, house):
    play(client)

    with house.database.reading() as session:
        shop_id = session.query(Shop).one().id
        (line,) = entries.page(
            session, shop_id, campaign=None, after=None, vault=house.vault
        ).lines
        (campaign,) = campaigns.listing(session, shop_id)

    assert (line.outcome, line.answers["place"]) == ("coast", "sea")
    assert campaign.outcomes["coast"] == {"nl": "Kustlicht", "en": "Coastal light"}
