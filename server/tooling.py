"""What use cases need beside the session, made from our settings."""

import os

from server.db import Database
from server.domain.ledger import Notary
from server.domain.seals import Vault
from server.migrations import KeysError
from server.services import rotations
from server.services.texts import Copies
from server.services.tools import Tools
from server.settings import Settings


def check_keys(database: Database, vault: Vault) -> None:
    """Refuse to work without the keys of this database. Raises `KeysError`.

    Whoever took part again would be met as somebody new, for good.
    """
    with database.reading() as session:
        is_well = rotations.are_at_hand(session, vault=vault)
    if not is_well:
        database.dispose()
        raise KeysError(
            "data keys are missing or in another order, so people cannot be read; "
            "see: python -m server keys status"
        )


def tools_of(settings: Settings) -> Tools:
    """Return the tools of an application, or of a command."""
    return Tools(
        vault=Vault(settings.data_keys),
        copies=Copies(),
        random=os.urandom,
        host=settings.host,
        notary=Notary(settings.ledger_keys),
        public_url=settings.public_url,
    )
