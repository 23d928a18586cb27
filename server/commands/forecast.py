"""`forecast CODE --visits N`: what a campaign will give, before it is published."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from server.commands.base import AS_USUAL, fail, force, new_file, reading, written
from server.domain import forecast, lint
from server.domain.campaign import NOTHING, Campaign
from server.domain.chance import Slot, Table
from server.domain.forecast import MOST_VISITS, Forecast
from server.domain.parts import Fault
from server.services import campaigns, prizes

SEED = 1
# Days of a long campaign are told in this many steps.
MOST_STEPS = 10
# The picture, in units of its own: one row a prize, one column a day.
LEFT, TOP, ROW, WIDTH = 220, 64, 34, 420


@click.command("forecast")
@click.argument("code")
@click.option(
    "--visits",
    type=click.IntRange(1, MOST_VISITS),
    required=True,
    help="How many plays you expect over all days.",
)
@new_file("--svg", "picture", help="Draw when prizes sell out, too.")
@force
def forecast_command(code: str, visits: int, picture: Path | None) -> None:
    """Tell what so many plays will cost, and when prizes sell out.

    A draft can be asked about before it is published:
    `campaign import FILE --draft`.
    """
    with reading() as (session, _):
        campaign = campaigns.load(session, code)
        if campaign is None:
            fail(f"there is no campaign {code!r}")
        days = campaigns.days_of(session, code) or 1
        campaign, lacking = prizes.as_imported(session, code, campaign)
    if not campaign.is_drawn:
        if not (campaign.raffles or campaign.prizes):
            fail(f"{code} leaves nothing to chance and has nothing to win")
        if picture:
            fail(f"{code} leaves no prize to odds, so there is no picture to draw")
        _tell_undrawn(campaign, visits, lacking)
        return
    found = forecast.forecast(
        campaigns.table_of(campaign),
        visits=visits,
        days=days,
        values=_values(campaign),
        blanks=frozenset(p.key for p in campaign.outcomes if p.kind == "none"),
        # The same campaign has the same forecast; none of it is a secret.
        roll=random.Random(SEED).random,  # noqa: S311  # no secret
        choices=_choices(campaign),
    )
    _tell(campaign, found, days, lacking)
    if picture is None:
        return
    with written(picture, mode=AS_USUAL) as out:
        out.write(_drawn(campaign, found, days).encode())
    click.echo(f"\nThe picture is in {picture}.")


def _values(campaign: Campaign) -> dict[str, int]:
    return {prize.key: prize.value_cents for prize in campaign.outcomes}


def _choices(campaign: Campaign) -> dict[str, tuple[str, ...]]:
    return {p.key: p.options for p in campaign.outcomes if p.kind == "choice"}


def _tell_undrawn(campaign: Campaign, visits: int, lacking: Sequence[Fault]) -> None:
    """Say what a campaign without odds costs at most: answers are nobody's to know."""
    if not (campaign.prizes and campaign.quiz):
        click.echo(f"{campaign.code}: {_raffles(campaign)}")
        return
    led_to = {outcome.prize for outcome in campaign.quiz.outcomes}
    # Any answers may come, and so any of what they lead to.
    table = Table(
        tuple(
            Slot(prize.key, int(prize.key in led_to), prize.stock)
            for prize in (*campaign.prizes, NOTHING)
        ),
        campaign.falls_back_to,
    )
    most = forecast.limit(table, visits=visits, values=_values(campaign), choices={})
    click.echo(
        f"{campaign.code}: {visits:,} plays, and what each wins hangs on its answers.\n"
        "How many give which is not known, so no cost can be expected. The bound is a\n"
        "campaign in which each play comes to the dearest prize that is left.\n"
    )
    of = ""
    if campaign.raffles:
        click.echo(f"raffles       {_raffles(campaign)}")
        of = ", without the raffles"
    click.echo(f"cost          {_euros(most)} at the very most{of}")
    _warn(lacking)


def _warn(faults: Iterable[Fault]) -> None:
    for fault in faults:
        click.echo(f"beware        {fault.place}: {fault.what}")


