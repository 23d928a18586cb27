"""What rows say in one word, as people say it."""

from typing import Any

from flask_babel import lazy_gettext as _l

from server.views.office.story import METHODS
from server.views.raffles import REASONS

WORDS: dict[str, dict[str, Any]] = {
    "campaign": {
        "draft": _l("Draft"),
        "planned": _l("Planned"),
        "published": _l("Running"),
        "paused": _l("Paused"),
        "closed": _l("Over"),
    },
    "entry": {
        "played": _l("Not claimed yet"),
        "claimed": _l("Claimed"),
        "lapsed": _l("Never claimed"),
    },
    "mail": {
        "waiting": _l("Waiting"),
        "leased": _l("Being sent"),
        "delivered": _l("Sent"),
        "dead": _l("Given up"),
        "dropped": _l("Not needed any more"),
    },
    "letter": {
        "confirm": _l("Confirm your choice"),
        "prize": _l("Your prize"),
        "manage": _l("You already said yes"),
        "early": _l("Early access"),
        "ticket": _l("Number in the raffle"),
        "won": _l("Won in the raffle"),
        "checkpoint": _l("Checkpoint of the ledger"),
        "receipt": _l("Receipt of a yes"),
        "preferences": _l("Link to their own page"),
        "rectify": _l("Question to a new address"),
        "moved": _l("Notice to the old address"),
        "untold": _l("Recipient not told"),
    },
    "raffle": {
        "waiting": _l("Not closed yet"),
        "listed": _l("List closed"),
        "drawn": _l("Drawn"),
    },
    "place": {
        "reserve": _l("Reserve"),
        "offered": _l("Waits for the winner"),
        "claimed": _l("Claimed"),
        "lapsed": _l("Not claimed in time"),
    },
    "left_out": REASONS,
    "raffle_step": {
        "offered": _l("It was offered"),
        "mailed": _l("The mail was accepted"),
        "undeliverable": _l("The mail could not be delivered"),
        "contacted": _l("Somebody tried to reach the winner"),
        "claimed": _l("The winner pressed the button"),
        "lapsed": _l("Its days were over"),
    },
    "try": {
        "accepted": _l("Accepted"),
        "refused": _l("Refused for good"),
        "failed": _l("Failed this time"),
        "dropped": _l("Not needed any more"),
    },
    "recipient": {
        "active": _l("On"),
        "off": _l("Off"),
        "gone": _l("Gone"),
        "ended": _l("Ended"),
    },
    "delivery": {
        "waiting": _l("Waits"),
        "leased": _l("On its way"),
        "acknowledged": _l("Acknowledged"),
        "dead": _l("Given up"),
        "dropped": _l("Not needed any more"),
    },
    "told": {
        "consent.given": _l("Said yes"),
        "consent.withdrawn": _l("A yes ended"),
        "soft_opt_in.started": _l("Became a customer, no consent"),
        "soft_opt_in.ended": _l("Wants no mails as a customer"),
        "contact.objected": _l("Objected to mails"),
        "contact.restricted": _l("Their data was restricted"),
        "contact.unrestricted": _l("Their data may be used again"),
        "contact.rectified": _l("Changed their address"),
        "contact.erased": _l("Was erased"),
        "webhook.test": _l("A try of the line"),
    },
    # What came back, where it was no status.
    "heard": {
        "something newer": _l("something newer says it"),
        "told by hand": _l("told by hand"),
        "the recipient has ended": _l("the recipient has ended"),
        "cannot be opened": _l("its key is missing"),
        "address not allowed": _l("its address is not allowed"),
        "name not found": _l("its name is not known"),
        "name not found in time": _l("its name was not found in time"),
        "no connection": _l("nobody answered"),
        "no answer in time": _l("no answer in time"),
        "no trusted encryption": _l("its encryption is not to be trusted"),
        "connection lost": _l("the line broke"),
        "no answer in HTTP": _l("no answer in HTTP"),
        "not tried": _l("not tried: it was off or silent"),
        "not posted": _l("an error of ours"),
    },
    "request": {
        "requested": _l("Mail is on its way"),
        "sent": _l("Waits for confirmation"),
        "confirmed": _l("Confirmed"),
        "declined": _l("Declined"),
        "superseded": _l("Replaced by a newer request"),
        "expired": _l("Expired"),
        "undeliverable": _l("Address does not exist"),
    },
    "act": {
        "requested": _l("Asked for it in the form"),
        "doi_sent": _l("Confirmation mail was sent"),
        "given": _l("Said yes"),
        "withdrawn": _l("Withdrew it"),
        "declined_not_me": _l("Said: this was not me"),
        "superseded": _l("Replaced by a newer request"),
        "expired": _l("Was not confirmed in time"),
        "soft_opt_in": _l("Bought something, and did not say no to mails"),
        "unproven": _l("Said yes elsewhere; the proof is missing"),
        "lapsed": _l("It grew too old and lapsed"),
        "refused": _l("Stopped all mails, though nothing was on"),
        "objected": _l("Objected to mails"),
        "objection_ended": _l("May be asked again"),
        "restricted": _l("Their data was restricted"),
        "restriction_ended": _l("Their data may be used again"),
        "accessed": _l("Got a copy of their data"),
        "rectified": _l("Changed their address"),
        "corrected": _l("Corrected what is known of them beside the address"),
        "erased": _l("Was erased"),
    },
    "method": METHODS,
    "standing": {
        "given": _l("Yes"),
        "withdrawn": _l("No, withdrawn"),
        "soft_opt_in": _l("Customer, no consent"),
        "unproven": _l("Not proven"),
        "lapsed": _l("Lapsed"),
    },
    "kept": {
        "yes": _l("a yes stands"),
        "soft_opt_in": _l("they bought something, and may be written to"),
        "rights_request": _l("a request about their data is open"),
        "restricted": _l("their data is restricted"),
        "raffle": _l("a raffle is not decided"),
        "pending": _l("a request waits to be confirmed"),
        "entry": _l("they took part"),
        "prize": _l("they won something"),
        "voucher": _l("they have a code that can still be used"),
        "proof": _l("a yes that ended has to be proven"),
        "nothing": _l("nothing is known of them that matters"),
    },
    "right": {
        "access": _l("Access"),
        "rectify": _l("Correction"),
        "restrict": _l("Restriction"),
        "object": _l("Objection to mails"),
        "erase": _l("Erasure"),
    },
    "right_advice": {
        "access": _l(
            "All you know is on their page. Send a copy to this address only."
        ),
        "rectify": _l(
            "They correct what you know of them on their own page, behind the link in "
            "nearly any of your mails. A new address counts once its owner confirms "
            "it there. Nobody here can confirm for them."
        ),
        "restrict": _l(
            "Their data is kept and not used, except for their prizes. You end it on "
            "their page."
        ),
        "object": _l(
            "All they said yes to ends, and nobody asks them again. Their prizes are "
            "still mailed."
        ),
        "erase": _l(
            "Address, answers and evidence are gone at once. Draws can still be "
            "checked, and a code that was won stays good."
        ),
    },
    "right_deed": {
        "restrict": _l("Restrict it now"),
        "object": _l("End all mails now"),
        "erase": _l("Erase now"),
    },
    "right_outcome": {
        "accessed": _l("Got a copy"),
        "rectified": _l("Address changed"),
        "corrected": _l("Data corrected"),
        "erased": _l("Erased"),
        "restricted": _l("Restricted"),
        "restriction_ended": _l("Restriction ended"),
        "objected": _l("Mails ended"),
        "objection_ended": _l("Objection ended"),
    },
    "channel": {
        "web": _l("Website"),
        "till": _l("Till"),
        "box": _l("Box"),
        "link": _l("Link"),
        "email": _l("E-mail"),
    },
    "role": {"owner": _l("owner"), "staff": _l("staff"), "viewer": _l("viewer")},
    "voucher": {
        "awarded": _l("Not used yet"),
        "redeemed": _l("Redeemed"),
        "lapsed": _l("Over"),
        "revoked": _l("Taken back"),
    },
    "prize": {
        "voucher": _l("Discount code"),
        "benefit": _l("Benefit"),
        "service": _l("Service"),
        "credit": _l("Shop credit"),
        "refund": _l("Order won back"),
        "choice": _l("Choice of the winner"),
        "ticket": _l("Ticket to a raffle"),
        "none": _l("Nothing won"),
    },
    "step": {
        "reserved": _l("Won, and kept for the winner"),
        "released": _l("Not claimed, back in the game"),
        "awarded": _l("Claimed; the code was shown"),
        "mailed": _l("The mail with the code was accepted"),
        "mailed_again": _l("The winner asked for the mail once more"),
        "redeemed": _l("Redeemed"),
        "lapsed": _l("Its days were over"),
        "revoked": _l("Taken back"),
    },
    "mechanic": {
        "scratch": _l("Scratch card"),
        "wheel": _l("Wheel of fortune"),
        "quiz": _l("Style quiz"),
        "form": _l("Form"),
    },
    "attribute": {
        "text": _l("Text"),
        "date": _l("Day of the year"),
        "number": _l("Number"),
        "choices": _l("Choice"),
    },
    "flow": {
        "play-first": _l("Play first, then the form"),
        "form-first": _l("Form first, then play"),
    },
    "language": {"nl": _l("Dutch"), "en": _l("English")},
    "suspect": {
        "fast": _l("within seconds of the mail"),
        "scanner": _l("from the network of a mail scanner"),
    },
    "fact": {
        "at": _l("Moment"),
        "act": _l("Act"),
        "ip": _l("IP address"),
        "network": _l("Network"),
        "suspect": _l("May have been a machine"),
        "user_agent": _l("Browser"),
        "page": _l("Page"),
        "email": _l("Mail address as given"),
        "controller": _l("Controller"),
        "yes": _l("Said yes to"),
        "no": _l("Left unticked"),
        "link": _l("Number of the mailed link"),
        "message_id": _l("Message-ID"),
        "body_sha256": _l("SHA-256 of the mail"),
        "smtp_answer": _l("Answer of the mail server"),
        "to_host": _l("Host of the mailbox"),
        "renews": _l("Renews the request with number"),
        "member": _l("Number of the member"),
        "sold_on": _l("Day of the sale"),
        "corrected": _l("Corrected"),
        "removed": _l("Removed"),
    },
}


def word(kind: str, key: str) -> Any:
    """Return our word for it; what is too new to have one is shown as it is."""
    return WORDS[kind].get(key, key)
