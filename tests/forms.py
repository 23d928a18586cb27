"""What tests of the forms without a game share."""

from server.models import Entry

LINE, LIST = "footer-newsletter-inline", "black-friday-page"
WORDS = {"nl": "Woord", "en": "Word"}


def asked(key, kind="text", **more):
    return {"key": key, "kind": kind, "label": WORDS, "why": WORDS} | more


def stored(house):
    (entry,) = house.rows(Entry)
    return entry


def text_of(answer):
    return " ".join(answer.get_data(as_text=True).split())