def _tell(
    campaign: Campaign, found: Forecast, days: int, lacking: Sequence[Fault]
) -> None:
    click.echo(f"{campaign.code}: {found.visits:,} plays over {days:,} days\n")
    choices = _choices(campaign)
    picked = {option for options in choices.values() for option in options}
    rows = [("prize", "chance", "stock", "expected", "cost", "sold out at the end")]
    rows += [
        (
            prize.key,
            "picked" if prize.key in picked else f"{prize.chance:.3%}",
            "no limit" if prize.stock is None else f"{prize.stock:,}",
            f"{prize.expected:,.1f}",
            "as picked" if prize.key in choices else _euros(prize.cost),
            f"{prize.sold_out[-1]:.1%}" if prize.sold_out else "-",
        )
        for prize in found.prizes
    ]
    _table(rows)
    click.echo(
        f"\nwinners       {found.winners:,.1f} expected, "
        f"{found.winners / found.visits:.1%} of all plays"
    )
    of = ""
    if campaign.raffles:
        click.echo(f"raffles       {_raffles(campaign)}")
        of = ", without the raffles"
    click.echo(
        f"cost          {_euros(found.cost)} expected{of}"
        f"\n              {_euros(found.bad_run)} in a bad run: 1 in 100 is dearer"
        f"\n              {_euros(found.limit)} at the very most{of}"
        f"\nplayed        {_euros(found.played_mean)} on average in "
        f"{forecast.RUNS} played campaigns, give or take {_euros(found.played_error)}"
    )
    for key in choices:
        click.echo(
            f"assumed       the winners of {key} each pick the dearest that is left"
        )
    _warn(lacking)
    _warn(fault for fault in lint.judge(campaign) if fault.rule == "PZ-10")
    limited = [prize for prize in found.prizes if prize.sold_out]
    if limited:
        steps = _steps(days)
        head = ["sold out by the end of day", *map(str, steps)]
        click.echo("")
        _table(
            [head]
            + [
                [prize.key, *(f"{prize.sold_out[day - 1]:.0%}" for day in steps)]
                for prize in limited
            ]
        )


def _raffles(campaign: Campaign) -> str:
    """Say what raffles cost: however many play, each prize goes to somebody."""
    number = sum(p.number for raffle in campaign.raffles for p in raffle.prizes)
    return f"{number:,} prizes of raffles, {_euros(campaign.raffled_cents)} in all"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for first, *rest in rows:
        cells = zip(rest, widths[1:], strict=True)
        told = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in cells)]
        click.echo("  ".join(told))


def _steps(days: int) -> list[int]:
    """Return the days that are told: all, or so many spread over a long campaign."""
    if days <= MOST_STEPS:
        return list(range(1, days + 1))
    return sorted({-(-days * n // MOST_STEPS) for n in range(1, MOST_STEPS + 1)})


def _euros(cents: float) -> str:
    return f"EUR {cents / 100:,.2f}"


def _drawn(campaign: Campaign, found: Forecast, days: int) -> str:
    """Return the chances of having sold out, day by day, as an SVG.

    Keys and numbers only, so there is nothing to escape.
    """
    limited = [prize for prize in found.prizes if prize.sold_out]
    height = TOP + ROW * max(len(limited), 1) + 44
    step = WIDTH / days
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 90} '
        f'{height}" font-family="system-ui,sans-serif" font-size="14" fill="#1d1916">',
        '<rect width="100%" height="100%" fill="#fffdf9"/>',
        f'<text x="20" y="30" font-size="17" font-weight="700">{campaign.code}: sold '
        f"out by the end of the day, {found.visits:,} plays</text>",
    ]
    for n, prize in enumerate(limited):
        y = TOP + ROW * n
        parts.append(f'<text x="20" y="{y + 18}">{prize.key}</text>')
        parts += [
            f'<rect x="{LEFT + step * day:.2f}" y="{y}" width="{step:.2f}" height="24" '
            f'fill="#c2410c" fill-opacity="{chance:.3f}"/>'
            for day, chance in enumerate(prize.sold_out)
        ]
        parts.append(
            f'<rect x="{LEFT}" y="{y}" width="{WIDTH}" height="24" fill="none" '
            f'stroke="#1d1916"/><text x="{LEFT + WIDTH + 10}" y="{y + 18}">'
            f"{prize.sold_out[-1]:.1%}</text>"
        )
    if not limited:
        parts.append(f'<text x="20" y="{TOP + 18}">No prize can run out.</text>')
    bottom = height - 18
    parts.append(
        f'<text x="{LEFT}" y="{bottom}">day 1</text>'
        f'<text x="{LEFT + WIDTH}" y="{bottom}" text-anchor="end">day {days}</text>'
    )
    return "".join([*parts, "</svg>\n"])
