"""A finger on a phone's screen: what it does, the browser makes scrolling of."""

import time

from playwright.sync_api import Page

# From where to where a thumb goes on a phone of 700 pixels.
LOW, HIGH = 620, 80
STEP_MS = 16
FLICK_MS = 28
# How long a thrown page goes on moving: until then a tap only stops it.
SWING_MS = 1_300


class Finger:
    """One finger, by the browser's own input and not by events of ours."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)

    def drag(self, start: int, end: int, *, steps: int, pause: int = STEP_MS) -> None:
        """Put it down, move it, and let go."""
        # Each move says when it was: on a busy machine a flick is still a flick.
        began = time.time()
        self._send("touchStart", began, start)
        for step in range(1, steps + 1):
            at = began + step * pause / 1_000
            self._send("touchMove", at, start + (end - start) * step / steps)
            self._page.wait_for_timeout(pause)
        self._send("touchEnd", began + (steps + 1) * pause / 1_000)

    def read_down(self, times: int = 3) -> None:
        """Scroll down as a reader does, half a screen at a time."""
        for _ in range(times):
            self.drag(LOW, HIGH, steps=14)
            self._page.wait_for_timeout(300)

    def flick_up(self) -> None:
        """Throw the page up again."""
        self.drag(HIGH, LOW, steps=6, pause=FLICK_MS)
        self._page.wait_for_timeout(SWING_MS)

    def _send(self, kind: str, at: float, y: float | None = None) -> None:
        points = [] if y is None else [{"x": 200, "y": y}]
        self._session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": points, "timestamp": at},
        )
