"""What the linter refuses and advises about consents' texts (CR-04, L-11 to L-14)."""

import pytest

from server.domain import lint
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from tests.factories import campaign_file, campaign_tables

TEXT = "purposes__0__texts__nl__"


def judged(**changes):
    return lint.judge(campaign_file("welcome-scratch", **changes))


def rules(faults, *, refuses):
    return {fault.rule for fault in faults if fault.refuses is refuses}


def test_the_demo_campaigns_are_without_fault():
    for name in ("lucky-scratch", "welcome-scratch"):
        assert lint.judge(campaign_file(name)) == []


@pytest.mark.parametrize("part", ["title", "ask", "frequency", "stop"])
def test_no_part_of_a_consent_may_be_missing(part):
    """CR-04, L-11: kind of content, frequency and how to stop are each obligatory."""
    for value in (None, ""):
        with pytest.raises(FileError) as refused:
            campaign_file("welcome-scratch", **{TEXT + part: value})
        assert [f.place for f in refused.value.faults] == [
            f"purposes[1].texts.nl.{part}"
        ]


def test_a_consent_is_for_one_channel_that_we_know():
    """CR-04, CR-11."""
    for channel in ("sms", "phone", "", "email, sms"):
        with pytest.raises(FileError, match="purposes\\[1\\].channel"):
            campaign_file("welcome-scratch", purposes__0__channel=channel)


@pytest.mark.parametrize("left", ["{shop}", "[naam]", "Lorem ipsum", "TODO", "xxx"])
def test_a_placeholder_is_refused(left):
    """L-11."""
    assert rules(judged(**{TEXT + "ask": f"Ja, mail mij {left}."}), refuses=True) == {
        "L-11"
    }


@pytest.mark.parametrize(
    "ask", ["Ja, mail mij acties van onze partners.", "Ja, derden mogen mij mailen."]
)
def test_recipients_have_names(ask):
    """CR-05, L-05: nobody can say yes to whom they do not know."""
    faults = judged(**{TEXT + "ask": ask})

    assert rules(faults, refuses=True) == {"L-05"}


def shared(count: int, **changes):
    """Return purposes that share an address with so many companies, by name."""
    purposes = campaign_tables("welcome-scratch")["purposes"]
    one = purposes[0]
    names = [f"Lampenhuis {number} B.V." for number in range(count)]
    return purposes + [
        one
        | {
            "key": f"shared_{number}",
            "texts": {
                locale: text | {"recipient": name, "products": "lamps"} | changes
                for locale, text in one["texts"].items()
            },
        }
        for number, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("count", "allowed", "is_refused"),
    [(1, {}, False), (2, {}, True)]
    + [(8, {"most_recipients": 8}, False), (9, {"most_recipients": 8}, True)],
)
def test_an_address_goes_to_few_others(count, allowed, is_refused):
    """CR-05: one by default, eight at most."""
    faults = judged(purposes=shared(count), **allowed)

    assert rules(faults, refuses=True) == ({"L-05"} if is_refused else set())


def test_nobody_may_allow_more_than_eight():
    """CR-05."""
    with pytest.raises(FileError, match="most_recipients"):
        campaign_file("welcome-scratch", most_recipients=9)


def test_a_recipient_is_told_with_its_products_and_by_its_name():
    """CR-05: neither without the other, one name in all languages, no group."""
    other = {TEXT + "recipient": "Lampenhuis B.V."}
    cases = [
        other,
        {TEXT + "products": "lampen"},
        other | {TEXT + "products": "lampen"},
        {"purposes": shared(1, recipient="Onze partners")},
    ]

    for changes in cases:
        assert rules(judged(**changes), refuses=True) == {"L-05"}, changes


@pytest.mark.parametrize(
    "ask",
    [
        "Ja, " + "heel " * 91,
        "Nee, ik hou niet van korting",
        "Wil je dit missen? Mis dit",
    ],
)
def test_long_and_shaming_texts_are_advised_against(ask):
    """L-12, CR-08."""
    faults = judged(**{TEXT + "ask": ask[:400]})

    assert rules(faults, refuses=False) == {"L-12"}
    assert rules(faults, refuses=True) == set()


def test_one_thing_has_one_name():
    """CR-04, L-13."""
    ask = "Ja, mail mij de nieuwsbrief en informatie."
    faults = judged(**{TEXT + "ask": ask})

    assert rules(faults, refuses=False) == {"L-13"}


@pytest.mark.parametrize(
    "place",
    [
        *("name__en", "texts__en", "notice__en", "terms__en"),
        *("prizes__0__texts__en", "fields__0__label__en", "fields__0__why__en"),
    ],
)
def test_a_language_is_whole_or_absent(place):
    """CR-14, L-14: each missing text is named by its place."""
    faults = [f for f in judged(**{place: None}) if f.refuses]

    assert [fault.rule for fault in faults] == ["L-14"]
    assert faults[0].place.endswith(".en")


