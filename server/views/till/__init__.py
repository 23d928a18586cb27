"""The till: a registered tablet, its attract screen, and the game in it (CR-13)."""

from server.views.till import kiosk
from server.views.till.door import bp

__all__ = ["bp", "kiosk"]
