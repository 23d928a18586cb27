"""The demo: a small webshop that embeds the widget, and the inbox of its mails."""

from server.views.demo import inbox, shop
from server.views.demo.door import bp

__all__ = ["bp", "inbox", "shop"]
