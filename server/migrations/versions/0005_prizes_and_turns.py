"""Orders that were won back, and how often a person took part.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "purchase",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("order_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_purchase_amount")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_purchase_shop_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_purchase_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint(
            "shop_id", "order_hash", name=op.f("uq_purchase_shop_id_order_hash")
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_purchase_entry_id")),
    )
    op.create_table(
        "turn",
        sa.Column("campaign_id", ROW_ID, nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("times_that_day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_turn_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "person", name=op.f("pk_turn")),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("turn")
    op.drop_table("purchase")
