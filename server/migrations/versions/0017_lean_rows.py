"""What an entry need not leave: words in indexes that nobody looks for, long digests.

A step back cannot restore the second halves of the prints: to the version before, an
entry that is sent again by a browser that had no answer looks like another one on the
same ticket, and is told so. Only entries made before the step back are concerned, and
nothing is drawn or mailed twice. Mails that were counted for one shop count for all of
them again.

Revision ID: 0017
"""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

WAITS = sa.text("state IN ('waiting', 'leased')")
DEAD = sa.text("state = 'dead'")
MESSAGE_ID = "uq_outbox_message_id"
# The empty ones, of who was erased, stay: to SQLite a part of nothing is NULL.
CUT = """
UPDATE entry SET
  play_print = CASE WHEN length(play_print) > 8
    THEN substr(play_print, 1, 8) ELSE play_print END,
  claim_print = CASE WHEN length(claim_print) > 8
    THEN substr(claim_print, 1, 8) ELSE claim_print END
WHERE length(play_print) > 8 OR length(claim_print) > 8
"""


# Which shop a mail was from, as `c1790000000/1` tells it.
SHOP = "/[0-9]+"


def upgrade() -> None:
    """Leave out what is of no use, and half of each print."""
    op.execute(CUT)
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
    """Look for every mail by its state and its name again; prints stay short."""
    _leave_out_shops()
    op.drop_index("ix_outbox_shop_id_id_dead", table_name="outbox")
    op.drop_index("ix_outbox_due_at", table_name="outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.create_unique_constraint(op.f(MESSAGE_ID), ["message_id"])
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.drop_index("ix_optin_contact_id", table_name="optin")
    op.create_index("ix_optin_contact_id_state", "optin", ["contact_id", "state"])


def _leave_out_shops() -> None:
    """Count each mail for all shops, in the words of the version before."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function("shopless", 1, lambda told: re.sub(SHOP, "", told))
        op.execute("UPDATE mailbox SET sendings = shopless(sendings)")
    else:
        op.execute(
            f"UPDATE mailbox SET sendings = regexp_replace(sendings, '{SHOP}', '', 'g')"  # noqa: S608  # our own words
        )
