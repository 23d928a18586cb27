"""What the loader is told: when to open, and nothing about anybody."""

import json

import pytest

from server.models import Campaign
from server.services import campaigns
from tests.factories import campaign_file
from tests.visits import NOTICED


@pytest.fixture(autouse=True)
def _published(publish):
    publish(campaign_file("lucky-scratch"))


def test_the_rule_says_when_and_how_to_open(client):
    answer = client.get("/p/lucky-dialog.json")

    rule = json.loads(answer.text)
    assert (rule["shape"], rule["url"]) == ("dialog", "/w/lucky-dialog")
    assert rule["trigger"] == {"delay": 4, "click": "[data-play='lucky']"}
    assert set(rule["words"]) == {"nl", "en"}


def test_the_module_says_the_same_as_the_data(client):
    """A strict policy need only name our host in `script-src`."""
    data, module = client.get("/p/lucky-dialog.json"), client.get("/p/lucky-dialog.js")

    assert module.mimetype == "text/javascript"
    said = module.text.removeprefix("export default ")
    assert json.loads(said) == json.loads(data.text)


@pytest.mark.parametrize("path", ["/p/lucky-dialog.json", "/p/lucky-dialog.js"])
def test_the_rule_may_be_kept_for_a_minute_by_anybody(client, path):
    """EM-01, T27: public, without a cookie, readable from the host's page."""
    answer = client.get(path)

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_asking_for_the_rule_stores_nothing(client, house):
    """EM-01: neither here nor there."""
    before = house.dump()

    for path in ("/p/lucky-dialog.json", "/w/lucky-dialog", "/terms/lucky-dialog"):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert client.open(path, method=method).status_code == 200

    assert house.dump() == before


def test_a_paused_game_does_not_open(client, house):
    client.get("/p/lucky-dialog.json")
    with house.database.transaction() as session:
        campaigns.set_paused(session, house.rows(Campaign)[0].id, paused=True)
    house.clock.advance(NOTICED)

    for path in ("/p/lucky-dialog.json", "/p/lucky-dialog.js"):
        assert client.get(path).status_code == 404


def test_a_selector_cannot_end_the_script(publish, client, house):
    """T4: what a shop types there is a string, in whatever it is wrapped."""
    hostile = "[data-play='</script><script>alert(1)</script>\u2028\"`${1}']"
    house.clock.advance(NOTICED)
    publish(campaign_file(placements__0__trigger__selector=hostile))

    module = client.get("/p/lucky-dialog.js").text

    assert "\u2028" not in module and module.count("\n") == 1
    rule = json.loads(module.removeprefix("export default "))
    assert rule["trigger"]["click"] == hostile
