"""What goes wrong is said clearly, in their language, and tells nothing else."""

import pytest
from flask import abort
from sqlalchemy.exc import OperationalError

from server import create_app
from server.db import DatabaseBusyError
from server.views import guards
from tests.factories import campaign_file
from tests.visits import EMAIL, take_card

CANARY = "canary-7f3a@example.com"


@pytest.fixture
def failing(settings, database):
    """An application with a route that fails as a test says."""
    app = create_app(settings)
    app.extensions["database"].dispose()
    app.extensions["database"] = database
    app.errors_to_raise = {}

    @guards.anyone
    def fail(name: str) -> str:
        raise app.errors_to_raise[name]

    app.add_url_rule("/fail/<name>", "fail", fail, methods=["GET", "POST"])

    def answer(error, **options):
        app.errors_to_raise["x"] = error
        return app.test_client().get("/fail/x", **options)

    return answer


@pytest.mark.parametrize(
    "error",
    [DatabaseBusyError(), OperationalError("SELECT 1", {}, Exception(CANARY))],
    ids=["busy", "broken"],
)
def test_a_database_in_trouble_asks_for_patience(failing, error):
    """I7: 503 with a moment to come back at, never a 500."""
    answers = [failing(error, headers={"Accept-Language": "en"}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {503}
    waits = {int(answer.headers["Retry-After"]) for answer in answers}
    assert waits <= set(range(2, 11)) and len(waits) > 1, "spread out"
    assert "Nothing is lost" in answers[0].text


def test_who_works_in_the_office_is_led_back_to_it(client):
    """And a visitor to the shop, where the office is no business of theirs."""
    english = {"Accept-Language": "en"}
    inside = client.get("/office/nowhere/at/all", headers=english)
    outside = client.get("/nowhere", headers=english)

    assert (inside.status_code, outside.status_code) == (404, 404)
    assert 'href="/office/"' in inside.text and "shop" not in inside.text
    assert "/office" not in outside.text and "back to the shop" in outside.text


def test_what_nobody_expected_tells_nothing(failing, capfd):
    """T23: no trace and no value, neither on the page nor in the log."""
    answer = failing(RuntimeError(f"could not write to {CANARY}"))

    said = answer.text + "".join(capfd.readouterr())
    assert answer.status_code == 500
    assert "Traceback" not in said and CANARY not in said
    assert "RuntimeError" in said, "the log names the kind"


@pytest.mark.parametrize(
    ("lang", "words"), [("nl", "Deze pagina bestaat niet"), ("en", "is not here")]
)
def test_errors_speak_the_visitors_language(pages, lang, words):
    page = pages.get("/nowhere", status=404, headers={"Accept-Language": lang})

    assert words in page.h1
    assert page.root.one("html").attrs["lang"] == lang


def test_a_script_gets_a_fragment(client):
    answer = client.get("/nowhere", headers={"HX-Request": "true"})

    assert answer.status_code == 404
    assert "<html" not in answer.text and 'id="stage"' in answer.text


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 414, 415, 429, 431])
def test_every_status_keeps_its_number(failing, status):
    error = None
    try:
        abort(status)
    except Exception as raised:  # noqa: BLE001
        error = raised

    assert failing(error).status_code == status


def test_a_redirect_is_no_error(client):
    assert client.get("/demo").status_code in {301, 302, 308, 404}


def test_a_whole_visit_leaves_no_person_in_the_log(publish, client, house, capfd):
    """T23: name, address, browser, page and IP of a visit through every step."""
    publish(campaign_file("welcome-scratch"))
    canaries = [EMAIL, "Canaryname", "canary-agent", "203.0.113.77", "canary-page"]
    seen = {
        "headers": {"User-Agent": "canary-agent"},
        "environ_overrides": {"REMOTE_ADDR": "203.0.113.77"},
    }
    card = take_card(client, page="http://localhost:8401/canary-page?who=canary-page")
    card.enter(
        client, consents=["newsletter"], more={"first_name": "Canaryname"}, **seen
    )
    card.enter(client, "wrong@canary-page", **seen)
    card.enter(client, more={"first_name": "Canaryname 1"}, **seen)
    link = house.link("confirm")
    house.press(client, link)
    client.post(link, **seen)
    client.post(house.link("unsubscribe"), **seen)
    client.get("/confirm/" + "canary-page" * 9, **seen)
    client.get(f"/nowhere?email={EMAIL}", **seen)

    logged = "".join(capfd.readouterr())
    for canary in [*canaries, link.rpartition("/")[2]]:
        assert canary not in logged
