"""What other programs call: JSON in and out, each with a key of its own."""

from server.views.api import sales, vouchers
from server.views.api.blueprint import bp

__all__ = ["bp", "sales", "vouchers"]
