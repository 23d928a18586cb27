"""The widget's page as somebody meets it who was never here."""

import statistics
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from bench import chromium
from bench.figures import Figure
from bench.servers import Service, Web
from tests.servers import ROOT

FLOWS = {
    "form first": "welcome-inline",
    "play first": "lucky-inline",
    "form and wheel": "wheel-form-inline",
    "wheel first": "welcome-wheel-inline",
}
ROUNDS = 9
SLOWER = 4
# What somebody writes who wants a form and htmx, and nothing else.
BARE = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><title>Bare</title>
<link rel="icon" href="data:,"><script src="htmx.js" defer></script></head>
<body><h1>Bare</h1><form method="post" action="/x" hx-post="/x" hx-target="body">
<label>E-mail <input name="email" type="email"></label>
<label><input name="news" type="checkbox"> News</label><button>Send</button></form>
</body></html>
"""
# Nothing is ready that cannot be seen, so the first paint is waited for.
READY = """() => new Promise((done) => new PerformanceObserver((list) => {
  const painted = list.getEntriesByName('first-contentful-paint')[0]
  const [entry] = performance.getEntriesByType('navigation')
  if (painted) done(Math.max(entry.domContentLoadedEventEnd, painted.startTime))
}).observe({ type: 'paint', buffered: true }))"""


def measure(folder: Path) -> list[Figure]:
    """Measure weight, requests and how soon the page can be used."""
    service = Service(folder / "ours")
    htmx = (ROOT / "node_modules/htmx.org/dist/htmx.min.js").read_bytes()
    bare = chromium.pages(folder / "bare", {"bare.html": BARE, "htmx.js": htmx})
    figures = []
    try:
        with chromium.opened() as browser:
            for flow, code in FLOWS.items():
                address = f"http://{service.host}/w/{code}?lang=nl"
                figures += _weight(browser, flow, address)
                figures.append(_ready(browser, flow, address, bare))
    finally:
        service.stop()
        bare.stop()
    return figures


def _weight(browser: Browser, flow: str, address: str) -> list[Figure]:
    answers: list[Any] = []
    with chromium.visitor(browser) as (page, _):
        page.on("response", lambda answer: answers.append(answer))
        page.goto(address)
        chromium.settle(page)
        asked = [a for a in answers if not a.url.startswith("data:")]
        size = chromium.compressed(asked)
    ours = urlsplit(address).netloc
    foreign = {urlsplit(a.url).netloc for a in asked} - {ours}
    return [
        Figure(
            f"page {flow}, cold, brotli",
            size,
            25 * 1024,
            25 * 1024,
            unit="B",
            is_ceiling=True,
        ),
        Figure(f"page {flow}, requests", len(asked), 4, 4, unit="", is_ceiling=True),
        Figure(
            f"page {flow}, foreign hosts", len(foreign), 0, 0, unit="", is_ceiling=True
        ),
    ]


def _ready(browser: Browser, flow: str, address: str, bare: Web) -> Figure:
    ours, theirs = [], []
    for number in range(ROUNDS + 1):
        pair = [
            _once(browser, url) for url in (f"http://{bare.host}/bare.html", address)
        ]
        if number:
            theirs.append(pair[0])
            ours.append(pair[1])
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        f"page {flow}, ready, to bare htmx form",
        statistics.median(ratios),
        1.3,
        1.3,
        is_ceiling=True,
        note=f"{statistics.median(ours):.0f} to {statistics.median(theirs):.0f} ms; "
        f"{SLOWER}x CPU, 40 ms line",
    )


def _once(browser: Browser, address: str) -> float:
    with chromium.visitor(browser, slower=SLOWER, line=True) as (page, _):
        page.goto(address)
        page.wait_for_timeout(150)
        return float(page.evaluate(READY))
