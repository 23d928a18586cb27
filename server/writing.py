"""Write what the worker sends: from a queued mail and where its links lead to bytes."""

from dataclasses import dataclass
from datetime import datetime

from flask import Flask

from server.adapters import letters, mailer
from server.adapters.letters import Entered, Invited, Occasion
from server.domain import raffle as raffle_rules
from server.domain.links import LinkRef, Salt, Signer
from server.services import (
    invitations,
    letter_links,
    prize_letters,
    receipt_letters,
)
from server.services.links import Found
from server.services.notices import Notice
from server.services.outbox import Claimed
from server.settings import Settings

INVITED = ("purpose", "subject", "text", "button", "goes_to")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail ready to go: its bytes, who sends it, and to whom."""

    body: bytes
    sender: str
    to: str
    found: Found | Notice


class Writer:
    """Writes the letters of one application."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SETTINGS"]
        self._app = app
        self._url = settings.public_url
        self._signer: Signer = app.extensions["signer"]

    def write(self, mail: Claimed, found: Found | Notice) -> Parcel:
        """Write a letter, or a notice to the shop."""
        shop = found.shop
        with self._app.app_context():
            if isinstance(found, Notice):
                to, locale, stop_url = shop.legal.email, shop.language, ""
                written = letters.notify(mail.letter, shop, mail.params)
            else:
                occasion = self._occasion(mail, found)
                to, locale = mail.params["to"], found.locale
                stop_url = occasion.unsubscribe_url
                written = letters.write(occasion)
            body = mailer.written(
                mailer.Letter(
                    to=to,
                    sender_name=shop.sender.name,
                    sender_email=shop.sender.email,
                    subject=written.subject,
                    text=written.text,
                    html=written.html,
                    message_id=mail.message_id,
                    date=mail.created_at,
                    locale=locale,
                    unsubscribe_url=stop_url,
                )
            )
        return Parcel(body, shop.sender.email, to, found)

    def _occasion(self, mail: Claimed, found: Found) -> Occasion:
        is_confirm = mail.letter == "confirm"
        is_asked = is_confirm or mail.letter == receipt_letters.LETTER
        optin = found.optin if is_asked else None
        return Occasion(
            name=mail.letter,
            locale=found.locale,
            shop=found.shop,
            campaign=found.played_in,
            at=optin.requested_at if optin and is_confirm else mail.created_at,
            page=mail.params.get("page", ""),
            **self._links_of(mail),
            mailbox=mail.params.get("mailbox", ""),
            purposes=optin.purposes if optin else (),
            digits=mail.params.get("digits", "") if is_confirm else "",
            first_name=mail.params.get("first_name", ""),
            prize=mail.params.get("prize", ""),
            code=mail.params.get("code"),
            verify_url=self._verify_url(mail, found),
            prize_url=self._prize_url(mail),
            until=_moment(mail.params.get("until")),
            entered=self._entered(mail, found),
            raffle=mail.params.get("raffle", ""),
            cents=mail.params.get("cents"),
            invitation=_invited(mail),
        )

    def _verify_url(self, mail: Claimed, found: Found) -> str:
        """Return where a play can be checked; its number stays in the browser."""
        play = mail.params.get("play")
        if mail.letter != "prize" or not play or not found.campaign.is_drawn:
            return ""
        place = f"{self._url}/verify/{found.campaign.code}?lang={found.locale}"
        return f"{place}#play={play}"

    def _entered(self, mail: Claimed, found: Found) -> Entered | None:
        """Return with what somebody takes part in a raffle, where a letter says so."""
        draws = mail.params.get("draws")
        if not draws:
            return None
        label = raffle_rules.label(bytes.fromhex(mail.params["play"]))
        place = f"{self._url}/verify/{found.campaign.code}/raffle/{draws[0][0]}"
        return Entered(
            label=label,
            days=tuple(datetime.fromisoformat(at) for _key, at in draws),
            url=f"{place}?lang={found.locale}#play={label}",
        )

    def _links_of(self, mail: Claimed) -> dict[str, str]:
        """Return the links that a letter of this kind has, by their names in it."""
        return {
            name: self._link(place, salt, mail)
            for name, (place, salt) in letter_links.of(mail.letter).items()
        }

    def _prize_url(self, mail: Claimed) -> str:
        """Return where the winner sees how their prize stands."""
        is_prize = mail.letter == prize_letters.LETTER and mail.params.get("code")
        return self._link("prize", Salt.PRIZE, mail) if is_prize else ""

    def _link(self, place: str, salt: Salt, mail: Claimed) -> str:
        # Signed as of the mail's own moment, every try gives the very same letter.
        token = self._signer.sign_link(salt, link_of(mail), now=mail.created_at)
        return f"{self._url}/{place}/{token}"


def link_of(mail: Claimed) -> LinkRef:
    """Return what the links of a mail to a person point to."""
    return LinkRef.from_payload(mail.params["link"])


def _invited(mail: Claimed) -> Invited | None:
    if mail.letter != invitations.LETTER:
        return None
    said = {name: mail.params[name] for name in INVITED}
    return Invited(until=datetime.fromisoformat(mail.params["until"]), **said)


def _moment(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
