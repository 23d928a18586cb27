"""Lines of files that a shop brings along, and what came of them."""

from typing import Any

from server.domain.people_file import CONSENTS, SALES, Around, Shape, read
from server.domain.pool import Wrong
from server.services import consent_imports
from tests.tooling import tools_with
from tests.visits import House

PROOF = {
    "purpose": "newsletter",
    "locale": "en",
    "source": "sign-up form of the old site",
    "date": "2025-06-01",
    "text": "Yes, mail me the newsletter of Noord & Zon.",
    "method": "double opt-in",
}
SALE = {
    "order": "A-1001",
    "date": "2026-02-01",
    "category": "mugs",
    "locale": "nl",
    "collected": "2026-02-01T12:00:00+01:00",
    "offer": "We mail je over bekers. Liever niet? Vink dit aan.",
}
EMAIL = "iris@example.com"


def no_texts(name: str) -> str:
    raise FileNotFoundError(name)


def consent(email: str = EMAIL, **changes: str) -> dict[str, str]:
    """Return a consent with its whole proof, changed; empty removes a part."""
    return {"address": email} | PROOF | changes


def sale(email: str = EMAIL, **changes: str) -> dict[str, str]:
    """Return a sale with all that it needs, changed."""
    return {"address": email} | SALE | changes


def csv_of(*rows: dict[str, str]) -> bytes:
    """Return rows as the file that a shop would bring."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n"
        for line in lines
    ).encode()


def bring(house: House, *rows: dict[str, str], shop: str = "demo") -> list[str]:
    """Bring rows in, all of one kind, and return what became of each."""
    shape: Shape = SALES if "order" in rows[0] else CONSENTS
    tools = tools_with(house.vault)
    shop_id = shop_named(house, shop)
    around = Around("nl", no_texts, house.clock.now())
    claims: list[Any] = list(
        read(csv_of(*rows).splitlines(keepends=True), shape, around, is_json=False)
    )
    assert not [each for each in claims if isinstance(each, Wrong)], claims
    found = []
    for batch in consent_imports.batches(claims, shop_id=shop_id, vault=house.vault):
        with house.database.transaction() as session:
            found += consent_imports.bring_in(
                session, batch, tools=tools, now=house.clock.now()
            )
    return [result.outcome.value for result in found]


def shop_named(house: House, code: str = "demo") -> int:
    """Return the row of a shop."""
    from server.models import Shop

    return house.rows(Shop, code=code)[0].id
