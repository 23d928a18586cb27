"""What an entry need not write: an index of vouchers, and row ids of mailboxes.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BY_STATE = "ix_voucher_prize_id_state_number"


def upgrade() -> None:
    """Drop an index that two others stand in for; keep mailboxes by their key alone."""
    op.drop_index(BY_STATE, table_name="voucher")
    _keep_mailboxes(with_rowid=False)


def downgrade() -> None:
    """Bring both back."""
    _keep_mailboxes(with_rowid=True)
    op.create_index(BY_STATE, "voucher", ["prize_id", "state", "number"])


def _keep_mailboxes(*, with_rowid: bool) -> None:
    """Copy the table on SQLite, which keeps each key twice where rows have ids."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "mailbox_copy",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sendings", sa.String(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mailbox")),
        sqlite_with_rowid=with_rowid,
    )
    op.execute("INSERT INTO mailbox_copy SELECT key, sendings, touched_at FROM mailbox")
    op.drop_table("mailbox")
    op.rename_table("mailbox_copy", "mailbox")
