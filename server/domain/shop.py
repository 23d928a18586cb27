"""Who runs the games: the tenant, and the controller of what visitors tell."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, HttpUrl, StringConstraints, TypeAdapter, model_validator

from server.domain.months import MONTHS_A_YEAR
from server.domain.parts import Code, Line, Locale, Mailbox, Origin, Part, checked
from server.domain.picture import LogoName
from server.domain.placement import Pattern, QueryPattern

# Nobody is interrupted who is about to pay.
CHECKOUT = ("*/checkout*", "*/kassa*", "*/afrekenen*", "*/bestellen*", "*/betalen*")
# How the links in a shop's own mails are marked.
FROM_MAIL = ("?utm_medium=email",)


class Sender(Part):
    """Whom the mails come from."""

    name: Line
    email: Mailbox


class Legal(Part):
    """The controller in ledger, notice and receipt (GDPR 13(1)(a); L-01)."""

    name: Line
    address: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    email: Mailbox
    phone: Line
    privacy_url: HttpUrl
    # Where the data is kept, for receipts: "EU", say. Else the notice has to tell.
    stored_in: Line | None = None


class Budget(Part):
    """How often all placements of a shop together may open by themselves.

    A day is only counted where the page says that it may keep things (EM-02).
    """

    session: int = Field(default=1, ge=0, le=20)
    day: int = Field(default=2, ge=0, le=20)


class Retention(Part):
    """How long what is known of a person is kept (GDPR 5(1)(e); DS-04, DS-05).

    A shop moves each within its bounds. `domain/retention` says from when they count.
    """

    # Of a player without a prize, after the campaign closed and its raffles are drawn.
    entry_days: int = Field(default=90, ge=1, le=366)
    # Of a winner, after the award: the law of taxes.
    prize_months: int = Field(default=7 * MONTHS_A_YEAR, ge=12, le=120)
    # Of the proof of a yes, after it was withdrawn or has lapsed.
    proof_months: int = Field(default=5 * MONTHS_A_YEAR, ge=12, le=120)
    # Of a yes without a sign of life: when it is warned about, and when it lapses.
    stale_months: int = Field(default=24, ge=3, le=48)
    lapse_months: int = Field(default=36, ge=6, le=60)
    # Of writing to a customer without asking, after the last sale (SO-03).
    soft_months: int = Field(default=24, ge=1, le=36)

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        if self.stale_months >= self.lapse_months:
            raise ValueError("stale_months comes before lapse_months")
        return self


class ShopFile(Part):
    """One shop: the tenant, its sites and who answers for its data."""

    format: Literal[1]
    code: Code
    name: Line
    language: Locale = "nl"
    logo: LogoName | None = None
    sites: tuple[Origin, ...] = Field(min_length=1, max_length=20)
    # The paths on which nothing opens by itself.
    checkout: tuple[Pattern, ...] = Field(default=CHECKOUT, max_length=20)
    # Who comes by such a link has just been asked in the mail.
    from_mail: tuple[QueryPattern, ...] = Field(default=FROM_MAIL, max_length=20)
    budget: Budget = Budget()
    # Whether evidence says from which network address somebody acted (PR-10).
    keeps_network_addresses: bool = True
    # Whether a mail with a link to their receipt goes to who has confirmed (PR-09).
    receipts: Literal["mail", "none"] = "mail"
    sender: Sender
    legal: Legal
    # How long what is known of a person is kept (DS-04, DS-05).
    retention: Retention = Retention()


_SHOP = TypeAdapter(ShopFile)


def parse_shop(data: dict[str, Any]) -> ShopFile:
    """Read a shop file's tables. Raises `FileError` naming every fault."""
    return checked(_SHOP, data)
