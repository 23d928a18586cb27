"""Pages behind a mail, read in another language than the one their person has."""

import pytest

from server.models import ConsentEvent, Contact, Text
from tests.factories import campaign_file
from tests.visits import READING, sure_win, take_card

ENGLISH, DUTCH = "What you get from", "Wat je krijgt van"


@pytest.fixture
def page_of(publish, client, house):
    """Somebody Dutch who said yes to one of two; return the link of a place."""
    publish(sure_win(days=365))
    publish(campaign_file("footer-newsletter"))
    take_card(client, lang="nl").enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    return house.link


def ways(page):
    """Return the links of the switch by their names."""
    nav = page.root.one("nav", class_="languages no-print")
    return {link.text: link for link in nav.all("a")}


def test_the_page_is_in_the_persons_language_until_they_switch(pages, page_of):
    """WD-05: by a link, so without a script and without a cookie."""
    page = pages.get(page_of("preferences"), headers={"Accept-Language": "en"})
    assert page.h1.startswith(DUTCH)
    assert page.root.one("span", aria_current="true").text == "Nederlands"
    ((name, link),) = ways(page).items()
    assert (name, link.attrs["lang"]) == ("English", "en")

    other = pages.get(link.attrs["href"])

    assert other.h1.startswith(ENGLISH)
    assert other.root.one("html").attrs["lang"] == "en"
    assert "Set-Cookie" not in other.response.headers
    back = pages.get(ways(other)["Nederlands"].attrs["href"])
    assert back.h1.startswith(DUTCH)


def test_it_holds_for_every_page_and_press_from_there(pages, page_of, clock):
    page = pages.get(page_of("preferences") + "?lang=en")

    held = pages.follow(pages.submit(page.form("/hold"), status=303))
    assert "Your data is on hold" in held.text
    for place in ("address", "erase"):
        (href,) = [
            link.attrs["href"]
            for link in held.root.all("a", class_="other")
            if f"/{place}" in link.attrs["href"]
        ]
        further = pages.get(href)
        assert further.root.one("html").attrs["lang"] == "en"
        assert set(ways(further)) == {"Nederlands"}
    wrong = pages.submit(
        pages.get(f"{page_of('preferences')}/address?lang=en").form(),
        email="nowhere",
        status=422,
    )
    assert "This is not an address we can mail to" in wrong.text
    clock.advance(READING)
    gone = pages.submit(further.form("/erase"), status=303)
    assert gone.response.location.endswith("/done/erased/demo/en")


def test_what_was_done_is_told_in_both(pages, page_of):
    page = pages.get(page_of("preferences") + "?lang=en")
    done = pages.follow(pages.submit(page.form("/all-off"), status=303))
    assert "have stopped" in done.text

    dutch = pages.get(ways(done)["Nederlands"].attrs["href"])

    assert "gestopt" in dutch.root.one("div", role="status").text


def test_a_yes_is_to_the_words_that_were_read_and_their_language_stays(
    pages, page_of, house
):
    """WD-07, PR-01: the fact says which wording; the person is as Dutch as before."""
    page = pages.get(page_of("preferences") + "?lang=en")
    name = "want.personal_offers"
    yes = page.root.one("input", name=name).attrs["value"]

    pages.submit(page.form("/save"), **{name: yes}, status=303)

    event = house.rows(ConsentEvent, purpose="personal_offers", act="given")[-1]
    (text,) = house.rows(Text, sha256=event.text_hash)
    assert (event.locale, text.locale) == ("en", "en")
    assert [row.locale for row in house.rows(Contact)] == ["nl"]
    assert pages.get(page_of("preferences")).h1.startswith(DUTCH)


def test_what_was_said_yes_to_stays_in_its_words_and_says_their_language(
    pages, page_of
):
    """WCAG 3.1.2: a screen reader has to know whose words it reads."""
    page = pages.get(page_of("preferences") + "?lang=en")

    titles = [
        (card.one("strong").text, card.one("strong").attrs["lang"])
        for card in page.root.one("ul", class_="cards").all("li")
    ]
    assert titles == [("Nieuwsbrief", "nl"), ("Offers that suit me", "en")]
    words = page.root.by_id("want-newsletter").one("details").one("p")
    assert words.attrs["lang"] == "nl"


def test_what_is_offered_in_dutch_alone_is_not_said_to_be_offered_no_more(
    publish, client, house, pages
):
    publish(sure_win(days=365, languages=["nl"]))
    take_card(client, lang="nl").enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    page = pages.get(house.link("preferences") + "?lang=en")
    assert "Nieuwsbrief" in page.root.by_id("want-newsletter").text

    done = pages.follow(pages.submit(page.form("/all-off"), status=303))

    card = done.root.by_id("want-newsletter").text
    assert "Off since" in card
    assert "does not offer it at the moment" not in card
    dutch = pages.get(house.link("preferences"))
    assert dutch.root.by_id("want-newsletter").one("input", role="switch")


def test_a_receipt_can_be_read_in_both(pages, page_of):
    """PR-09: what was said yes to stays in the words it was said to."""
    dutch = pages.get(page_of("receipt"))
    english = pages.get(ways(dutch)["English"].attrs["href"])

    assert dutch.h1 == "Je bewijs van Noord & Zon"
    assert english.h1 == "Your receipt from Noord & Zon"
    quotes = [page.root.one("blockquote") for page in (dutch, english)]
    assert quotes[0].text == quotes[1].text
    assert quotes[1].attrs["lang"] == "nl"


@pytest.mark.parametrize("lang", ["fr", "", "nl&_external=1&endpoint=x&_anchor=y"])
def test_a_language_that_we_do_not_speak_changes_nothing(pages, page_of, lang):
    page = pages.get(f"{page_of('preferences')}?lang={lang}")

    assert page.h1.startswith(DUTCH)
    for link in ways(page).values():
        assert link.attrs["href"].startswith("/preferences/")


@pytest.mark.parametrize("place", ["confirm", "prize", "unsubscribe"])
def test_what_has_words_of_one_language_alone_has_no_switch(pages, page_of, place):
    page = pages.get(page_of(place) + "?lang=en")

    assert page.root.one("html").attrs["lang"] == "nl"
    assert not page.root.all("nav", class_="languages no-print")
