"""Stub."""

from flask import Blueprint

bp = Blueprint("office", __name__, url_prefix="/office")
