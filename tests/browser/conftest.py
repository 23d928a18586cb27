"""The demo, running for the whole session, and visitors of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.shop import Demo
from tests.browser.visit import Visit


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
