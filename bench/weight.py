"""The bytes that a host page pays."""

from bench.figures import Figure
from server import assets
from tests.servers import ROOT


def loader() -> list[Figure]:
    """Measure what the pasted tag fetches."""
    files = assets.build(ROOT)
    size = len(files["widget/embed.js"].brotli)
    return [
        Figure("loader embed.js, brotli", size, 2_900, 2_900, unit="B", is_ceiling=True)
    ]
