"""The application's own parts, by name and type."""

from typing import TYPE_CHECKING, cast

from flask import current_app

from server.assets import Assets
from server.domain.links import Signer
from server.services.campaigns import Directory
from server.services.tools import Tools
from server.settings import Settings

if TYPE_CHECKING:
    # They use the house themselves, so at run time it must not need them.
    from server.views.faces import Faces
    from server.views.limiter import Limiter
    from server.views.proof import Proofs


def directory() -> Directory:
    """Return what finds campaigns by the codes of their placements."""
    return cast("Directory", current_app.extensions["directory"])


def faces() -> "Faces":
    """Return the pages that this process keeps rendered."""
    return cast("Faces", current_app.extensions["faces"])


def limiter() -> "Limiter":
    """Return what counts how often somebody causes a mail or tries to sign in."""
    return cast("Limiter", current_app.extensions["limiter"])


def proofs() -> "Proofs":
    """Return what sets a browser a sum, and checks its answer."""
    return cast("Proofs", current_app.extensions["proofs"])


def assets() -> Assets:
    """Return the files that browsers get."""
    return cast("Assets", current_app.extensions["assets"])


def tools() -> Tools:
    """Return what use cases need beside the session."""
    return cast("Tools", current_app.extensions["tools"])


def signer() -> Signer:
    """Return what signs and reads links and tickets."""
    return cast("Signer", current_app.extensions["signer"])


def settings() -> Settings:
    """Return what the operator decided."""
    return cast("Settings", current_app.config["SETTINGS"])
