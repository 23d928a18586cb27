"""The bytes that a host page pays."""

from bench.figures import Figure
from server import assets
from tests.servers import ROOT

# Brotli bytes of what others ask a page to load, measured once (the budgets).
PEERS = "Typeform 12,617; HeyForm 5,921"


def loader() -> list[Figure]:
    """Measure what the pasted tag fetches, and what comes when it opens."""
    files = assets.build(ROOT)
    first, then = (len(files[part].brotli) for part in (assets.LOADER, assets.FRAME))
    return [
        Figure(
            "loader embed.js, brotli", first, 2_900, 2_900, unit="B", is_ceiling=True
        ),
        Figure(
            "loader frame.js, brotli", then, unit="B", note="at the moment of opening"
        ),
        Figure("loader, both parts", first + then, unit="B", note=PEERS),
    ]
