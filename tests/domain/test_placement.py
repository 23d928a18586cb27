"""Where and when a placement may open, as its file says it."""

import pytest

from server.domain import lint
from server.domain.parts import FileError
from server.domain.rule import rule_of
from tests.factories import campaign_file, shop_file


def placed(**placement):
    placement = {"code": "here", "shape": "dialog"} | placement
    return campaign_file("welcome-scratch", placements=[placement])


def rule(shop=None, **placement):
    campaign = placed(**placement)
    frame = "/widget/1/frame.js"
    return rule_of(campaign, campaign.placements[0], shop or shop_file(), frame=frame)


@pytest.mark.parametrize(
    "selector",
    [
        *("#play", ".btn.big", "button", "*", "[data-play]", "[data-play='lucky']"),
        *('a[href^="/sale"]', "nav > a, .footer a", "main .card + .card", "#a~#b"),
    ],
)
def test_what_names_a_button_is_taken(selector):
    assert rule(trigger={"selector": selector})["trigger"]["click"] == selector


@pytest.mark.parametrize(
    "selector",
    [
        *("", "[", "#1", "a >", ", a", "a,,b", ":::", "[x='", "a:has(", "a{}", "."),
        *("a\nb", "</script>", "[x=1 2]", "#é{", "'", "a" * 201),
    ],
)
def test_what_a_browser_cannot_read_is_refused(selector):
    """It would be an error at every press on the shop's page."""
    with pytest.raises(FileError, match=r"placements\[1\].trigger.selector"):
        placed(trigger={"selector": selector})


@pytest.mark.parametrize(
    ("placement", "place"),
    [
        ({"shape": "inline", "trigger": {"delay_seconds": 1}}, "trigger"),
        ({"shape": "page", "channel": "link", "trigger": {"order": True}}, "trigger"),
        (
            {"trigger": {"match": "all", "exit_intent": True, "event": "x"}},
            "trigger",
        ),
        ({"channel": "till"}, "shape"),
        ({"channel": "link", "shape": "dialog"}, "shape"),
        ({"where": {"include": ["/a"], "exclude": ["/a"]}}, "where"),
        ({"where": {"include": ["/sale/shoes*"], "exclude": ["/sale*"]}}, "where"),
        ({"where": {"include": ["?a=1"], "exclude": ["?a=*"]}}, "where"),
        ({"trigger": {"exit_touch": ["idle"]}}, "trigger.exit_touch"),
        (
            {"trigger": {"basket": {"least_cents": 2, "most_cents": 1}}},
            "trigger.basket",
        ),
    ],
)
def test_what_can_never_open_is_refused(placement, place):
    faults = [f.place for f in lint.judge(placed(**placement)) if f.refuses]

    assert f"placements[1].{place}" in faults


@pytest.mark.parametrize(
    ("include", "exclude"),
    [("/sale*", "/sale/shoes*"), ("/sale", "?a=1"), ("/a*", "/ab*"), ("?a=*", "?a=1")],
)
def test_a_page_that_is_only_partly_kept_out_is_no_contradiction(include, exclude):
    where = {"include": [include], "exclude": [exclude]}

    assert [f for f in lint.judge(placed(where=where)) if f.refuses] == []


@pytest.mark.parametrize(
    ("trigger", "is_advised"),
    [
        ({"exit_intent": True}, True),
        ({"exit_intent": True, "exit_touch": ["idle"]}, True),
        ({"exit_intent": True, "selector": "#play"}, False),
        ({"exit_intent": True, "delay_seconds": 20}, False),
        ({"delay_seconds": 4}, False),
    ],
)
def test_an_offer_that_only_a_pointer_gets_is_advised_against(trigger, is_advised):
    """AX-01: by keyboard the page is never left through its top edge."""
    campaign = placed(trigger=trigger)

    advice = [f.rule for f in lint.judge(campaign) if not f.refuses]

    assert ("AX-01" in advice) is is_advised


def test_an_offer_that_is_also_a_button_needs_no_advice():
    tab = {"code": "tab", "shape": "tab"}
    dialog = {"code": "leave", "shape": "dialog", "trigger": {"exit_intent": True}}

    assert lint.judge(campaign_file("welcome-scratch", placements=[dialog, tab])) == []


def test_what_is_unset_is_left_out():
    """Every page of the shop pays for each letter of it."""
    told = rule()

    assert "trigger" not in told
    assert "hidden" not in told
    assert set(told["where"]) == {"out", "mail"}


def test_a_tab_that_waits_for_nothing_is_there_at_once():
    assert rule(shape="tab")["trigger"] == {"delay": 0}
    assert rule(shape="bar", trigger={"order": True})["trigger"] == {"order": True}


def test_a_basket_without_an_upper_bound_has_none():
    some = rule(trigger={"basket": {"least_cents": 100, "most_cents": 200}})
    most = rule(trigger={"basket": {"least_cents": 100}})

    assert some["trigger"]["basket"] == [1, 100, 200]
    assert most["trigger"]["basket"] == [1, 100]


def test_the_checkout_of_the_shop_is_kept_out_everywhere():
    told = rule(shop=shop_file(checkout=["/pay*"]), where={"exclude": ["/vip"]})

    assert told["where"]["out"] == r"^/vip(?:\?|$)|^/pay[^?]*(?:\?|$)"


def test_who_comes_from_a_mail_is_known_by_what_the_shop_writes_there():
    """CR-08: by default by `utm_medium=email`."""
    assert rule()["where"]["mail"] == r"[?&]utm_medium=email(?:&|$)"
    other = rule(shop=shop_file(from_mail=["?via=post", "?mc_cid=*"]))
    assert other["where"]["mail"] == r"[?&]via=post(?:&|$)|[?&]mc_cid=[^&]*(?:&|$)"
    assert "mail" not in rule(where={"from_mail": True})["where"]


def test_the_budget_is_the_shops():
    assert rule(shop=shop_file(budget={"session": 3, "day": 5}))["budget"] == [3, 5]


@pytest.mark.parametrize(
    ("name", "said", "height"),
    [
        ("welcome-wheel", None, 640),
        ("footer-newsletter", None, 260),
        ("footer-newsletter", 420, 420),
    ],
)
def test_a_line_that_unfolds_reserves_a_line_and_not_a_game(name, said, height):
    """Unless the file says how high it is: it would stand on an empty sheet."""
    placement = {"code": "here", "shape": "dialog"} | ({"height": said} if said else {})
    placement["trigger"] = {"selector": "h1"}
    campaign = campaign_file(name, placements=[placement])

    told = rule_of(campaign, campaign.placements[0], shop_file(), frame="/f.js")

    assert told["height"] == height
