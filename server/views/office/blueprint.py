"""The blueprint of the office, and what all its templates have at hand."""

from typing import Any

from flask import Blueprint, g
from flask.blueprints import BlueprintSetupState

from server.assets import HTMX
from server.views import forgery
from server.views.house import assets
from server.views.office import shown, words

FILTERS = (
    "moment",
    "full_day",
    "exact",
    "day",
    "number",
    "share",
    "own_words",
    "as_told",
    "as_moment",
    "last_day",
    "chosen",
)

bp = Blueprint("office", __name__, url_prefix="/office")


@bp.record_once
def _prepare(state: BlueprintSetupState) -> None:
    forgery.csrf.init_app(state.app)
    for name in FILTERS:
        state.app.jinja_env.filters[name] = getattr(shown, name)
    # A global, because macros see no context.
    state.app.jinja_env.globals["word"] = words.word


@bp.context_processor
def _at_hand() -> dict[str, Any]:
    """Give templates who is at work, and where else they could be."""
    return {
        "here": g.get("here"),
        "workplaces": g.get("workplaces", []),
        # A checkout without npm's part still has a whole office: forms are plain.
        "has_htmx": HTMX[0] in assets().files,
    }
