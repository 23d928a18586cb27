"""A campaign file: every fault is named by its place in the file (issue: a campaign
is data)."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.campaign import parse_campaign
from server.domain.parts import FileError, as_tables
from server.domain.shop import parse_shop
from tests.factories import CAMPAIGNS, campaign_file, campaign_tables, shop_file

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
FILES = sorted(
    path.stem for path in CAMPAIGNS.glob("*.toml") if path.stem != "demo-shop"
)


@pytest.mark.parametrize("name", FILES)
def test_a_campaign_reads_back_as_it_was_written(name: str):
    campaign = campaign_file(name)

    assert parse_campaign(as_tables(campaign)) == campaign


def test_a_shop_reads_back_as_it_was_written():
    assert parse_shop(as_tables(shop_file())) == shop_file()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": 2}, "format"),
        ({"code": "No Spaces"}, "code"),
        ({"code": "a\n"}, "code"),
        ({"mechanic": "slots"}, "mechanic"),
        ({"flow": None}, "flow"),
        ({"languages": []}, "languages"),
        ({"languages": ["fr"]}, "languages[1]"),
        ({"countries": ["BE"]}, "countries[1]"),
        ({"minimum_age": 12}, "minimum_age"),
        ({"starts": "tomorrow"}, "starts"),
        ({"starts": datetime(2026, 3, 1)}, "starts"),
        ({"starts": "0206-03-01T00:00:00Z"}, "starts"),
        ({"starts": "9999-12-31T00:00:00Z"}, "starts"),
        ({"ends": "2260-03-01T00:00:00Z"}, "ends"),
        ({"days": 0}, "days"),
        ({"name__nl": "two\nlines"}, "name.nl"),
        ({"texts__nl__title": ""}, "texts.nl.title"),
        ({"theme__accent": "red;}body{display:none"}, "theme.accent"),
        ({"theme__accent": "#e8590c\n"}, "theme.accent"),
        ({"fields__0__key": "First Name"}, "fields[1].key"),
        ({"purposes__1__channel": "phone"}, "purposes[2].channel"),
        ({"purposes__0__texts__nl__stop": None}, "purposes[1].texts.nl.stop"),
        ({"purposes__0__ticked": True}, "purposes[1].ticked"),
        ({"prizes__2__weight": -1}, "prizes[3].weight"),
        ({"prizes__0__stock": -1}, "prizes[1].stock"),
        ({"prizes__0__weight": "many"}, "prizes[1].weight"),
        ({"prizes__0__weight": True}, "prizes[1].weight"),
        ({"prizes__0__weight": 2.0}, "prizes[1].weight"),
        ({"days": "90"}, "days"),
        ({"fields__0__required": "yes"}, "fields[1].required"),
        ({"placements__0__height": 10}, "placements[1].height"),
        ({"placements__0__trigger__delay_seconds": -1}, None),
        ({"notice__nl__retention": None}, "notice.nl.retention"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_fault_is_named_by_its_place(change, place):
    with pytest.raises(FileError) as refusal:
        parse_campaign(campaign_tables(**change))

    places = [fault.place for fault in refusal.value.faults]
    expected = place or "placements[1].trigger.delay_seconds"
    assert places == [expected]


def test_every_fault_is_named_at_once():
    tables = campaign_tables(format=2, days=0, prizes__1__weight=-1)

    with pytest.raises(FileError) as refusal:
        parse_campaign(tables)

    assert {fault.place for fault in refusal.value.faults} == {
        "format",
        "days",
        "prizes[2].weight",
    }
    assert "prizes[2].weight: " in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sites": []}, "sites"),
        ({"sites": ["shop.nl"]}, "sites[1]"),
        ({"sites": ["https://shop.nl/path"]}, "sites[1]"),
        ({"sites": ["https://shop.nl 'unsafe-inline'"]}, "sites[1]"),
        ({"sites": ["https://*.nl"]}, "sites[1]"),
        ({"sender__email": "kim"}, "sender.email"),
        ({"sender__name": "Kim\r\nBcc: c@d.nl"}, "sender.name"),
        ({"legal__privacy_url": "javascript:alert(1)"}, "legal.privacy_url"),
        ({"legal__country": "Nederland"}, "legal.country"),
        ({"legal__phone": None}, "legal.phone"),
    ],
)
def test_a_shops_fault_is_named_by_its_place(change, place):
    """L-01: the controller is complete, and no line of it can leave its place."""
    with pytest.raises(FileError) as refusal:
        shop_file(**change)

    assert [fault.place for fault in refusal.value.faults] == [place]


def test_a_purpose_is_asked_only_in_its_languages():
    """CR-14."""
    campaign = campaign_file(purposes__0__texts__en=None)

    assert [p.key for p in campaign.asked_in("nl")] == ["newsletter", "personal_offers"]
    assert [p.key for p in campaign.asked_in("en")] == ["personal_offers"]


def test_a_campaign_opens_when_it_is_published_or_when_it_says():
    published = campaign_file(days=90)
    said = campaign_file(
        days=None, starts=NOW + timedelta(days=1), ends=NOW + timedelta(days=3)
    )

    assert published.window(NOW) == (NOW, NOW + timedelta(days=90))
    assert said.window(NOW) == (NOW + timedelta(days=1), NOW + timedelta(days=3))


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        ((None, None), "nl"),
        (("en", "nl"), "en"),
        ((None, "en-GB"), "en"),
        (("fr", "EN"), "en"),
        (("", "fr"), "nl"),
    ],
)
def test_a_campaign_speaks_the_first_wish_it_can(wishes, language):
    assert campaign_file(languages=["nl", "en"]).language(*wishes) == language
