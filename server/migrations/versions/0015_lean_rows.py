"""What an entry need not leave: words in indexes that nobody looks for.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

WAITS = sa.text("state IN ('waiting', 'leased')")
DEAD = sa.text("state = 'dead'")
MESSAGE_ID = "uq_outbox_message_id"


def upgrade() -> None:
    """Keep in the outbox's indexes what still waits, and what was given up."""
    op.drop_index("ix_optin_contact_id_state", table_name="optin")
    op.create_index("ix_optin_contact_id", "optin", ["contact_id"])
    op.drop_index("ix_outbox_state_due_at", table_name="outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.drop_constraint(op.f(MESSAGE_ID), type_="unique")
    op.create_index(
        "ix_outbox_due_at",
        "outbox",
        ["due_at"],
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )
    op.create_index(
        "ix_outbox_shop_id_id_dead",
        "outbox",
        ["shop_id", "id"],
        sqlite_where=DEAD,
        postgresql_where=DEAD,
    )


def downgrade() -> None:
    """Look for every mail by its state and its name again."""
    op.drop_index("ix_outbox_shop_id_id_dead", table_name="outbox")
    op.drop_index("ix_outbox_due_at", table_name="outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.create_unique_constraint(op.f(MESSAGE_ID), ["message_id"])
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.drop_index("ix_optin_contact_id", table_name="optin")
    op.create_index("ix_optin_contact_id_state", "optin", ["contact_id", "state"])