def test_a_consent_without_text_is_told_but_no_fault():
    """CR-14: it is then not asked in that language."""
    faults = judged(purposes__0__texts__en=None)

    assert [(f.rule, f.refuses, f.place) for f in faults] == [
        ("L-14", False, "purposes[1].texts.en")
    ]


def test_only_the_address_should_be_obligatory():
    """CR-09, L-17."""
    assert rules(judged(fields__0__required=True), refuses=False) == {"L-17"}


def test_no_field_takes_a_name_of_ours():
    for key in ("email", "terms", "adult", "ticket", "seed"):
        assert "unique" in rules(judged(fields__0__key=key), refuses=True)


def test_nothing_in_the_file_can_tick_a_box_or_join_two():
    """L-02, L-04, L-03: a file has no word for it, so it cannot be said."""
    for key in ("ticked", "default", "required", "with_terms", "purposes", "odds"):
        tables = campaign_tables("welcome-scratch")
        tables["purposes"][0][key] = True
        with pytest.raises(FileError, match=f"purposes\\[1\\].{key}"):
            parse_campaign(tables)


PRIZE = {
    "key": "gift",
    "kind": "voucher",
    "weight": 1,
    "texts": {
        locale: {"label": "A gift", "claim": "Show it."} for locale in ("nl", "en")
    },
}
NO_PRIZE = PRIZE | {"key": "no", "kind": "none"}


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"award": "outcome"}, "award", "PZ-01"),
        ({"award": "nothing"}, "award", "PZ-01"),
        ({"prizes": [], "fallback": "no"}, "prizes", "L-28"),
        ({"award": "nothing", "mechanic": "form"}, "prizes", "L-28"),
        ({"minimum_age": 0}, "minimum_age", "L-31"),
        ({"minimum_age": 16}, "minimum_age", "L-31"),
        ({"award": "everybody-wins", "prizes": [PRIZE, NO_PRIZE]}, "prizes", "L-32"),
        ({"award": "same-gift", "prizes": [NO_PRIZE]}, "prizes", "L-32"),
        ({"award": "same-gift", "prizes": [PRIZE | {"stock": 3}]}, "prizes", "L-28"),
        ({"texts__nl__won": None}, "texts.nl.won", "L-14"),
        ({"texts__en__foil": None}, "texts.en.foil", "L-14"),
    ],
)
def test_a_way_to_a_prize_that_cannot_be_is_refused(changes, place, rule):
    """PZ-01, L-28, L-31, L-32."""
    found = {(fault.place, fault.rule) for fault in judged(**changes) if fault.refuses}

    assert (place, rule) in found


def test_the_same_gift_for_all_needs_no_fallback():
    faults = judged(award="same-gift", prizes=[PRIZE], fallback=None)

    assert faults == []


def test_a_form_may_give_nothing_and_then_asks_for_no_terms():
    changes = {"mechanic": "form", "award": "nothing", "prizes": [], "terms": {}}
    changes |= {"fallback": None, "minimum_age": 0}
    changes |= {f"texts__{locale}__done": "Thank you" for locale in ("nl", "en")}

    assert judged(**changes) == []


def test_a_prize_of_which_there_is_none_is_advised_against():
    """PZ-04: it would be offered with odds, and nobody could have it."""
    (fault,) = judged(prizes__0__stock=0)

    assert (fault.place, fault.rule) == ("prizes[1].stock", "PZ-04")
    assert not fault.refuses


def test_a_choice_of_what_is_not_there_is_named_where_turns_are_limited():
    pick = PRIZE | {"kind": "choice", "options": ["mugg", "totte"]}
    faults = judged(flow="play-first", entries_per_day=1, prizes__0=pick)

    assert "prizes[1].options[1]" in [fault.place for fault in faults]


BOX = {"code": "some-box", "channel": "box", "shape": "page"}


@pytest.mark.parametrize("limit", ["entries_per_address", "entries_per_day"])
@pytest.mark.parametrize(
    ("changes", "is_advised"),
    [
        ({"flow": "play-first"}, True),
        ({"flow": "form-first"}, False),
        ({"flow": "play-first", "placements": [BOX]}, False),
        ({"flow": "play-first", "award": "same-gift", "prizes": [PRIZE]}, False),
    ],
)
def test_a_limit_that_many_tabs_get_round_is_advised_against(
    limit, changes, is_advised
):
    """PZ-10: who plays first is known at the claim alone, and claims the best."""
    options = {"fallback": None} if "prizes" in changes else {}
    faults = judged(**changes | options | {limit: 1})

    assert [fault.place for fault in faults] == ([limit] if is_advised else [])
    assert not any(fault.refuses for fault in faults)
