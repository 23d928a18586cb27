"""What a shop's page pays for our tag. The shop is the demo, on another origin."""

import re
import statistics
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import brotli
from playwright.sync_api import Browser, Page

from bench import chromium
from bench.figures import Figure
from bench.servers import Service, Web
from tests.servers import free_port

ROUNDS = 9
SLOWER = 4
TAG = re.compile(r"<script async src=[^>]*></script>")
DIALOG = "lucky-dialog"
ON_SHOP = {"with.html": True, "without.html": False}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one visit to the shop's page gave."""

    lcp: float
    shifts: float
    long: int
    slowest: float


def measure(folder: Path) -> list[Figure]:
    """Measure the tag's requests and scripts, and what the page feels of it."""
    port = free_port()
    shop_at = f"http://localhost:{port}"
    service = Service(
        folder / "ours",
        more={"JAWOORD_DEMO": "yes", "JAWOORD_DEMO_SHOP_URL": shop_at},
        sites=[shop_at],
    )
    shop = chromium.pages(folder / "shop", _variants(service), port=port)
    try:
        with chromium.opened() as browser:
            return [
                *_loader(browser, service, f"{shop_at}/with.html"),
                *_compare(browser, shop_at),
            ]
    finally:
        service.stop()
        shop.stop()


def _variants(service: Web) -> dict[str, str | bytes]:
    """Return the same page of the demo's shop with our tag and without it."""
    address = f"http://{service.host}/demo/"
    with urllib.request.urlopen(address) as answer:
        home = answer.read().decode()
    (tag,) = [tag for tag in TAG.findall(home) if DIALOG in tag]
    # Its pictures and styles still come from the demo.
    base = home.replace("<head>", f'<head><base href="{address}">', 1)
    bare = TAG.sub("", base)
    tag = tag.replace(DIALOG, "welcome-dialog")
    return {"with.html": bare.replace("</body>", f"{tag}</body>"), "without.html": bare}


def _loader(browser: Browser, service: Service, address: str) -> list[Figure]:
    asked: list[str] = []
    with chromium.visitor(browser) as (page, _):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        chromium.settle(page, 1500)
    ours = [url for url in asked if "/demo/" not in urlsplit(url).path]
    ours = [url for url in ours if not urlsplit(url).path.startswith("/static/")]
    hosts = {urlsplit(url).netloc for url in asked if url.startswith("http")}
    foreign = hosts - {service.host, urlsplit(address).netloc}
    beyond = [u for u in ours if "embed.js" not in u and service.host in u]
    times = []
    for _number in range(ROUNDS):
        with chromium.visitor(browser) as (page, _):
            times.append(chromium.script_ms(browser, page, address, "embed.js"))
    return [
        Figure(
            "loader, requests before a trigger",
            len(beyond),
            1,
            1,
            unit="",
            is_ceiling=True,
            note="beyond the tag: " + ", ".join(urlsplit(u).path for u in beyond),
        ),
        Figure("loader, foreign hosts", len(foreign), 0, 0, unit="", is_ceiling=True),
        Figure(
            "loader, its rule",
            _rule_size(service),
            unit="B",
            note="the one request, brotli on the fly",
        ),
        Figure(
            "loader, evaluating embed.js",
            statistics.median(times),
            unit="ms",
            note="no peer's to be had here",
        ),
    ]


def _rule_size(service: Web) -> int:
    address = f"http://{service.host}/p/welcome-dialog.js"
    with urllib.request.urlopen(address) as answer:
        return len(brotli.compress(answer.read(), quality=chromium.ON_THE_FLY))


def _compare(browser: Browser, shop_at: str) -> list[Figure]:
    turns: dict[str, list[_Seen]] = {name: [] for name in ON_SHOP}
    for number in range(ROUNDS + 1):
        for name, seen in turns.items():
            visit = _visit(browser, f"{shop_at}/{name}")
            if number:
                seen.append(visit)
    with_tag, without = turns["with.html"], turns["without.html"]

    def median(turn: list[_Seen], of: Callable[[_Seen], float]) -> float:
        return statistics.median(map(of, turn))

    slower = [a.lcp / b.lcp for a, b in zip(with_tag, without, strict=True)]
    long = [a.long - b.long for a, b in zip(with_tag, without, strict=True)]
    lcp = f"{median(with_tag, _lcp):.0f} to {median(without, _lcp):.0f} ms"
    return [
        Figure(
            "host page LCP, with the tag to without",
            statistics.median(slower),
            1.1,
            1.1,
            is_ceiling=True,
            note=f"{lcp}; {SLOWER}x CPU",
        ),
        Figure(
            "host page CLS with the tag",
            median(with_tag, lambda seen: seen.shifts),
            0.001,
            0.001,
            unit="",
            is_ceiling=True,
            note=f"{median(without, lambda seen: seen.shifts):.4f} without",
        ),
        Figure(
            "host page, long tasks from the tag",
            max(0, statistics.median(long)),
            0,
            0,
            unit="",
            is_ceiling=True,
            note=f"of {median(with_tag, lambda seen: seen.long):.0f} over 50 ms",
        ),
        Figure(
            "host page, slowest press with the tag",
            median(with_tag, lambda seen: seen.slowest),
            50,
            50,
            unit="ms",
            is_ceiling=True,
            note=f"{median(without, lambda seen: seen.slowest):.0f} ms without; "
            "Event Timing, 5 presses",
        ),
    ]


def _lcp(seen: _Seen) -> float:
    return seen.lcp


def _visit(browser: Browser, address: str) -> _Seen:
    with chromium.visitor(browser, slower=SLOWER) as (page, _):
        page.goto(address)
        chromium.settle(page)
        # LCP is final with the first press, so it is read before.
        lcp = page.evaluate("seen.lcp")
        _press(page)
        seen = page.evaluate("seen")
    return _Seen(lcp, seen["shifts"], len(seen["long"]), seen["slowest"])


def _press(page: Page) -> None:
    # At the edge, where no link is.
    for y in (300, 350, 400, 450, 500):
        page.mouse.click(3, y)
        page.wait_for_timeout(120)
