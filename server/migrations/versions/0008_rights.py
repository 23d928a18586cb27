"""What follows a yes: rights and the clock, preferences, audiences, moved addresses;
facts and mails without a form; confirmation mails by day and provider; keys of months.

Revision ID: 0008
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EVENT = "consent_event"
# As step 0007 leaves them.
FACTS = (
    *("id", "shop_id", "subject_ref", "purpose", "channel", "act", "method"),
    *("text_hash", "notice_hash", "form_hash", "locale", "context"),
    *("evidence_hash", "optin_id", "at"),
)
NOT_SEALING = "OLD.seq IS NOT NULL OR NEW.seq IS NULL OR NEW.entry_hash IS NULL"
OF_OPTIN: dict[str, sa.types.TypeEngine[Any]] = {
    "sent_at": sa.BigInteger(),
    "opened_at": sa.BigInteger(),
    "provider": sa.String(),
}
# Why somebody is left out of a raffle.
REASONS = "reason IN ('duplicate', 'not_me', 'revoked', 'erased', 'excluded')"
OLD_REASONS = "reason IN ('duplicate', 'not_me', 'revoked', 'excluded')"
# What may be missing from now on.
LOOSENED = ((EVENT, "optin_id"), ("link", "entry_id"), ("outbox", "contact_id"))
TABLES = (
    "funnel_day",
    "month_key",
    "audience_member",
    "address_change",
    "rights_request",
    "preference",
)


def upgrade() -> None:
    """Loosen three columns, let an address be suppressed twice, and add six tables.

    An opt-in tells when its mail went, was opened and by whom it was carried; a contact
    since when it is restricted, erased or moved; an erased one is no revoked entrant.
    """
    for name, kind in OF_OPTIN.items():
        op.add_column("optin", sa.Column(name, kind, nullable=True))
    for name in ("restricted_at", "erased_at", "moved_at"):
        op.add_column("contact", sa.Column(name, sa.BigInteger(), nullable=True))
    _set_nullable(True)
    _recheck_reasons(REASONS)
    op.add_column(
        "suppression", sa.Column("subject_ref", sa.LargeBinary(), nullable=True)
    )
    _key_suppressions("shop_id", "email_hash", "reason")
    op.create_table(
        "preference",
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=True),
        sa.Column("rhythm", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _refers("preference", "contact"),
        sa.PrimaryKeyConstraint("contact_id", "purpose", name=op.f("pk_preference")),
    )
    op.create_table(
        "rights_request",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member_id", ROW_ID, nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('access', 'rectify', 'restrict', 'object', 'erase')",
            name=op.f("ck_rights_request_kind"),
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (outcome IS NULL)",
            name=op.f("ck_rights_request_settled_with_outcome"),
        ),
        *(_refers("rights_request", other) for other in ("shop", "contact", "member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_rights_request_public_id")),
    )
    _index("rights_request", "contact_id")
    op.create_index(
        "ix_rights_request_shop_id_settled_at",
        "rights_request",
        ["shop_id", "settled_at"],
        unique=False,
    )
    op.create_table(
        "address_change",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("link_id", ROW_ID, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        *(_refers("address_change", other) for other in ("contact", "link")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
        sa.UniqueConstraint("link_id", name=op.f("uq_address_change_link_id")),
    )
    _index("address_change", "contact_id")
    op.create_table(
        "audience_member",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("hashed", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        *(_refers("audience_member", other) for other in ("shop", "contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience_member")),
    )
    op.create_index(
        "uq_audience_member_contact_id_platform_hashed",
        "audience_member",
        ["contact_id", "platform", "hashed"],
        unique=True,
    )
    op.create_index(
        "ix_audience_member_shop_id_platform",
        "audience_member",
        ["shop_id", "platform"],
        unique=False,
    )
    op.create_table(
        "funnel_day",
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("mailed", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        _refers("funnel_day", "campaign"),
        sa.PrimaryKeyConstraint(
            "campaign_id", "day", "provider", name=op.f("pk_funnel_day")
        ),
    )
    op.create_table(
        "month_key",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_month_key")),
    )


def downgrade() -> None:
    """Take it all back.

    It fails where there are facts that follow no form: they stay, and an earlier
    version cannot read them.
    """
    for name in TABLES:
        op.drop_table(name)
    op.execute("DELETE FROM suppression WHERE reason NOT IN ('not_me', 'refused')")
    op.execute(
        "DELETE FROM suppression WHERE reason = 'refused' AND EXISTS (SELECT 1 FROM "
        "suppression o WHERE o.shop_id = suppression.shop_id "
        "AND o.email_hash = suppression.email_hash AND o.reason = 'not_me')"
    )
    _key_suppressions("shop_id", "email_hash")
    op.drop_column("suppression", "subject_ref")
    op.execute("UPDATE raffle_exclusion SET reason = 'revoked' WHERE reason = 'erased'")
    _recheck_reasons(OLD_REASONS)
    _set_nullable(False)
    for name in ("moved_at", "erased_at", "restricted_at"):
        op.drop_column("contact", name)
    for name in reversed(OF_OPTIN):
        op.drop_column("optin", name)


def _refers(table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{other}_id"], [f"{other}.id"], name=op.f(f"fk_{table}_{other}_id")
    )


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _set_nullable(is_nullable: bool) -> None:
    """Let three columns be empty, or not; SQLite copies the tables for it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, column in LOOSENED:
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, existing_type=ROW_ID, nullable=is_nullable)
        if is_sqlite and table == EVENT:
            # The triggers went with the table that was copied.
            _guard_facts()


def _recheck_reasons(rule: str) -> None:
    with op.batch_alter_table("raffle_exclusion") as batch:
        name = op.f("ck_raffle_exclusion_reason")
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(rule))


def _key_suppressions(*key: str) -> None:
    """Give suppressions another key; SQLite copies the table for it."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("pk_suppression"), "suppression", type_="primary")
        op.create_primary_key(op.f("pk_suppression"), "suppression", list(key))
        return
    op.rename_table("suppression", "suppression_before")
    made = op.create_table(
        "suppression",
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("subject_ref", sa.LargeBinary(), nullable=True),
        _refers("suppression", "shop"),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_suppression")),
    )
    names = ", ".join(column.name for column in made.columns)
    op.execute(
        f"INSERT INTO suppression ({names}) "  # noqa: S608  # names of our own columns
        f"SELECT {names} FROM suppression_before"
    )
    op.drop_table("suppression_before")


def _guard_facts() -> None:
    for name, change in (
        ("no_delete", f"DELETE ON {EVENT}"),
        ("no_update", f"UPDATE OF {', '.join(FACTS)} ON {EVENT}"),
        ("sealed_once", f"UPDATE ON {EVENT} WHEN {NOT_SEALING}"),
    ):
        op.execute(
            f"CREATE TRIGGER {EVENT}_{name} BEFORE {change} "
            f"BEGIN SELECT RAISE(ABORT, '{EVENT} is append-only'); END"
        )
