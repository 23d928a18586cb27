"""Every game and channel: outcomes, attributes, tablets, pictures.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LAPSED = sa.text("lapsed_at IS NOT NULL")
UNCLAIMED = sa.text("state = 'played'")
# In the order in which they can be made.
TABLES = ("device", "image", "attribute")
NEW_COLUMNS: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "entry": {
        "outcome": sa.String(),
        "source": sa.JSON(),
        "device": sa.String(),
        "invited_at": sa.BigInteger(),
        "lapsed_at": sa.BigInteger(),
    },
    "campaign": {
        "invites_at": sa.BigInteger(),
        "invites_until": sa.BigInteger(),
        "guarded_until": sa.BigInteger(),
    },
}


def upgrade() -> None:
    """Make the tables, then what an entry says more."""
    op.create_table(
        "device",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_device_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_device_code_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_device_public_id")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_device_secret_hash")),
    )
    op.create_index(op.f("ix_device_shop_id"), "device", ["shop_id"], unique=False)
    op.create_table(
        "image",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mimetype", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_image")),
    )
    op.create_index(op.f("ix_image_source"), "image", ["source"], unique=False)
    op.create_table(
        "attribute",
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_attribute_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_attribute_entry_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "key", name=op.f("pk_attribute")),
    )
    for table, columns in NEW_COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_entry_campaign_id_lapsed_at",
        "entry",
        ["campaign_id", "lapsed_at"],
        unique=False,
        sqlite_where=LAPSED,
        postgresql_where=LAPSED,
    )
    op.create_index(
        "ix_entry_played_at",
        "entry",
        ["played_at"],
        unique=False,
        sqlite_where=UNCLAIMED,
        postgresql_where=UNCLAIMED,
    )


def downgrade() -> None:
    """Take away what was added."""
    op.drop_index("ix_entry_played_at", table_name="entry")
    op.drop_index("ix_entry_campaign_id_lapsed_at", table_name="entry")
    for table, columns in NEW_COLUMNS.items():
        for name in reversed(columns):
            op.drop_column(table, name)
    for table in reversed(TABLES):
        op.drop_table(table)
