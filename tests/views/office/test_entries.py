"""A shop's entries, and finding a person by their address."""

from server.services.office import pager
from tests.factories import campaign_file, publish
from tests.office import EMAIL, play
from tests.visits import AGREED, take_card

LIST = "/office/demo/entries"


def rows(page):
    return page.root.one("tbody").all("tr")


def test_entries_come_newest_first(owner, app, house, now):
    play(app, house.database, now, email="second@home.example")

    people = [row.all("td")[0].text for row in rows(owner.get(LIST))]

    assert people == ["second@home.example", EMAIL]


def test_every_entry_is_on_one_page_and_only_one(owner, app, house, now, monkeypatch):
    monkeypatch.setattr(pager, "LINES", 3)
    for number in range(7):
        play(app, house.database, now, email=f"p{number}@home.example")

    people = [row.all("td")[0].text for row in owner.every_row(LIST)]

    assert people == [f"p{number}@home.example" for number in range(6, -1, -1)] + [
        EMAIL
    ]


def test_a_campaign_narrows_the_list(owner, house):
    assert len(rows(owner.get(f"{LIST}?campaign={house.campaign}"))) == 1
    owner.get(f"{LIST}?campaign=nothing", status=404)


def test_a_place_that_is_none_is_not_there(owner):
    for after in ("ff", "zz", "0" * 32, "%00"):
        owner.get(f"{LIST}?after={after}", status=404)


def test_a_person_is_found_by_the_exact_address_alone(viewer, house):
    form = viewer.get(LIST).form("find")

    found = viewer.submit(form, email=f" {EMAIL.upper()} ", status=303)
    missed = viewer.submit(form, email="iri@home.example")
    unreadable = viewer.submit(form, email="%@", status=422)

    assert found.location == f"/office/demo/contacts/{house.contact}"
    assert missed.root.by_id("problem").text
    assert missed.form("find").values["email"] == "iri@home.example"
    assert unreadable.root.by_id("problem").text


def test_the_address_searched_for_is_in_no_url(viewer):
    form = viewer.get(LIST).form("find")

    assert form.method == "post"


def test_a_shop_without_entries_says_what_to_do(house):
    from tests.pages import Pages

    page = Pages(house.client(house.stranger)).get("/office/other/entries")

    assert not page.root.all("table")
    assert page.root.one("div", class_="empty").text


def test_where_a_quiz_led_and_what_was_answered_is_on_the_entry(owner, app, house):
    vault = app.extensions["tools"].vault
    with house.database.transaction() as session:
        publish(session, campaign_file("style-quiz"), vault=vault, now=house.now)
    client = app.test_client()
    card = take_card(client, "style-quiz-inline")
    chosen = {"quiz.place": "sofa", "quiz.warmth": "9", "quiz.evening": "soup"}
    assert card.send(client, AGREED | chosen).status_code == 200

    newest = rows(owner.get(f"{LIST}?campaign=style-quiz"))[0]

    assert "Warm nest" in newest.text
    assert "place Op de bank, onder een plaid" in newest.text
    assert "warmth 9" in newest.text
