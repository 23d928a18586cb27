"""What use cases need beside the session; made once, where the application is made."""

from collections.abc import Callable
from dataclasses import dataclass, field

from server.domain.ledger import Notary
from server.domain.seals import Vault
from server.services.questions import Questions
from server.services.texts import Copies

# Returns as many random bytes as it is asked for.
Chance = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Tools:
    """Keys, random bytes and our host's name, which ends every Message-ID.

    The notary signs what people take home, which may point back to our address.
    """

    vault: Vault
    copies: Copies
    random: Chance
    host: str
    notary: Notary
    public_url: str
    # The keys of months that this process knows (`services/traces`).
    months: dict[str, bytes] = field(default_factory=dict)
    questions: Questions = field(default_factory=Questions)
