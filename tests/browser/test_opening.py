"""What opens a placement by itself, and what keeps it closed (CR-08, CR-12, EM-02)."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.stage import TALL, Stage
from tests.browser.visit import accept_terms, fill_person, say_adult, submit, until

# --- the other triggers ------------------------------------------------------------


def test_it_opens_at_a_depth_of_the_page(stage: Stage) -> None:
    stage.go(stage.place(trigger={"scroll_percent": 50}))
    stage.page.evaluate("scrollTo(0, 1000)")
    assert not stage.is_open()

    stage.page.evaluate("scrollTo(0, 3500)")

    assert stage.is_open()


def test_it_opens_after_inactivity(stage: Stage) -> None:
    stage.page.clock.install()
    stage.go(stage.place(trigger={"idle_seconds": 10}))
    stage.page.clock.run_for(8_000)
    stage.page.mouse.move(50, 60)
    stage.page.clock.run_for(8_000)
    assert stage.box.locator("visible=true").count() == 0

    stage.page.clock.run_for(4_000)

    expect(stage.box.first).to_be_visible()


def test_it_opens_after_so_many_pages_that_the_shop_swaps_in(stage: Stage) -> None:
    views = {"kind": "product", "least": 3}
    stage.go(stage.place(trigger={"views": views}))
    for number in range(2):
        stage.page.evaluate("jawoord('view', 'product')")
        stage.page.evaluate("n => history.pushState({}, '', '/opening/' + n)", number)
        assert not stage.is_open()

    stage.page.evaluate("jawoord('view', 'product')")

    assert stage.is_open()


def test_pages_are_counted_across_loads_where_the_page_allows_it(stage: Stage) -> None:
    """EM-02: only with the host's word is a count kept from page to page."""
    code = stage.place(trigger={"views": {"kind": "product", "least": 2}})
    plain = "<div data-jawoord-page=product></div>"
    for path in ("/one", "/two"):
        stage.go(code, path=path, body=plain)
        assert not stage.is_open()
        assert stage.page.evaluate("sessionStorage.length") == 0
    allowed = "<div data-jawoord-page=product data-jawoord-storage=yes></div>"

    stage.go(code, path="/one", body=allowed)
    assert not stage.is_open()
    stage.go(code, path="/two", body=allowed)

    assert stage.is_open()


@pytest.mark.parametrize("way", ["attribute", "call", "queue"])
def test_it_opens_by_what_is_in_the_basket(stage: Stage, way: str) -> None:
    code = stage.place(trigger={"basket": {"least_cents": 5_000}})
    bodies = {
        "attribute": '<p data-jawoord-basket="6000 2"></p>',
        "call": "",
        "queue": "<script>window.jawoord = window.jawoord || [];"
        "jawoord.push(['basket', { cents: 6000, items: 2 }])</script>",
    }
    stage.go(code, body=bodies[way])
    if way == "call":
        stage.page.evaluate("jawoord('basket', { cents: 4999, items: 9 })")
        assert not stage.is_open()
        stage.page.evaluate("jawoord('basket', { cents: 5000, items: 1 })")

    assert stage.is_open()


def test_it_opens_when_an_order_is_done(stage: Stage) -> None:
    stage.go(stage.place(trigger={"order": True}))
    assert not stage.is_open()

    stage.page.evaluate("jawoord('order', { reference: 'A-1', amount: 4590 })")

    assert stage.is_open()


@pytest.mark.parametrize(
    "say",
    [
        "jawoord('event', 'bye')",
        "document.dispatchEvent(new Event('bye'))",
        "(window.dataLayer = window.dataLayer || []).push({ event: 'bye' })",
    ],
)
def test_it_opens_by_an_event_of_the_shop(stage: Stage, say: str) -> None:
    stage.go(stage.place(trigger={"event": "bye"}))
    stage.page.evaluate("jawoord('event', 'other')")
    assert not stage.is_open()

    stage.page.evaluate(say)
    stage.page.wait_for_timeout(600)

    assert stage.is_open()


def test_triggers_count_together(stage: Stage) -> None:
    trigger = {"match": "all", "scroll_percent": 30, "event": "bye"}
    stage.go(stage.place(trigger=trigger))
    stage.page.evaluate("jawoord('event', 'bye')")
    stage.page.evaluate("scrollTo(0, 4000)")
    assert not stage.is_open()

    stage.page.evaluate("jawoord('event', 'bye')")

    assert stage.is_open()


