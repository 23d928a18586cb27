"""How a prize's codes may come and go: pools, and units that return to the game."""

from collections.abc import Iterator

from server.domain import release
from server.domain.campaign import Campaign, Prize
from server.domain.parts import Fault

MOST_AT_ONCE = 50_000


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what is wrong with a prize's pool, its days, its return and release."""
    for number, prize in enumerate(campaign.prizes, 1):
        for name, what in (
            *_faults(prize),
            *_money(campaign, prize),
            *_choice(campaign, prize),
            *_release(campaign, prize),
        ):
            yield Fault(f"prizes[{number}].{name}", what, "PZ-04")


def _faults(prize: Prize) -> Iterator[tuple[str, str]]:
    if prize.kind == "none" and (prize.pool or prize.valid_days or prize.returns):
        yield "kind", "no prize has no codes that come, lapse or return"
        return
    if not prize.pool and (prize.stock or 0) > MOST_AT_ONCE:
        # They are made in one transaction, and visitors wait for it.
        more = "say `pool = true`, store the draft, then: prize codes make"
        yield "stock", f"a file makes {MOST_AT_ONCE:,} units at most; for more, {more}"
    if prize.pool and prize.code:
        yield "code", "a prize has one code for everybody or a pool of them"
    if not prize.returns:
        return
    if prize.stock is None:
        yield "returns", "what never runs out has nothing to return to"
    if prize.valid_days is None:
        yield "returns", "only what lapses can return; give `valid_days`"
    if prize.pool:
        # The shop's till would still take it from whom it was mailed to.
        yield "returns", "an imported code that was mailed is not given to another"


def _money(campaign: Campaign, prize: Prize) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with money: it is a sum, and each winner has their own."""
    if prize.kind not in {"credit", "refund"}:
        return
    if not prize.value_cents:
        yield "value_cents", "say how much it is, at most"
    if prize.code:
        yield "code", "with one code for everybody, everybody spends the same money"
    if prize.kind == "refund" and campaign.flow != "play-first":
        # Nobody needs an order to take part (PZ-02), so only who won is asked for one.
        yield "kind", 'an order is won back with `flow = "play-first"` alone'


def _choice(campaign: Campaign, prize: Prize) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a choice: there is always something left to pick.

    What is picked is not drawn: the record of draws follows what is drawn (PZ-08).
    """
    if prize.kind != "choice":
        if prize.options:
            yield "options", "only a choice has options"
        return
    if campaign.flow != "play-first":
        yield "kind", 'a winner picks while claiming, with `flow = "play-first"` alone'
    own = prize.code, prize.pool, prize.valid_days, prize.returns, prize.release
    if any(own) or prize.stock is not None or prize.value_cents:
        yield "kind", "stock, codes, days and value are those of its options"
    known = {other.key: other for other in campaign.prizes}
    for at, key in enumerate(prize.options, 1):
        if what := _no_option(campaign, known.get(key)):
            yield f"options[{at}]", what
    if len(set(prize.options)) < max(2, len(prize.options)):
        yield "options", "give two or more, each once"
    elif all(key in known and known[key].stock is not None for key in prize.options):
        yield "options", "one of them must be without stock, or it could run out"


def _no_option(campaign: Campaign, option: Prize | None) -> str | None:
    if option is None:
        return "there is no such prize"
    if option.kind in {"choice", "refund", "ticket", "none"}:
        return f"a prize of the kind {option.kind} cannot be picked"
    if option.weight:
        return "it is picked and not drawn; give it weight 0"
    return None


def _release(campaign: Campaign, prize: Prize) -> Iterator[tuple[str, str]]:
    if prize.release is None:
        return
    if prize.stock is None:
        yield "release", "what never runs out is there on every day"
    elif campaign.epochs is None:
        yield (
            "release",
            "a plan needs to know the days: `days`, or `starts` and `ends`",
        )
    elif isinstance(prize.release, tuple) and (prize.stock or not prize.pool):
        # A pool that is still empty cannot be published, so it is judged later.
        for what in release.faults(
            prize.release, stock=prize.stock, epochs=campaign.epochs
        ):
            yield "release", what
