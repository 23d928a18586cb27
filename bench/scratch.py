"""What scratching costs the main thread, and how smooth it stays."""

import statistics
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

from bench import chromium
from bench.figures import Figure
from bench.peer import HERE
from bench.servers import Service, Web
from tests.servers import ROOT

ROUNDS = 3
MOVES = 100
SLOWER = 6
CARD = {"width": 340, "height": 210}
FOIL = "canvas.foiled"
PEER = "scratchcard-js/build/scratchcard.min.js"
EMPTY = """<!doctype html><html><head><meta charset="utf-8"><title>Card</title>
<link rel="icon" href="data:,">{script}</head>
<body><div id="card" class="card"></div></body></html>
"""
START_PEER = """async ({ width, height }) => {
  const foil = document.createElement('canvas')
  Object.assign(foil, { width, height })
  foil.getContext('2d').fillRect(0, 0, width, height)
  const card = new ScratchCard('#card', {
    scratchType: SCRATCH_TYPE.LINE, containerWidth: width, containerHeight: height,
    imageForwardSrc: foil.toDataURL(), htmlBackground: '<p>10%</p>',
    clearZoneRadius: 25, percentToFinish: 99,
  })
  await card.init()
}"""
COUNT_FRAMES = """() => {
  window.frames_seen = 0
  const count = () => { frames_seen++; requestAnimationFrame(count) }
  requestAnimationFrame(count)
}"""


def install_peer() -> None:
    """Fetch the peer's card as locked."""
    found = subprocess.run(
        [str(ROOT / ".ci" / "npm")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    command = [found.stdout.strip(), "ci", "--ignore-scripts", "--no-audit"]
    subprocess.run([*command, "--no-fund", "--loglevel=error"], cwd=HERE, check=True)


def measure(folder: Path, *, with_peer: bool) -> list[Figure]:
    """Compare a move over our card with one over an empty page, and over a peer's."""
    files: dict[str, str | bytes] = {"empty.html": EMPTY.format(script="")}
    if with_peer:
        install_peer()
        files["peer.js"] = (HERE / "node_modules" / PEER).read_bytes()
        files["peer.html"] = EMPTY.format(script='<script src="peer.js"></script>')
    service = Service(folder / "ours")
    pages = chromium.pages(folder / "pages", files)
    try:
        with chromium.opened() as browser:
            return _figures(browser, service, pages, with_peer=with_peer)
    finally:
        service.stop()
        pages.stop()


def _figures(
    browser: Browser, service: Service, pages: Web, *, with_peer: bool
) -> list[Figure]:
    ours, theirs, frames = [], [], []
    for _ in range(ROUNDS):
        with chromium.visitor(browser) as (page, cdp):
            page.goto(f"http://{pages.host}/empty.html")
            page.evaluate("card.style.cssText = 'height: 210px; width: 340px'")
            empty = _moves_ms(page, cdp, "#card")
        with chromium.visitor(browser) as (page, cdp):
            _play(page, service)
            ours.append(_moves_ms(page, cdp, FOIL) - empty)
        if with_peer:
            with chromium.visitor(browser) as (page, cdp):
                page.goto(f"http://{pages.host}/peer.html")
                page.evaluate(START_PEER, CARD)
                theirs.append(_moves_ms(page, cdp, "#card canvas") - empty)
        with chromium.visitor(browser, slower=SLOWER) as (page, _):
            _play(page, service)
            frames.append(_frames_a_second(page))
    cost = statistics.median(ours)
    figures = [
        Figure(
            "scratch, main thread a move", cost, unit="ms", note="beyond an empty page"
        ),
        Figure(
            f"scratch, frames at {SLOWER}x CPU",
            statistics.median(frames),
            unit="/s",
            note="the empty page's own limit is 60",
        ),
    ]
    if theirs:
        peer = statistics.median(theirs)
        note = f"{cost:.2f} to {peer:.2f} ms a move"
        figures.append(
            Figure(
                "scratch, to scratchcard-js",
                cost / peer,
                0.5,
                0.5,
                is_ceiling=True,
                note=note,
            )
        )
    return figures


def _play(page: Page, service: Service) -> None:
    page.goto(f"http://{service.host}/w/lucky-inline?lang=nl")
    page.check("input[name=adult][value=yes]")
    page.check("input[name=terms]")
    page.click("button.main")
    page.wait_for_selector(FOIL)
    # The card moves in first.
    page.wait_for_timeout(1200)


def _moves_ms(page: Page, cdp: CDPSession, selector: str) -> float:
    # In time of the processor, so that a busy machine does not count.
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = chromium.task_ms(cdp)
    _scratch(page, selector, MOVES)
    return (chromium.task_ms(cdp) - before) / MOVES


def _frames_a_second(page: Page) -> float:
    page.evaluate(COUNT_FRAMES)
    began = page.evaluate("performance.now()")
    _scratch(page, FOIL, MOVES)
    seen, now = page.evaluate("[frames_seen, performance.now()]")
    return float(1000 * seen / (now - began))


def _scratch(page: Page, selector: str, moves: int) -> None:
    """Draw back and forth over the upper third, so that the card does not open."""
    box = page.locator(selector).first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    for number in range(moves):
        along = number % 25 / 25
        across = along if number // 25 % 2 == 0 else 1 - along
        x = box["x"] + 10 + across * (box["width"] - 20)
        page.mouse.move(x, box["y"] + 10 + number / moves * box["height"] / 4)
    page.mouse.up()