@pytest.mark.parametrize(
    ("where", "path", "opens"),
    [
        ({"include": ["/sale*"]}, "/sale-now", True),
        ({"include": ["/sale*"]}, "/shoes", False),
        ({"include": ["?from=ad"]}, "/shoes?from=ad", True),
        ({"include": ["?from=ad"]}, "/shoes?from=add", False),
        ({"exclude": ["*/private*"]}, "/a/private/b", False),
        ({"languages": ["nl"]}, "/x", True),
        ({"languages": ["en"]}, "/x", False),
        ({"visit": "new"}, "/x", True),
        ({"visit": "returning"}, "/x", False),
        ({}, "/my/checkout/step", False),
        ({}, "/shoes?utm_medium=email", False),
        ({"from_mail": True}, "/shoes?utm_medium=email", True),
    ],
)
def test_pages_and_visits_that_do_not_fit_stay_quiet(
    stage: Stage, where: dict[str, Any], path: str, opens: bool
) -> None:
    code = stage.place(trigger={"delay_seconds": 0}, where=where)

    stage.go(code, path=path)

    assert stage.is_open() is opens


def test_a_second_page_of_the_visit_is_a_return(stage: Stage) -> None:
    code = stage.place(trigger={"delay_seconds": 0}, where={"visit": "returning"})
    stage.go(code, path="/first", body="<a href=/second>On</a>")
    assert not stage.is_open()
    stage.host.put("/second", TALL + stage.tag(code))

    stage.page.locator("a").click()
    stage.page.wait_for_timeout(600)

    assert stage.is_open()


def test_a_page_that_calls_itself_checkout_is_left_alone(stage: Stage) -> None:
    code = stage.place(trigger={"delay_seconds": 0})
    stage.go(code, body="<main data-jawoord-page=checkout>Pay</main>")

    assert not stage.is_open()


# --- restraint ---------------------------------------------------------------------


def test_one_budget_for_all_placements_of_a_shop(stage: Stage) -> None:
    """CR-08: of two that would open, one does; a press opens the other all the same."""
    one = stage.place(trigger={"event": "one"})
    two = stage.place(trigger={"event": "two", "selector": "h1"})
    stage.go(one, two)
    stage.page.evaluate("jawoord('event', 'one')")
    assert stage.is_open()
    stage.page.keyboard.press("Escape")

    stage.page.evaluate("jawoord('event', 'two')")
    assert not stage.is_open()
    stage.page.locator("h1").click()

    assert stage.is_open()


def test_the_day_is_counted_only_with_the_pages_word(
    stage: Stage, context: BrowserContext
) -> None:
    """EM-02: two a day, however many sessions."""
    code = stage.place(trigger={"event": "now"})
    body = "<p data-jawoord-storage=yes></p>" + TALL
    seen = []
    for _ in range(3):
        stage.page = context.new_page()
        stage.go(code, body=body)
        stage.page.evaluate("sessionStorage.clear()")
        stage.page.evaluate("jawoord('event', 'now')")
        seen.append(stage.is_open())

    assert seen == [True, True, False]


def test_after_an_entry_nothing_more_is_offered(stage: Stage) -> None:
    """CR-08."""
    one = stage.place(trigger={"selector": "h1"})
    two = stage.place(trigger={"event": "two"})
    stage.go(one, two)
    stage.page.locator("h1").click()
    expect(stage.box.first).to_be_visible()
    frame = stage.page.frames[-1]
    fill_person(frame, "eenmaal@huispost.nl")
    say_adult(frame)
    accept_terms(frame)
    submit(frame)
    until(stage.page, "sessionStorage.getItem('jawoord.') === 'done'")
    stage.page.keyboard.press("Escape")

    stage.page.evaluate("jawoord('event', 'two')")

    assert not stage.is_open()


def test_a_close_is_remembered_in_the_act(stage: Stage) -> None:
    """CR-12: a page that is left in the same moment does not forget it."""
    code = stage.place(trigger={"selector": "h1"})
    stage.go(code)
    stage.page.locator("h1").click()
    expect(stage.box.first).to_be_visible()

    kept = stage.page.evaluate(
        """code => {
          const host = document.querySelector('jawoord-widget')
          host.shadowRoot.querySelector('button.close').click()
          return sessionStorage.getItem('jawoord.' + code)
        }""",
        code,
    )

    assert kept == "closed"
