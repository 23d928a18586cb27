"""A proof in plain words: what somebody did, how, and how anybody checks it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.domain.consent import Act
from server.domain.proof import Doubt, Kept

# One sentence for each act, as a judge would want to hear it.
ACTS: dict[str, Any] = {
    Act.REQUESTED: _l("Ticked the box on the form"),
    Act.CONFIRMATION_SENT: _l("The confirmation mail was accepted"),
    Act.DECLINED: _l("Said in the mail: this was not me"),
    Act.SUPERSEDED: _l("Asked for something else, so this request was closed"),
    Act.EXPIRED: _l("Did not confirm in time, so nothing was agreed to"),
    Act.GIVEN: _l("Said yes"),
    Act.WITHDRAWN: _l("Took it back"),
    Act.SOFT_OPT_IN: _l("Became a customer: mail about similar products, no consent"),
    Act.UNPROVEN: _l("The shop says there was a yes, and has no proof of it"),
    Act.LAPSED: _l("The yes grew too old and ended"),
    Act.REFUSED: _l("Stopped all mails; nothing stood that could end"),
    Act.OBJECTED: _l("Objected to all direct marketing"),
    Act.OBJECTION_ENDED: _l("Ended the objection; that says yes to nothing"),
    Act.RESTRICTED: _l("Had the use of their data stopped"),
    Act.RESTRICTION_ENDED: _l("Let their data be used again"),
    Act.ACCESSED: _l("Got a copy of their data"),
    Act.RECTIFIED: _l("Had their data corrected"),
    Act.CORRECTED: _l("Corrected what is known of them beside the address"),
    Act.ERASED: _l("Had their data erased"),
}
STANDS: dict[str, Any] = {
    Act.GIVEN: _l("Yes"),
    Act.WITHDRAWN: _l("No, taken back"),
    Act.SOFT_OPT_IN: _l("No consent, mail about similar products only"),
    Act.UNPROVEN: _l("Not proven, so no"),
    Act.LAPSED: _l("No, too old"),
}
METHODS: dict[str, Any] = {
    "form": _l("in the form, by ticking a box that was empty"),
    "mailbox-confirmed-post": _l("by pressing the button behind the link in the mail"),
    "mailbox-digits": _l("by typing the digits from the mail"),
    "mailbox-post": _l("by pressing a button behind the link in the mail"),
    "one-click": _l("by the stop button of the mail program"),
    "unsubscribe-page": _l("by pressing the button of the stop page"),
    "smtp": _l("the mail server of the mailbox took it"),
    "clock": _l("by the passing of time"),
    "pref_centre": _l("in their preferences, behind a link in a mail"),
    "import": _l("by an import of the shop"),
    "sale": _l("by a sale that the shop passed on"),
    "office": _l("by a member of the shop, at the person's wish"),
    "retention": _l("because no reason was left to keep it"),
    "restore": _l("once more, after an older backup was put back"),
    "key-lost": _l("because the key that opens it was lost"),
}
KEPT: dict[str, Any] = {
    Kept.ERASED: _l(
        "Erased: the key of this person was destroyed, and nobody can read it any more."
    ),
    Kept.CHANGED: _l("It is not the one that the ledger names, so it proves nothing."),
}
DOUBTS: dict[str, Any] = {
    Doubt.FAST: _l(
        "Pressed within ten seconds after the mail was accepted: a program that looks "
        "at mails may have done it. It counts, and is worth a question."
    ),
    Doubt.SCANNER: _l(
        "Pressed from the network of a mail scanner: a program may have done it. It "
        "counts, and is worth a question."
    ),
}


def said(words: dict[str, Any], key: str) -> str:
    """Return our words for it; what is too new to have any is shown as it is."""
    return str(words.get(key, key))


# What a reader looks for first; the rest follows as it is.
FIRST = ("email", "yes", "no", "controller", "ip", "user_agent", "message_id")
# What the fact itself says already.
SAID = ("at", "act")


def told(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what a piece of evidence holds, in the order of a reader."""
    keys = [key for key in FIRST if key in facts]
    keys += [key for key in facts if key not in {*FIRST, *SAID}]
    return [(key, facts[key]) for key in keys]


def how_to_check() -> list[tuple[str, str]]:
    """Return each step with which anybody checks a file, and how it is done."""
    return [
        (
            _("The words are the ones that were shown"),
            _(
                "Take the SHA-256 of the UTF-8 bytes of texts[NAME].body. It is NAME, "
                "the name by which facts[].text, notice and form call it."
            ),
        ),
        (
            _("The entry says what the fact says"),
            _(
                "In facts[].ledger.entry the fields act, purpose, at, method, channel, "
                "locale, context, text, notice, form and evidence are those of the "
                "fact, and subject is that of the person."
            ),
        ),
        (
            _("The entry was not changed"),
            _(
                "Write the entry as canonical JSON (RFC 8785), put one zero byte "
                "before it, and take the SHA-256. It is entry_hash."
            ),
        ),
        (
            _("The entry hangs on the one before"),
            _(
                "entry.prev is prev_hash: the hash of the entry whose number is one "
                "lower; 64 zeros before the first."
            ),
        ),
        (
            _("The entry was in the ledger on that day"),
            _(
                "Start with entry_hash, at place seq - 1 in a tree of checkpoint.size "
                "leaves, and go along path as RFC 9162 section 2.1.3.2 says: SHA-256 "
                "of a one byte, the left and the right hash. You end at "
                "checkpoint.root."
            ),
        ),
        (
            _("That day was signed"),
            _(
                "checkpoint.message is size|root|head|day. Check its Ed25519 signature "
                "with keys[checkpoint.key], and compare that key with the one that "
                "the shop made public: python -m server ledger key shows it. An entry "
                "without a checkpoint is from a day that is not over yet."
            ),
        ),
        (
            _("What is about the person is the evidence of then"),
            _(
                "evidence[NAME].facts was opened for this file. NAME is the SHA-256 of "
                "its sealed bytes, which the shop keeps and can show."
            ),
        ),
    ]
