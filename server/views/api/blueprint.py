"""The blueprint of the interface for programs, version 1."""

from flask import Blueprint

bp = Blueprint("api", __name__, url_prefix="/api/v1")
