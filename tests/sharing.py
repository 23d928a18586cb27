"""A campaign that asks whether an advertising platform may know an address."""

from typing import Any

from tests.factories import campaign_tables

JOINT = {
    "nl": "Google krijgt een hash van je adres; wij zijn samen verantwoordelijk.",
    "en": "Google gets a hash of your address; we are joint controllers.",
}
ASKS = {
    "upload": {
        "nl": "Ja, stuur een hash van mijn mailadres naar Google.",
        "en": "Yes, send a hash of my mail address to Google.",
    },
    "personalise": {
        "nl": "Ja, Google mag met die hash advertenties voor mij kiezen.",
        "en": "Yes, Google may choose ads for me by that hash.",
    },
}
TITLES = {"upload": "Google: address", "personalise": "Google: ads"}


def sharing_tables(name: str = "welcome-scratch", **changes: Any) -> dict[str, Any]:
    """Return a demo campaign with the two consents to Google beside its own."""
    tables = campaign_tables(name, **changes)
    for use, asks in ASKS.items():
        tables["purposes"].append(
            {
                "key": f"google_{use}",
                "channel": "email",
                "shares_with": "google",
                "use": use,
                "texts": {
                    locale: {
                        "title": TITLES[use],
                        "ask": ask,
                        "frequency": "Once a week / elke week",
                        "stop": "Stop in each mail / in elke mail",
                    }
                    for locale, ask in asks.items()
                },
            }
        )
    for locale, said in JOINT.items():
        tables["notice"][locale]["recipients"] += " " + said
    return tables
