"""What a campaign is: one readable file, checked whole before anything is stored.

The pydantic models name the place of every fault (`prizes[2].weight`); what needs
more than one place to judge is in `domain/lint`.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from server.domain import address, chance, release
from server.domain.audience import Identifier, Platform, Use
from server.domain.fields import FormField, FormLook, FormStep, HiddenField
from server.domain.game import MOST_SEGMENTS, Mechanic, Scratch, Wheel
from server.domain.invitation import EarlyAccess
from server.domain.parts import (
    Code,
    Colour,
    Key,
    Line,
    Locale,
    Moment,
    Part,
    Prose,
    Sentence,
    Short,
    checked,
)
from server.domain.picture import FoilName, LogoName
from server.domain.placement import Placement
from server.domain.quiz import Quiz
from server.domain.raffle import Raffle

LONGEST_DAYS = 366
LONGEST_VALID_DAYS = 1_826
MOST_FIELDS = 40
MOST_UNITS = 1_000_000
MOST_TOPICS = 12
MOST_RHYTHMS = 5

Units = Annotated[int, Field(ge=0, le=MOST_UNITS)]
# A code at the checkout; something in words; something that is done for the winner;
# money to spend in the shop; an order paid back up to its value; one of several, which
# the winner picks; a ticket to a raffle; or nothing.
Kind = Literal[
    "voucher",
    "benefit",
    "service",
    "credit",
    "refund",
    "choice",
    "ticket",
    "none",
]
Flow = Literal["play-first", "form-first"]
# How a play comes to a prize: by chance, by chance with something for everybody, one
# gift for all, by what a quiz led to, in a raffle alone, or not at all.
Award = Literal[
    "instant-win", "everybody-wins", "same-gift", "outcome", "raffle", "nothing"
]


class Words(Part):
    """What the game says around the play, in one language."""

    title: Line
    intro: Sentence
    play: Line
    foil: Line | None = None
    won: Line | None = None
    lost: Line | None = None
    # The heading after a form without a prize.
    done: Line | None = None


class PurposeText(Part):
    """The wording of one consent in one language (CR-04).

    The controller and the channel are added from the shop and the purpose, so that
    no text can leave them out. Who gets the address besides the shop is named in
    `recipient`, and what they sell in `products`: one for each consent (CR-05).
    """

    title: Line
    ask: Sentence
    recipient: Line | None = None
    products: Line | None = None
    frequency: Line
    stop: Line


class Wish(Part):
    """Something to choose within a yes: a topic, or how often."""

    key: Key
    label: dict[Locale, Line]


class Purpose(Part):
    """What a person may say yes to. A language without text is never asked (CR-14).

    Who said yes may choose among `topics` and `rhythms` in the preference centre.
    """

    key: Key
    channel: Literal["email"]
    # What a yes allows an advertising platform; each use is a yes of its own (AD-01).
    shares_with: Platform | None = None
    use: Use | None = None
    # Of what a platform gets the hash, by a yes to `upload` (AD-03).
    shares: tuple[Identifier, ...] = ("email",)
    texts: dict[Locale, PurposeText]
    topics: tuple[Wish, ...] = Field(default=(), max_length=MOST_TOPICS)
    rhythms: tuple[Wish, ...] = Field(default=(), max_length=MOST_RHYTHMS)


class PrizeText(Part):
    """A prize in one language: its name and how to use it.

    `short` is what stands on a segment of a wheel; without it the label, if it fits.
    """

    label: Line
    claim: Sentence
    short: Short | None = None


class Prize(Part):
    """Something a draw can award. Without `stock` it never runs out.

    With `pool` its codes are imported, and its stock is how many there are. A voucher
    lapses `valid_days` after it was won; with `returns` its unit is then won again.
    `release` says how many units are to be had up to each day of the campaign. Of a
    choice, `options` are the prizes that its winner can pick from.
    """

    key: Key
    kind: Kind
    weight: int = Field(ge=0, le=1_000_000_000)
    stock: Units | None = None
    value_cents: int = Field(default=0, ge=0, le=100_000_00)
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{3,40}$")] | None = None
    pool: bool = False
    valid_days: int | None = Field(default=None, ge=1, le=LONGEST_VALID_DAYS)
    returns: bool = False
    # To which raffle it is a ticket.
    raffle: Key | None = None
    options: tuple[Key, ...] = Field(default=(), max_length=MOST_SEGMENTS)
    release: Literal["even"] | tuple[Units, ...] | None = None
    texts: dict[Locale, PrizeText]


def worth(prize: Prize, paid_back: int | None) -> int | None:
    """Return how many cents a winner is told of; None where it is no money."""
    return prize.value_cents if prize.kind == "credit" else paid_back


# What comes of a form or a quiz in which there is nothing to win.
NOTHING = Prize(
    key="nothing",
    kind="none",
    weight=1,
    texts={
        "nl": PrizeText(label="Bedankt", claim="We hebben het ontvangen."),
        "en": PrizeText(label="Thank you", claim="We have received it."),
    },
)


class Theme(Part):
    """A shop sets tokens and nothing else; contrast is computed (`domain/theme`)."""

    accent: Colour = "#e8590c"
    support: Colour = "#12372a"
    foil: Literal["grain", "stripes", "dots"] = "grain"
    corner: Literal["sharp", "soft", "round"] = "soft"
    font: Literal["plain", "humanist", "geometric", "rounded", "serif", "slab"] = (
        "plain"
    )
    # Without one, the shop's own; without that, its name in letters.
    logo: LogoName | None = None
    # Lies over the pattern of the foil; a scratch card alone has one.
    foil_image: FoilName | None = None


class Section(Part):
    """A heading and its text, in the game terms."""

    heading: Line
    text: Prose


class Notice(Part):
    """What the Article 13 notice says beyond what the data itself tells (CR-06)."""

    recipients: Prose
    transfers: Prose
    retention: Prose
    profiling: Prose


class Campaign(Part):
    """A promotion as its file says it."""

    format: Literal[1]
    code: Code
    shop: Code
    mechanic: Mechanic
    award: Award = "instant-win"
    flow: Flow
    languages: tuple[Locale, ...] = Field(min_length=1)
    countries: tuple[Literal["NL", "DE", "GB", "IE", "LU", "AT"], ...] = Field(
        min_length=1
    )
    starts: Moment | None = None
    ends: Moment | None = None
    days: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)
    # 0 asks for no age, which only a campaign without prizes may do (MI-01, L-31).
    minimum_age: Literal[0, 16, 18] = 18
    # How often one person may take part, in all and on one of its days; and whether
    # other spellings of an address are the same person: j.doe+x is jdoe at Google.
    entries_per_address: int | None = Field(default=None, ge=1, le=1_000)
    entries_per_day: int | None = Field(default=None, ge=1, le=1_000)
    person: Literal["address", "mailbox"] = "address"
    # Whether six digits of the mail can be typed in the game instead of following its
    # link; not at a till, where the next person stands waiting (DO-13).
    confirm_by_digits: bool = False
    fallback: Key | None = None
    name: dict[Locale, Line]
    texts: dict[Locale, Words]
    theme: Theme = Theme()
    scratch: Scratch = Scratch()
    wheel: Wheel = Wheel()
    form: FormLook = FormLook()
    fields: tuple[FormField, ...] = Field(default=(), max_length=MOST_FIELDS)
    steps: tuple[FormStep, ...] = Field(default=(), max_length=10)
    hidden: tuple[HiddenField, ...] = Field(default=(), max_length=20)
    early_access: EarlyAccess | None = None
    quiz: Quiz | None = None
    purposes: tuple[Purpose, ...] = ()
    # How many others than the shop its consents may name (CR-05).
    most_recipients: int = Field(default=1, ge=0, le=8)
    prizes: tuple[Prize, ...] = Field(default=(), max_length=MOST_SEGMENTS)
    raffles: tuple[Raffle, ...] = Field(default=(), max_length=10)
    placements: tuple[Placement, ...] = Field(min_length=1, max_length=50)
    notice: dict[Locale, Notice]
    # The terms of the game; a campaign without prizes has none.
    terms: dict[Locale, tuple[Section, ...]] = {}

    @property
    def has_prizes(self) -> bool:
        """Return whether there is something to win, and so terms to accept."""
        return self.award != "nothing"

    @property
    def gives_at_once(self) -> bool:
        """Return whether a play or a form can win something there and then."""
        return self.award not in {"raffle", "nothing"}

    @property
    def is_drawn(self) -> bool:
        """Return whether chance decides, so that each play can be checked (PZ-08)."""
        return self.award in {"instant-win", "everybody-wins", "same-gift"}

    @property
    def outcomes(self) -> tuple[Prize, ...]:
        """Return what a draw can come to; without prizes that is one nothing."""
        return self.prizes or (NOTHING,)

    @property
    def pays_back(self) -> bool:
        """Return whether an order can be won back, and so is asked for."""
        return any(prize.kind == "refund" for prize in self.prizes)

    @property
    def has_choice(self) -> bool:
        """Return whether some winners pick their prize."""
        return any(prize.kind == "choice" for prize in self.prizes)

    @property
    def falls_back_to(self) -> str:
        """Return the key of what replaces a prize that has run out."""
        if self.award == "outcome":
            return self.fallback or NOTHING.key
        return self.fallback or self.outcomes[0].key

    @property
    def needs_yes(self) -> bool:
        """Return whether a form is for its consents alone, so that one is needed.

        Never where there is something to win: that must not depend on any (CR-02).
        """
        is_bare = self.mechanic == "form" and not self.has_prizes
        return is_bare and self.form.needs_yes and bool(self.purposes)

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the keys of the extra questions, in the order they are asked in."""
        tiers = [(f.tier, f.key) for f in self.fields if f.tier is not None]
        return tuple(key for _tier, key in sorted(tiers))

    def asked(self, extra: str | None) -> tuple[FormField, ...]:
        """Return the fields of a visit with this extra question, or with none."""
        return tuple(f for f in self.fields if f.tier is None or f.key == extra)

    def asked_in(self, locale: Locale) -> tuple[Purpose, ...]:
        """Return the purposes that have an approved text in this language (CR-14)."""
        return tuple(p for p in self.purposes if locale in p.texts)

    def prize(self, key: str) -> Prize:
        """Return the prize of that key; raises StopIteration for a foreign one."""
        return next(prize for prize in (*self.outcomes, NOTHING) if prize.key == key)

    def raffle(self, key: str) -> Raffle | None:
        """Return the raffle of that key."""
        return next((raffle for raffle in self.raffles if raffle.key == key), None)

    def tickets_to(self, raffle: str) -> frozenset[str]:
        """Return the prizes that are tickets to a raffle; without any, all join."""
        return frozenset(prize.key for prize in self.prizes if prize.raffle == raffle)

    @property
    def raffled_cents(self) -> int:
        """Return what the prizes of all raffles are worth together."""
        return sum(
            prize.number * prize.value_cents
            for raffle in self.raffles
            for prize in raffle.prizes
        )

    def joined_by(self, awarded: str) -> tuple[Raffle, ...]:
        """Return the raffles that an entry to which this was awarded takes part in."""
        return tuple(
            raffle
            for raffle in self.raffles
            if not (tickets := self.tickets_to(raffle.key)) or awarded in tickets
        )

    @property
    def epochs(self) -> int | None:
        """Return how many days it is open, begun or whole; None if the file is open."""
        if self.starts and self.ends:
            return chance.epochs_between(self.starts, self.ends)
        return self.days

    def released(self, prize: Prize) -> tuple[int, ...] | None:
        """Return how many units of a prize are to be had up to each day, if planned."""
        if prize.release is None or isinstance(prize.release, tuple):
            return prize.release
        return release.evenly(prize.stock or 0, epochs=self.epochs or 1)

    def told_as(self, source: str) -> str | None:
        """Return the key under which the page around it tells something, if any."""
        return next((told.key for told in self.hidden if told.source == source), None)

    def known_as(self, email: str) -> str:
        """Return by what a person is known again: an address, or the mailbox behind it.

        Turns and raffles ask here alone, so that they never differ (PZ-10).
        """
        if self.person == "mailbox":
            return address.person(email)
        return address.identity(email)

    def window(self, published: datetime) -> tuple[datetime, datetime]:
        """Return when it opens and closes, counted from its publication if need be."""
        opens = self.starts or published
        return opens, self.ends or opens + timedelta(days=self.days or LONGEST_DAYS)

    def language(self, *wishes: str | None) -> Locale:
        """Return the first wish this campaign speaks, else its own first language."""
        for wish in wishes:
            for locale in self.languages:
                if wish and wish.split("-")[0].lower() == locale:
                    return locale
        return self.languages[0]


_CAMPAIGN = TypeAdapter(Campaign)


def parse_campaign(data: dict[str, Any]) -> Campaign:
    """Read a campaign file's tables. Raises `FileError` naming every fault."""
    return checked(_CAMPAIGN, data)
