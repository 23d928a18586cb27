"""What use cases need beside the session, made from our settings."""

import os

from server.domain.ledger import Notary
from server.domain.seals import Vault
from server.services.texts import Copies
from server.services.tools import Tools
from server.settings import Settings


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
