"""The office: where members see what their shop's campaigns do, and prove it.

A view here wears `guards.member(role)`, gets who is at work as its first argument,
and hands the shop's id to every service it calls.
"""

from server.views.office import (
    campaigns,
    contactable,
    contacts,
    doors,
    entries,
    outbox,
    proofs,
    raffles,
    recipients,
    rights,
    vouchers,
)
from server.views.office.blueprint import bp

__all__ = [
    "bp",
    "campaigns",
    "contactable",
    "contacts",
    "doors",
    "entries",
    "outbox",
    "proofs",
    "raffles",
    "recipients",
    "rights",
    "vouchers",
]
