"""Bar codes for tills whose scanners read lines only: Code 128, set B (ISO/IEC 15417).

Each character is six bars and gaps of 11 modules together. A check character follows,
and the stop. Set B alone, because it holds every code that we make or take in.
"""

HEIGHT = 60
# The free room that a scanner needs on both sides.
QUIET = 10
# On a phone more of them are too narrow to be read; the QR code is there as well.
LONGEST = 24
FIRST, LAST = 32, 126
START_B = 104
STOP = "2331112"
MODULUS = 103
# Widths of bars and gaps by value, six for each.
WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232"
    "122132122231113222123122123221223211221132221231213212223112312131311222321122"
    "321221312212322112322211212123212321232121111323131123131321112313132113132311"
    "211313231113231311112133112331132131113123113321133121313121211331231131213113"
    "213311213131311123311321331121312113312311332111314111221411431111111224111422"
    "121124121421141122141221112214112412122114122411142112142211241211221114413111"
    "241112134111111242121142121241114212124112124211411212421112421211212141214121"
    "412121111143111341131141114113114311411113411311113141114131311141411131211412"
    "211214211232"
)


def can_hold(code: str) -> bool:
    """Return whether a code can be drawn as bars that a scanner reads off a phone."""
    return 0 < len(code) <= LONGEST and all(FIRST <= ord(c) <= LAST for c in code)


def svg(code: str) -> bytes:
    """Return a code as an SVG of bars. Raises ValueError if it cannot hold it."""
    if not can_hold(code):
        raise ValueError(code)
    at, path = QUIET, []
    for place, width in enumerate(map(int, _widths(code))):
        if place % 2 == 0:
            path.append(f"M{at} 0h{width}v{HEIGHT}h-{width}z")
        at += width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at + QUIET} {HEIGHT}" '
        'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h'
        f'{at + QUIET}v{HEIGHT}H0z"/><path d="{"".join(path)}"/></svg>'
    ).encode()


def _widths(code: str) -> str:
    """Return the widths of all bars and gaps, from the first bar to the last."""
    values = [START_B, *(ord(character) - FIRST for character in code)]
    check = sum(value * max(place, 1) for place, value in enumerate(values)) % MODULUS
    return "".join(WIDTHS[6 * v : 6 * v + 6] for v in (*values, check)) + STOP
