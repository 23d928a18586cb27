"""A service under load on either database, with more prizes wanted than there are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from tests.conftest import load_database_url
from tests.factories import campaign_tables, prize_table
from tests.stress.service import Service

NOTHING = {
    "key": "nothing",
    "kind": "none",
    "weight": 1,
    "texts": {
        "nl": {"label": "Geen prijs", "claim": "Dank je wel."},
        "en": {"label": "No prize", "claim": "Thank you."},
    },
}
PLACEMENT = "stress"


@pytest.fixture
def serve(bare_database_url: str, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start the service with a campaign that has this stock of one prize."""
    running: list[Service] = []

    def started(*, stock: int, weight: int, smtp_url: str, **more: str) -> Service:
        service = Service(
            tmp_path, database_url=bare_database_url, smtp_url=smtp_url, **more
        )
        running.append(service)
        tables: dict[str, Any] = campaign_tables("welcome-scratch")
        service.load("shop", campaign_tables("demo-shop"))
        service.load(
            "campaign",
            tables
            | {
                "prizes": [prize_table("mug", stock=stock, weight=weight), NOTHING],
                "placements": [{"code": PLACEMENT, "shape": "inline"}],
            },
        )
        return service

    yield started
    for service in running:
        service.stop()


@pytest.fixture
def ask(bare_database_url: str) -> Iterator[Callable[[str], list[Any]]]:
    """Ask the database behind the service's back."""
    engine = create_engine(load_database_url(bare_database_url))

    def asked(query: str) -> list[Any]:
        with engine.connect() as connection:
            return _rows(connection, query)

    yield asked
    engine.dispose()


def _rows(connection: Connection, query: str) -> list[Any]:
    return list(connection.execute(text(query)))


@pytest.fixture
def say(
    capsys: pytest.CaptureFixture[str], database_kind: str
) -> Callable[[str], None]:
    """Print what a run came to, for docs/reliability.md."""

    def said(figures: str) -> None:
        with capsys.disabled():
            print(f"\n{database_kind}: {figures}")

    return said
