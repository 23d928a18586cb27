"""Codes in the box: batches, and the codes of each as keyed hashes.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "box_batch",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("placement_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("printed_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["placement_id"], ["placement.id"], name=op.f("fk_box_batch_placement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_box_batch_public_id")),
    )
    op.create_index(
        op.f("ix_box_batch_placement_id"), "box_batch", ["placement_id"], unique=False
    )
    op.create_table(
        "box_code",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("batch_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("qr_hash", sa.LargeBinary(), nullable=False),
        sa.Column("typed_hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", ROW_ID, nullable=True),
        sa.CheckConstraint(
            "entry_id IS NULL OR opened_at IS NOT NULL",
            name=op.f("ck_box_code_played_is_opened"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["box_batch.id"], name=op.f("fk_box_code_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_box_code_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_code")),
        sa.UniqueConstraint(
            "batch_id", "number", name=op.f("uq_box_code_batch_id_number")
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_box_code_entry_id")),
        sa.UniqueConstraint("qr_hash", name=op.f("uq_box_code_qr_hash")),
        sa.UniqueConstraint("typed_hash", name=op.f("uq_box_code_typed_hash")),
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_table("box_code")
    op.drop_table("box_batch")
