"""Raffles: what is promised, who is left out, and who was drawn.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HELD = sa.text("state IN ('offered', 'claimed')")


def upgrade() -> None:
    """Make the five tables."""
    op.create_table(
        "raffle",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("draws_at", sa.BigInteger(), nullable=False),
        sa.Column("needs_randomness", sa.Boolean(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=True),
        sa.Column("list_hash", sa.LargeBinary(), nullable=True),
        sa.Column("listed_at", sa.BigInteger(), nullable=True),
        sa.Column("randomness", sa.LargeBinary(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("drawn_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'listed', 'drawn')", name=op.f("ck_raffle_state")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (list_hash IS NULL)",
            name=op.f("ck_raffle_listed_by_hash"),
        ),
        sa.CheckConstraint(
            "(state = 'drawn') = (secret IS NOT NULL)", name=op.f("ck_raffle_revealed")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_raffle_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raffle")),
        sa.UniqueConstraint(
            "campaign_id", "key", name=op.f("uq_raffle_campaign_id_key")
        ),
    )
    op.create_table(
        "raffle_list",
        sa.Column("raffle_id", ROW_ID, nullable=False),
        sa.Column("tickets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["raffle_id"], ["raffle.id"], name=op.f("fk_raffle_list_raffle_id")
        ),
        sa.PrimaryKeyConstraint("raffle_id", name=op.f("pk_raffle_list")),
    )
    op.create_table(
        "raffle_exclusion",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("raffle_id", ROW_ID, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('duplicate', 'not_me', 'revoked', 'excluded')",
            name=op.f("ck_raffle_exclusion_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["raffle_id"], ["raffle.id"], name=op.f("fk_raffle_exclusion_raffle_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_raffle_exclusion_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raffle_exclusion")),
        sa.UniqueConstraint(
            "raffle_id", "entry_id", name=op.f("uq_raffle_exclusion_raffle_id_entry_id")
        ),
    )
    _make_places()


def _make_places() -> None:
    op.create_table(
        "raffle_place",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("raffle_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=True),
        sa.Column("claim_by", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('reserve', 'offered', 'claimed', 'lapsed')",
            name=op.f("ck_raffle_place_state"),
        ),
        sa.CheckConstraint(
            "(state = 'reserve') = (unit IS NULL)",
            name=op.f("ck_raffle_place_reserve_waits"),
        ),
        sa.CheckConstraint(
            "(state = 'claimed') = (claimed_at IS NOT NULL)",
            name=op.f("ck_raffle_place_claimed_once"),
        ),
        sa.ForeignKeyConstraint(
            ["raffle_id"], ["raffle.id"], name=op.f("fk_raffle_place_raffle_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_raffle_place_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raffle_place")),
        sa.UniqueConstraint(
            "raffle_id", "number", name=op.f("uq_raffle_place_raffle_id_number")
        ),
        sa.UniqueConstraint(
            "raffle_id", "entry_id", name=op.f("uq_raffle_place_raffle_id_entry_id")
        ),
    )
    op.create_index(
        op.f("ix_raffle_place_entry_id"), "raffle_place", ["entry_id"], unique=False
    )
    op.create_index(
        "uq_raffle_place_held",
        "raffle_place",
        ["raffle_id", "unit"],
        unique=True,
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_table(
        "raffle_step",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("place_id", ROW_ID, nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "step IN ('offered', 'mailed', 'contacted', 'claimed', 'lapsed')",
            name=op.f("ck_raffle_step_step"),
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["raffle_place.id"], name=op.f("fk_raffle_step_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raffle_step")),
    )
    op.create_index(
        op.f("ix_raffle_step_place_id"), "raffle_step", ["place_id"], unique=False
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        *("raffle_step", "raffle_place", "raffle_exclusion"),
        *("raffle_list", "raffle"),
    ):
        op.drop_table(name)
