"""Which mailed links each kind of letter has."""

from server.domain.links import Salt
from server.services import address_changes, raffle_places, receipt_letters

CONFIRM = ("confirm", Salt.CONFIRM)
RECTIFY = ("rectify", Salt.RECTIFY)
RECEIPT = ("receipt", Salt.RECEIPT)
CLAIM = ("claim", Salt.CLAIM)
UNSUBSCRIBE = ("unsubscribe", Salt.UNSUBSCRIBE)
PREFERENCES = ("preferences", Salt.PREFERENCES)


def of(letter: str) -> dict[str, tuple[str, Salt]]:
    """Return a letter's links: their names in it, where they lead, their salts.

    Every letter stops the mails and opens the page of who gets it (SO-04), but a
    confirmation has one thing to press (DO-07). An address in doubt may stop nobody's
    mails, and one that was given up opens nobody's page any more.
    """
    match letter:
        case "confirm":
            return {"confirm_url": CONFIRM, "unsubscribe_url": UNSUBSCRIBE}
        case address_changes.ASK:
            return {"confirm_url": RECTIFY}
        case address_changes.NOTICE:
            return {"unsubscribe_url": UNSUBSCRIBE}
    both = {"unsubscribe_url": UNSUBSCRIBE, "preferences_url": PREFERENCES}
    match letter:
        case receipt_letters.LETTER:
            return both | {"receipt_url": RECEIPT}
        case raffle_places.LETTER:
            return both | {"claim_url": CLAIM}
    return both
