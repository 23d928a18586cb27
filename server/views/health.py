"""Whether the process lives, and whether it can serve (SAFETY.md section 6)."""

import shutil

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from server.db import LEAST_FREE_BYTES, current_database
from server.migrations import is_current
from server.views import guards, house

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@guards.anyone
def alive() -> Response:
    """Answer as long as the process lives; it asks nothing else."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@guards.anyone
def ready() -> tuple[Response, int]:
    """Answer 200 when the database answers, is current, and the disk has room."""
    settings = house.settings()
    try:
        checks = {"database": is_current(current_database())}
    except SQLAlchemyError:
        checks = {"database": False}
    checks["disk"] = shutil.disk_usage(settings.instance).free > LEAST_FREE_BYTES
    return jsonify(checks), 200 if all(checks.values()) else 503
