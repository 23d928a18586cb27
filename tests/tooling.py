"""What use cases need beside the session, where a test has no application."""

import os

from server.domain.ledger import Notary
from server.domain.seals import Vault
from server.services.texts import Copies
from server.services.tools import Tools

NOTARY = Notary([b"k" * 32])


def tools_with(vault: Vault) -> Tools:
    """Return tools that seal with a vault and sign with the tests' own key."""
    return Tools(
        vault=vault,
        copies=Copies(),
        random=os.urandom,
        host="service.test",
        notary=NOTARY,
        public_url="http://service.test",
    )
