"""The demo has a page for every game, shape and moment, each with the tag it takes."""

import tomllib

import pytest

from server.views.demo.games import GAMES, GROUPS
from tests.boxes import fill_boxes, take_box
from tests.factories import CAMPAIGNS, campaign_file

SERVICE = "http://service.test"
PLACED = {
    placement["code"]: placement
    for path in CAMPAIGNS.glob("*.toml")
    for placement in tomllib.loads(path.read_text()).get("placements", ())
}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_list_leads_to_every_page(pages, language):
    page = pages.get("/demo/games/", headers={"Accept-Language": language})

    links = [link.attrs["href"] for link in page.root.one("main").all("a")]
    assert links == [
        f"/demo/games/{game.slug}"
        for group in GROUPS
        for game in GAMES.values()
        if game.group == group.key
    ]
    assert len(links) == len(GAMES)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("slug", GAMES)
def test_a_page_tells_how_and_wears_the_tag_it_shows(pages, slug, language):
    game = GAMES[slug]

    page = pages.get(f"/demo/games/{slug}?lang={language}")

    assert page.h1 == game.name[language]
    assert [item.text for item in page.root.one("ol").all("li")] == [
        " ".join(step.split()) for step in game.steps[language]
    ]
    scripts = page.root.one("main").all("script")
    tags = [e.attrs for e in scripts if "data-placement" in e.attrs]
    if game.is_elsewhere:
        assert tags == []
        assert not game.link or f"{SERVICE}{game.link}" in page.text
    else:
        (tag,) = tags
        assert tag["data-placement"] == game.placement
        assert tag["src"] == f"{SERVICE}/embed.js"
        shown = [f'data-placement="{game.placement}"']
        shown += [f'data-{name}="{value}"' for name, value in game.data.items()]
        assert all(words in page.text for words in shown)


def test_every_page_is_about_a_placement_of_a_ready_made_campaign():
    lacking = {game.slug for game in GAMES.values() if game.placement not in PLACED}

    assert lacking == set()


def test_every_game_and_group_is_said_in_both_languages():
    for words in [
        *(text for group in GROUPS for text in (group.name, group.intro)),
        *(text for game in GAMES.values() for text in (game.name, game.intro)),
        *(call.label for game in GAMES.values() for call in game.buttons),
    ]:
        assert words.keys() == {"nl", "en"} and all(words.values())
    for game in GAMES.values():
        assert len(game.steps["nl"]) == len(game.steps["en"]) >= 1


def test_each_page_leads_to_the_next(pages):
    slugs = list(GAMES)
    seen, path = [], f"/demo/games/{slugs[0]}"
    while path:
        page = pages.get(path)
        seen.append(path.rpartition("/")[2])
        onward = [a for a in page.root.all("a") if a.attrs.get("rel") == "next"]
        path = onward[0].attrs["href"] if onward else ""

    assert seen == slugs


def test_a_page_of_these_lets_the_shops_own_script_in_and_nobody_elses(client):
    """EM-04: no inline code; the shop's origin beside ours, and only here."""
    policy = client.get("/demo/games/scratch").headers["Content-Security-Policy"]

    assert f"script-src {SERVICE} 'self'; frame-src {SERVICE};" in policy
    assert "unsafe" not in policy
    assert "'self'" not in script_source(client.get("/demo/"))
    assert "'self'" not in script_source(client.get("/demo/games/"))


def script_source(response) -> str:
    policy = response.headers["Content-Security-Policy"]
    return next(p for p in policy.split("; ") if p.startswith("script-src"))


def test_what_is_not_to_be_tried_is_not_there(pages):
    pages.get("/demo/games/nothing", status=404)


def test_a_label_is_shown_until_its_code_was_played(
    pages, client, publish, database, vault, now
):
    """PZ-11: the square and the characters of a box that nobody has opened yet."""
    publish(campaign_file("box-scratch"))
    first, second = fill_boxes(database, vault, now=now, size=2).labels

    page = pages.get("/demo/games/box-code?lang=en")

    label = page.root.one("div", id="label")
    assert first.typed in label.text
    assert label.one("a", href=f"{SERVICE}/b/{first.qr}").text == "Open it"
    take_box(client, first).enter(client)
    assert second.typed in pages.get("/demo/games/box-code").text
    take_box(client, second).enter(client, "other@example.com")
    assert "Met alle codes" in pages.get("/demo/games/box-code?lang=nl").text
