"""The demo, running for the whole session, its visitors, and shops of our own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import Stage
from tests.browser.visit import Visit
from tests.factories import campaign_tables

# The longest wait for what has to come; a busy machine needs more than the usual five.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole product: shop, service, worker and mailbox, as real processes."""
    started = Demo(tmp_path_factory.mktemp("demo"))
    yield started
    started.stop()


@pytest.fixture
def visit(demo: Demo, page: Page) -> Visit:
    """A Dutch visitor at the demo shop; a breach of a policy fails the test (G15)."""
    return Visit(demo, page)


@pytest.fixture(scope="session")
def host(demo: Demo) -> Iterator[Host]:
    """A shop that uses the running service, with placements whose names end in
    `-host`; its pages are the tests' own.
    """
    site = Host()
    named = {"code": "host", "name": "Host", "sites": [site.origin]}
    demo.load("shop", campaign_tables("demo-shop") | named)
    for name in ("lucky", "welcome"):
        tables = campaign_tables(f"{name}-scratch", code=f"{name}-host", shop="host")
        for placement in tables["placements"]:
            placement["code"] += "-host"
        demo.load("campaign", tables)
    yield site
    site.stop()


@pytest.fixture(scope="session")
def stranger() -> Iterator[Host]:
    """A site that no shop named."""
    site = Host("127.0.0.1")
    yield site
    site.stop()


@pytest.fixture
def stage(demo: Demo, host: Host, page: Page) -> Stage:
    """Pages of the tests' own, with placements made for one test."""
    return Stage(demo, host, page)


@pytest.fixture(scope="session")
def exit_code(demo: Demo, host: Host) -> str:
    """A dialog that opens on exit intent, in every way there is on touch."""
    code = "opening-exit"
    tables = campaign_tables("welcome-scratch", code=code, shop="host")
    trigger = {"exit_intent": True, "exit_touch": ["flick", "return", "idle"]}
    tables["placements"] = [{"code": code, "shape": "dialog", "trigger": trigger}]
    demo.load("campaign", tables)
    return code
