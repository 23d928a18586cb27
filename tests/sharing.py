"""A campaign that asks whether an advertising platform may know an address."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.domain import audience
from server.domain.audience import Platform
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
WITH_NUMBER = {
    "nl": "Ja, stuur hashes van mijn mailadres en telefoonnummer naar {}.",
    "en": "Yes, send hashes of my mail address and phone number to {}.",
}
LABEL = {"nl": "Telefoonnummer", "en": "Phone number"}


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


def number_tables(platform: Platform = "google", **changes: Any) -> dict[str, Any]:
    """Return a campaign that asks for a phone number too, and whether it may go there.

    The number is told for the newsletter; the consents keep the keys of Google's.
    """
    field = {"key": "mobile", "kind": "phone", "purpose": "newsletter"}
    fields = [field | {"label": LABEL, "why": LABEL}]
    tables = sharing_tables(**{"fields": fields} | changes)
    upload, personalise = tables["purposes"][-2:]
    upload["shares"] = ["email", "phone"]
    for purpose in (upload, personalise):
        purpose["shares_with"] = platform
    for locale, ask in WITH_NUMBER.items():
        upload["texts"][locale]["ask"] = ask.format(platform.capitalize())
    return tables


def telling(run: Callable[..., Any]) -> Callable[..., tuple[int, str]]:
    """Return what runs a command and returns its code and its words."""

    def run_and_tell(*words: object) -> tuple[int, str]:
        done = run(*words)
        return done.exit_code, done.output

    return run_and_tell


def exported(
    run: Callable[..., tuple[int, str]], folder: Path, platform: Platform = "google"
) -> list[tuple[str, ...]]:
    """Write an audience into a folder, and return its rows without the heading."""
    path = folder / f"{platform}.csv"
    code, said = run(
        *("audience", "export", "--shop", "demo", "--platform", platform),
        *("-o", path, "--force"),
    )
    assert code == 0, said
    heading, *rows = csv.reader(io.StringIO(path.read_text(), newline=""))
    assert tuple(heading) == audience.COLUMNS[platform]
    return [tuple(row) for row in rows]
