"""Tables, one aggregate a file; no queries, no rules."""

from server.models.attribute import Attribute
from server.models.audience import AudienceMember
from server.models.audit import Audit
from server.models.base import Base
from server.models.boxcode import BoxBatch, BoxCode
from server.models.campaign import (
    Campaign,
    CampaignDay,
    CampaignVersion,
    FunnelDay,
)
from server.models.consent import (
    Checkpoint,
    ConsentEvent,
    ConsentQuestion,
    Evidence,
    Ledger,
    Standing,
)
from server.models.contact import Contact, Mailbox, Suppression
from server.models.device import Device
from server.models.entry import Entry
from server.models.image import Image
from server.models.link import Link
from server.models.member import Member, MemberSession, Membership
from server.models.month import MonthKey
from server.models.optin import OptIn
from server.models.outbox import Attempt, Outbox
from server.models.placement import Placement
from server.models.preference import Preference
from server.models.prize import Prize
from server.models.purchase import Purchase
from server.models.raffle import (
    Raffle,
    RaffleExclusion,
    RaffleList,
    RafflePlace,
    RaffleStep,
)
from server.models.rights import AddressChange, RightsRequest
from server.models.shop import Shop
from server.models.text import Text
from server.models.turn import Turn
from server.models.voucher import Voucher, VoucherStep
from server.models.webhook import Delivery, Webhook

__all__ = [
    "AddressChange",
    "Attempt",
    "Attribute",
    "AudienceMember",
    "Audit",
    "Base",
    "BoxBatch",
    "BoxCode",
    "Campaign",
    "CampaignDay",
    "CampaignVersion",
    "Checkpoint",
    "ConsentEvent",
    "ConsentQuestion",
    "Contact",
    "Delivery",
    "Device",
    "Entry",
    "Evidence",
    "FunnelDay",
    "Image",
    "Ledger",
    "Link",
    "Mailbox",
    "Member",
    "MemberSession",
    "Membership",
    "MonthKey",
    "OptIn",
    "Outbox",
    "Placement",
    "Preference",
    "Prize",
    "Purchase",
    "Raffle",
    "RaffleExclusion",
    "RaffleList",
    "RafflePlace",
    "RaffleStep",
    "RightsRequest",
    "Shop",
    "Standing",
    "Suppression",
    "Text",
    "Turn",
    "Voucher",
    "VoucherStep",
    "Webhook",
]
