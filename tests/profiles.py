"""Somebody of whom something of each kind is known, and their page of it."""

from server.models import RightsRequest
from tests.forms import asked
from tests.pages import Form

ADA = "ada@example.com"
PLACES = [
    {"key": "living", "label": {"nl": "Wonen", "en": "Living"}},
    {"key": "table", "label": {"nl": "Aan tafel", "en": "Table"}},
    {"key": "gifts", "label": {"nl": "Cadeaus", "en": "Gifts"}},
]
FIELDS = [
    asked(
        "postcode",
        "postcode",
        purpose="newsletter",
        label={"nl": "Je postcode", "en": "Your postcode"},
    ),
    asked("mobile", "phone", purpose="newsletter"),
    asked("born", "birthday", purpose="personal_offers"),
    asked("likes", "choices", purpose="personal_offers", options=PLACES),
    asked("room", "choice", purpose="personal_offers", options=PLACES[:2]),
    asked("remark", "long"),
]
TOLD = {
    "postcode": "1234ab",
    "mobile": "06 12345678",
    "born.day": "9",
    "born.month": "3",
    "likes.living": "yes",
    "likes.gifts": "yes",
    "room": "table",
    "remark": "Leave it at the door",
}
KEPT = {
    "postcode": ("text", "1234 AB", "newsletter"),
    "mobile": ("phone", "+31612345678", "newsletter"),
    "born": ("date", "--03-09", "personal_offers"),
    "likes": ("choices", "living,gifts", "personal_offers"),
    "room": ("choices", "table", "personal_offers"),
}
BOTH = ["newsletter", "personal_offers"]


def form_of(page, key, act="profile"):
    """Return the form with which one thing is changed, or removed."""
    forms = [Form(each) for each in page.root.by_id(f"kept-{key}").all("form")]
    (found,) = [f for f in forms if f.action.partition("#")[0].endswith(f"/{act}")]
    return found


def correct(pages, link, key, *, status=303, **typed):
    page = pages.get(f"{link}/profile")
    return pages.submit(form_of(page, key), status=status, **typed)


def remove(pages, link, key):
    page = pages.get(f"{link}/profile")
    return pages.submit(form_of(page, key, "remove"), status=303)


def asked_by_right(house):
    return [(row.kind, row.outcome) for row in house.rows(RightsRequest)]
