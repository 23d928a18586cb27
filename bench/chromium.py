"""Chromium as a visitor's: cold, slowed down, and asked for its own figures."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import brotli
from playwright.sync_api import Browser, CDPSession, Error, Page, sync_playwright

from bench.servers import Web

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]
# A phone on a fair line.
LINE = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 10_000_000 / 8,
    "uploadThroughput": 5_000_000 / 8,
}
# What a proxy does on the fly, and what is compressed once.
ON_THE_FLY, ONCE = 5, 11

# Notes what the page itself can see, from its first moment on.
WATCH = """
window.seen = { shifts: 0, long: [], lcp: 0, slowest: 0 }
const see = (type, note, more) => new PerformanceObserver((list) =>
  list.getEntries().forEach(note)).observe({ type, buffered: true, ...more })
see('layout-shift', (e) => { if (!e.hadRecentInput) seen.shifts += e.value })
see('longtask', (e) => seen.long.push(e.duration))
see('largest-contentful-paint', (e) => { seen.lcp = e.startTime })
see('event', (e) => {
  if (e.interactionId) seen.slowest = Math.max(seen.slowest, e.duration)
}, { durationThreshold: 16 })
"""


@contextmanager
def opened() -> Iterator[Browser]:
    """Yield a browser."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("Chromium is not installed; run .ci/install")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visitor(
    browser: Browser, *, slower: float = 1, line: bool = False
) -> Iterator[Any]:
    """Yield the tab of somebody who was never here, and its debugger."""
    context = browser.new_context(
        locale="nl-NL", viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(30_000)
    context.add_init_script(WATCH)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    if slower > 1:
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    if line:
        cdp.send("Network.enable")
        cdp.send("Network.emulateNetworkConditions", LINE)
    yield page, cdp
    context.close()


def settle(page: Page, milliseconds: int = 800) -> None:
    """Wait until the network is quiet, and a little longer."""
    with suppress(Error):
        page.wait_for_load_state("networkidle", timeout=10_000)
    page.wait_for_timeout(milliseconds)


def compressed(responses: list[Any]) -> int:
    """Return the bytes of these answers behind a proxy that speaks brotli."""
    total = 0
    for response in responses:
        is_page = response.request.resource_type == "document"
        quality = ON_THE_FLY if is_page else ONCE
        total += len(brotli.compress(response.body(), quality=quality))
    return total


def task_ms(cdp: CDPSession) -> float:
    """Return how long the main thread has worked so far."""
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return 1000 * next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def script_ms(browser: Browser, page: Page, address: str, file: str) -> float:
    """Return how long the scripts of one file ran while a page was loaded."""
    browser.start_tracing(page=page, categories=["devtools.timeline", "v8"])
    page.goto(address)
    settle(page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return sum(
        event.get("dur", 0) / 1000
        for event in events
        if event["name"] in {"EvaluateScript", "v8.compile"}
        and file in json.dumps(event.get("args", {}))
    )


def pages(
    folder: Path, files: dict[str, str | bytes], *, port: int | None = None
) -> Web:
    """Serve files behind the same gunicorn as everything else."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    environ = {"BENCH_PAGES": str(folder)}
    first = f"/{next(iter(files))}"
    return Web(
        "bench.pages:app", folder=folder, environ=environ, answers=first, port=port
    )
