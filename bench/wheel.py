"""What a turn of the wheel costs the main thread, and how smooth it stays."""

import json
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench import chromium, scratch
from bench.figures import Figure
from bench.peer import HERE
from bench.servers import Service, Web

ROUNDS = 3
SLOWER = 6
# Within the turn, past its first frames and before its last.
BEGUN_MS = 400
WATCHED_MS = 2_500
A_SECOND = 60
PEER = "spin-wheel/dist/spin-wheel-iife.js"
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>Wheel</title>
<link rel="icon" href="data:,"><script src="peer.js"></script></head>
<body><div id="wheel"></div></body></html>
"""
# As large as ours, with as many segments and words, and turned as long.
START_PEER = """() => {
  const box = document.getElementById('wheel')
  box.style.cssText = 'width: 336px; height: 336px'
  const labels = ['10%', 'Mok', 'Gratis', '50', '10%', 'Tas', 'Gratis', '5']
  window.peer = new spinWheel.Wheel(box, {
    items: labels.map((label) => ({ label })),
    itemBackgroundColors: ['#e8590c', '#fbe3d4', '#f5b895', '#fbe3d4'],
  })
  peer.spinTo(4 * 360 + 120, 4800, (t) => 1 - (1 - t) ** 3)
}"""
BLOCK = """(ms) => {
  const end = performance.now() + ms
  while (performance.now() < end);
}"""
# Named by Chromium's compositor each time it draws a page.
DRAWN, TRACED = "ProxyImpl::ScheduledActionDraw", ["cc"]

Start = Callable[[Page], None]


def measure(folder: Path, *, with_peer: bool) -> list[Figure]:
    """Compare a turn of our wheel with a peer's; without one, tell ours."""
    files: dict[str, str | bytes] = {"peer.html": PAGE}
    if with_peer:
        scratch.install_peer()
        files["peer.js"] = (HERE / "node_modules" / PEER).read_bytes()
    service = Service(folder / "ours")
    pages = chromium.pages(folder / "pages", files)
    ours = partial(_turn, service=service)
    theirs = partial(_turn_peer, pages=pages) if with_peer else None
    try:
        with chromium.opened() as browser:
            return _figures(browser, ours, theirs)
    finally:
        service.stop()
        pages.stop()


def _figures(browser: Browser, ours: Start, theirs: Start | None) -> list[Figure]:
    cost, smooth, blocked = [], [], []
    peer_cost, peer_smooth, peer_blocked = [], [], []
    for _ in range(ROUNDS):
        cost.append(_frame_ms(browser, ours))
        smooth.append(_frames(browser, ours, slower=SLOWER))
        blocked.append(_frames(browser, ours, is_blocked=True))
        if theirs:
            peer_cost.append(_frame_ms(browser, theirs))
            peer_smooth.append(_frames(browser, theirs, slower=SLOWER))
            peer_blocked.append(_frames(browser, theirs, is_blocked=True))
    middle = statistics.median
    figures = [
        Figure("wheel, main thread a frame", middle(cost), unit="ms"),
        _smooth(f"wheel, frames at {SLOWER}x CPU", smooth, peer_smooth, least=55),
        _smooth("wheel, frames, main thread blocked", blocked, peer_blocked, least=50),
    ]
    if peer_cost:
        note = f"{middle(cost):.3f} to {middle(peer_cost):.2f} ms a frame"
        ratio = middle(cost) / middle(peer_cost)
        figures.append(
            Figure("wheel, to spin-wheel", ratio, 0.1, 0.1, is_ceiling=True, note=note)
        )
    return figures


def _smooth(what: str, ours: list[float], peer: list[float], *, least: int) -> Figure:
    note = f"spin-wheel {statistics.median(peer):.0f}" if peer else ""
    return Figure(what, statistics.median(ours), least, least, unit="/s", note=note)


def _turn(page: Page, *, service: Service) -> None:
    page.goto(f"http://{service.host}/w/welcome-wheel-inline?lang=nl")
    page.check("input[name=adult][value=yes]")
    page.check("input[name=terms]")
    page.click("button.main")
    page.wait_for_selector(".turning")
    page.wait_for_timeout(BEGUN_MS)


def _turn_peer(page: Page, *, pages: Web) -> None:
    page.goto(f"http://{pages.host}/peer.html")
    page.evaluate(START_PEER)
    page.wait_for_timeout(BEGUN_MS)


def _frame_ms(browser: Browser, start: Start) -> float:
    """Return the main thread's work for a frame, in time of the processor."""
    with chromium.visitor(browser) as (page, cdp):
        start(page)
        cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = chromium.task_ms(cdp)
        page.wait_for_timeout(WATCHED_MS)
        spent = chromium.task_ms(cdp) - before
    return spent / (WATCHED_MS / 1000 * A_SECOND)


def _frames(
    browser: Browser, start: Start, *, slower: float = 1, is_blocked: bool = False
) -> float:
    """Return how many frames a second the compositor drew while it turned."""
    with chromium.visitor(browser, slower=slower) as (page, _):
        start(page)
        browser.start_tracing(page=page, categories=TRACED)
        if is_blocked:
            page.evaluate(BLOCK, WATCHED_MS)
        else:
            page.wait_for_timeout(WATCHED_MS)
        events = json.loads(browser.stop_tracing())["traceEvents"]
    drawn = sorted(event["ts"] for event in events if event["name"] == DRAWN)
    # What came after the watched time, while the trace was being collected, is over.
    within = [ts for ts in drawn if ts - drawn[0] <= WATCHED_MS * 1000]
    return len(within) / (WATCHED_MS / 1000)
