"""A shop of the tests' own, on its own origin, with placements made for a test."""

import itertools
from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.factories import campaign_tables

_numbers = itertools.count(1)
TALL = "<main style='height:5000px'><h1>Shop</h1><a id=far href=#end>End</a>"
TALL += "<p style='margin-top:4000px' id=end>End</p></main>"
# Past the time in which somebody has only just come, and past the grace of a leave.
ARMED_MS = 2_300
GRACE_MS = 400


class Stage:
    """A shop of the tests' own: its pages, and placements made for one test."""

    def __init__(self, demo: Demo, host: Host, page: Page) -> None:
        self.demo = demo
        self.host = host
        self.page = page

    def place(self, shape: str = "dialog", **placement: Any) -> str:
        """Publish a placement and return its code."""
        number = next(_numbers)
        code = f"opening-{number}"
        tables = campaign_tables(
            "welcome-scratch", code=code, shop="host", name__nl=code
        )
        tables["placements"] = [{"code": code, "shape": shape, **placement}]
        self.demo.load("campaign", tables)
        return code

    def tag(self, code: str) -> str:
        return (
            f'<script async src="{self.demo.service}/embed.js" '
            f'data-placement="{code}"></script>'
        )

    def go(self, *codes: str, path: str = "/opening", body: str = TALL) -> "Stage":
        """Open a page with these placements, and wait until their rules are there."""
        tags = "".join(map(self.tag, codes))
        address = self.host.put(path.partition("?")[0], body + tags)
        if "?" in path:
            self.host.pages[path] = self.host.pages[path.partition("?")[0]]
            address = self.host.origin + path
        with self.page.expect_response(lambda answer: "/p/" in answer.url):
            self.page.goto(address)
        self.page.wait_for_timeout(150)
        return self

    @property
    def box(self) -> Locator:
        return self.page.locator("jawoord-widget .panel, jawoord-widget .bar")

    def is_open(self) -> bool:
        self.page.wait_for_timeout(GRACE_MS)
        return self.box.locator("visible=true").count() > 0

    def leave(self, x: int = 300, *, start: int = 200) -> None:
        """Move the pointer out through the top edge."""
        self.page.mouse.move(x, start)
        self.page.mouse.move(x, 3, steps=5)
        self.page.mouse.move(x, -4)
