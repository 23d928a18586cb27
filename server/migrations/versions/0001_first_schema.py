"""The first schema: from shop to outbox, with ledger rows that only grow.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("consent_event", "text")
# In the order in which they can be made.
TABLES = (
    "mailbox",
    "member",
    "shop",
    "text",
    "audit",
    "campaign",
    "contact",
    "member_session",
    "membership",
    "suppression",
    "campaign_day",
    "campaign_version",
    "evidence",
    "placement",
    "prize",
    "entry",
    "optin",
    "voucher",
    "consent_event",
    "link",
    "outbox",
    "attempt",
    "standing",
)


def upgrade() -> None:
    """Make every table, then the triggers that keep facts as they are."""
    op.create_table(
        "mailbox",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sendings", sa.String(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mailbox")),
    )
    op.create_table(
        "member",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("email", name=op.f("uq_member_email")),
    )
    op.create_table(
        "shop",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
        sa.UniqueConstraint("code", name=op.f("uq_shop_code")),
    )
    op.create_table(
        "text",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_text")),
    )
    op.create_table(
        "audit",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("member_id", ROW_ID, nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_audit_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_audit_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_shop_id"), "audit", ["shop_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'paused', 'closed')",
            name=op.f("ck_campaign_state"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_campaign_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_index(op.f("ix_campaign_shop_id"), "campaign", ["shop_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_ref", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_contact_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_public_id")),
        sa.UniqueConstraint(
            "shop_id", "email_hash", name=op.f("uq_contact_shop_id_email_hash")
        ),
        sa.UniqueConstraint("subject_ref", name=op.f("uq_contact_subject_ref")),
    )
    op.create_table(
        "member_session",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("member_id", ROW_ID, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_session_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_member_session_secret_hash")),
    )
    op.create_index(
        op.f("ix_member_session_member_id"),
        "member_session",
        ["member_id"],
        unique=False,
    )
    op.create_table(
        "membership",
        sa.Column("member_id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'viewer')", name=op.f("ck_membership_role")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_membership_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_membership_shop_id")
        ),
        sa.PrimaryKeyConstraint("member_id", "shop_id", name=op.f("pk_membership")),
    )
    op.create_table(
        "suppression",
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_suppression_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "email_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "campaign_day",
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("prizes", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_day_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_campaign_day")),
    )
    op.create_table(
        "campaign_version",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_version_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_version")),
        sa.UniqueConstraint(
            "campaign_id", "number", name=op.f("uq_campaign_version_campaign_id_number")
        ),
    )
    op.create_table(
        "evidence",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_evidence_contact_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("sha256", name=op.f("uq_evidence_sha256")),
    )
    op.create_index(
        op.f("ix_evidence_contact_id"), "evidence", ["contact_id"], unique=False
    )
    op.create_table(
        "placement",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_placement_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
        sa.UniqueConstraint("code", name=op.f("uq_placement_code")),
    )
    op.create_index(
        op.f("ix_placement_campaign_id"), "placement", ["campaign_id"], unique=False
    )
    op.create_table(
        "prize",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.CheckConstraint("stock IS NULL OR stock >= 0", name=op.f("ck_prize_stock")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_prize_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prize")),
        sa.UniqueConstraint(
            "campaign_id", "key", name=op.f("uq_prize_campaign_id_key")
        ),
    )
    op.create_table(
        "entry",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("ticket", sa.LargeBinary(), nullable=False),
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("placement_id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("browser_seed", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.String(), nullable=False),
        sa.Column("awarded", sa.String(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=True),
        sa.Column("play_print", sa.LargeBinary(), nullable=False),
        sa.Column("claim_print", sa.LargeBinary(), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=True),
        sa.Column("played_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'claimed') = (contact_id IS NOT NULL)",
            name=op.f("ck_entry_claimed_by_someone"),
        ),
        sa.CheckConstraint(
            "state IN ('played', 'claimed', 'lapsed')", name=op.f("ck_entry_state")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_entry_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_entry_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["placement_id"], ["placement.id"], name=op.f("fk_entry_placement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("ticket", name=op.f("uq_entry_ticket")),
    )
    op.create_index(
        "ix_entry_campaign_id_played_at",
        "entry",
        ["campaign_id", "played_at"],
        unique=False,
    )
    op.create_index(
        "ix_entry_contact_id_campaign_id",
        "entry",
        ["contact_id", "campaign_id"],
        unique=False,
    )
    op.create_table(
        "optin",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("wordings", sa.JSON(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'sent', 'confirmed', 'declined', 'superseded',"
            " 'expired', 'undeliverable')",
            name=op.f("ck_optin_state"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_optin_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_optin_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_optin")),
    )
    op.create_index(
        "ix_optin_contact_id_state", "optin", ["contact_id", "state"], unique=False
    )
    op.create_index(
        "ix_optin_state_expires_at", "optin", ["state", "expires_at"], unique=False
    )
    op.create_table(
        "voucher",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("prize_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=True),
        sa.Column("awarded_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'free') = (entry_id IS NULL)",
            name=op.f("ck_voucher_free_is_unheld"),
        ),
        sa.CheckConstraint(
            "state IN ('free', 'reserved', 'awarded')", name=op.f("ck_voucher_state")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_voucher_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["prize_id"], ["prize.id"], name=op.f("fk_voucher_prize_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_voucher_entry_id")),
    )
    op.create_index(
        "ix_voucher_prize_id_state_number",
        "voucher",
        ["prize_id", "state", "number"],
        unique=False,
    )
    op.create_index(
        "uq_voucher_prize_id_number", "voucher", ["prize_id", "number"], unique=True
    )
    op.create_table(
        "consent_event",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("subject_ref", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("notice_hash", sa.LargeBinary(), nullable=False),
        sa.Column("form_hash", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("evidence_hash", sa.LargeBinary(), nullable=False),
        sa.Column("optin_id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["optin_id"], ["optin.id"], name=op.f("fk_consent_event_optin_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_consent_event_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_index(
        op.f("ix_consent_event_optin_id"), "consent_event", ["optin_id"], unique=False
    )
    op.create_index(
        op.f("ix_consent_event_shop_id"), "consent_event", ["shop_id"], unique=False
    )
    op.create_index(
        "ix_consent_event_subject_ref_id",
        "consent_event",
        ["subject_ref", "id"],
        unique=False,
    )
    op.create_table(
        "link",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("optin_id", ROW_ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_link_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_link_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["optin_id"], ["optin.id"], name=op.f("fk_link_optin_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_contact_id"), "link", ["contact_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("optin_id", ROW_ID, nullable=True),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.LargeBinary(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'leased', 'delivered', 'dead', 'dropped')",
            name=op.f("ck_outbox_state"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_outbox_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["optin_id"], ["optin.id"], name=op.f("fk_outbox_optin_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_outbox_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    op.create_index(
        op.f("ix_outbox_contact_id"), "outbox", ["contact_id"], unique=False
    )
    op.create_index("ix_outbox_shop_id_id", "outbox", ["shop_id", "id"], unique=False)
    op.create_index(
        "ix_outbox_state_due_at", "outbox", ["state", "due_at"], unique=False
    )
    op.create_table(
        "attempt",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("outbox_id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_attempt_outbox_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index(
        op.f("ix_attempt_outbox_id"), "attempt", ["outbox_id"], unique=False
    )
    op.create_table(
        "standing",
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_standing_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["consent_event.id"], name=op.f("fk_standing_event_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "purpose", name=op.f("pk_standing")),
    )

    for table in APPEND_ONLY:
        _refuse_changes(table)


def downgrade() -> None:
    """Take every table away again, with all that is in it."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete a fact (PR-05)."""
    message = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
