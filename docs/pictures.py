"""Take the README's pictures of a running demo: `make pictures`.

Every picture is of the real product in a real browser; nothing is drawn by hand.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from server.showroom import MEMBERS, PASSWORD
from tests.browser.shop import Demo
from tests.browser.visit import Visit, address, fill_person, play, reveal, submit
from tests.conftest import CHROMIUM_ARGS, chromium

FOLDER = Path(__file__).parent / "pictures"
MOST_BYTES = 150_000
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SETTLED_MS = 2_500


def main() -> None:
    """Start a demo, take every picture, and stop it."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=CHROMIUM_ARGS
        )
        try:
            for take in (*README, *GALLERY):
                take(browser, demo)
        finally:
            browser.close()
            demo.stop()


@contextmanager
def visitor(browser: Browser, demo: Demo, **wishes: Any) -> Iterator[Visit]:
    """A visitor who reads English, as the README does."""
    context = browser.new_context(
        **{"locale": "en-GB", "timezone_id": "Europe/Amsterdam", "viewport": DESK}
        | wishes
    )
    yield Visit(demo, context.new_page())
    context.close()


def keep(page: Page, name: str) -> None:
    """Keep what the tab shows, and refuse what would make the README heavy."""
    page.wait_for_timeout(SETTLED_MS)
    path = FOLDER / f"{name}.jpg"
    page.screenshot(path=path, type="jpeg", quality=86, animations="disabled")
    size = path.stat().st_size
    print(f"{size:>8,}  {path.name}")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size} bytes; at most {MOST_BYTES}")


def dialog(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo) as visit:
        visit.shop().open()
        keep(visit.page, "dialog")


def phone(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo, viewport=PHONE, has_touch=True) as visit:
        game = visit.shop().open()
        play(game)
        _scratch_a_little(game.page, game)
        keep(visit.page, "scratching")


def _scratch_a_little(page: Page, game: Any) -> None:
    """Leave enough foil to see what it is."""
    page.wait_for_timeout(1_000)
    box = game.locator("canvas.foiled").bounding_box()
    mouse = page.mouse
    mouse.move(box["x"] + 12, box["y"] + box["height"] * 0.75)
    mouse.down()
    for x, y in ((0.3, 0.35), (0.4, 0.7), (0.55, 0.3), (0.66, 0.62)):
        mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=9)
    mouse.up()


def consents(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo, viewport=PHONE) as visit:
        game = visit.shop().open()
        play(game)
        reveal(game)
        fill_person(game, "ada@huispost.nl", "newsletter", name="Ada")
        game.evaluate("document.querySelector('#consents').scrollIntoView()")
        keep(visit.page, "consents")


def mail(browser: Browser, demo: Demo) -> None:
    """Also fills the office, which comes next."""
    with visitor(browser, demo) as visit:
        for name in ("Ada", "Grace", "Hedy"):
            email = address(name.lower())
            game = visit.straight("lucky-inline", lang="en")
            play(game)
            reveal(game)
            fill_person(game, email, "newsletter", name=name)
            submit(game)
            mails = visit.mails(email, least=2)
            asks = visit.read_mail(mails["confirm"])
            link = asks.locator(f"a[href^='{demo.service}/confirm/']").first
            visit.page.goto(str(link.get_attribute("href")))
            visit.press()
        visit.read_mail(f"{mails['prize'].split('?')[0]}?lang=en")
        visit.page.mouse.wheel(0, 360)
        keep(visit.page, "mail")


def office(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo) as visit:
        page = visit.page
        page.goto(f"{demo.service}/office/sign-in")
        page.locator("[name=email]").fill(MEMBERS[0][0])
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.primary").click()
        page.wait_for_url("**/office/demo/")
        page.goto(f"{demo.service}/office/demo/campaigns/lucky-scratch")
        expect(page.locator("h1")).to_be_visible()
        keep(page, "office")


def dark(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo, color_scheme="dark") as visit:
        game = visit.shop().open()
        play(game)
        reveal(game)
        keep(visit.page, "dark")


# --- the ready-made campaigns, each where it is at its best ------------------------


def welcome_wheel(browser: Browser, demo: Demo) -> None:
    """As it opens over the shop when somebody is about to leave."""
    with visitor(browser, demo) as visit:
        visit.page.goto(demo.shop("games/tab?lang=en"))
        visit.page.locator("jawoord-widget button.ask").click()
        keep(visit.page, "welcome-wheel")


def style_quiz(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo) as visit:
        visit.straight("style-quiz-page", lang="en").locator(".answer").first.click()
        keep(visit.page, "style-quiz")


def black_friday(browser: Browser, demo: Demo) -> None:
    """In the corner, beside what the visitor reads."""
    with visitor(browser, demo) as visit:
        visit.page.goto(demo.shop("games/slide?lang=en"))
        expect(visit.page.locator("jawoord-widget .slide")).to_be_visible()
        keep(visit.page, "black-friday")


def footer_newsletter(browser: Browser, demo: Demo) -> None:
    with visitor(browser, demo, viewport={"width": 1280, "height": 640}) as visit:
        visit.page.goto(demo.shop("category/tafel?lang=en"))
        visit.page.wait_for_timeout(SETTLED_MS)
        visit.page.mouse.wheel(0, 9_000)
        keep(visit.page, "footer-newsletter")


def box_scratch(browser: Browser, demo: Demo) -> None:
    """On the phone that looked at the card in the box."""
    with visitor(browser, demo, viewport=PHONE, has_touch=True) as visit:
        game = visit.straight("box-scratch-page", lang="en")
        play(game)
        _scratch_a_little(game.page, game)
        keep(visit.page, "box-scratch")


README = (dialog, phone, consents, mail, office, dark)
GALLERY = (welcome_wheel, style_quiz, black_friday, footer_newsletter, box_scratch)


if __name__ == "__main__":
    main()
