"""Who runs the games: the tenant, and the controller of what visitors tell."""

from typing import Annotated, Any, Literal

from pydantic import Field, HttpUrl, StringConstraints, TypeAdapter

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


_SHOP = TypeAdapter(ShopFile)


def parse_shop(data: dict[str, Any]) -> ShopFile:
    """Read a shop file's tables. Raises `FileError` naming every fault."""
    return checked(_SHOP, data)
