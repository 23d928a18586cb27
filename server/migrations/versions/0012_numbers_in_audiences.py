"""Of what the hash is that a platform was given: an address, or a phone number.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

from server.migrations import HandedOverError

revision = "0012"
down_revision = "0011"

KIND = "ck_audience_member_kind"
NUMBERS = "SELECT count(*) FROM audience_member WHERE kind = 'phone'"
NOT_BACK = (
    "{} phone numbers were handed to a platform, and an earlier version could not name "
    "them for removal; nothing was changed"
)


def upgrade() -> None:
    """Call every hash there is one of an address."""
    with op.batch_alter_table("audience_member") as batch:
        batch.add_column(
            sa.Column("kind", sa.String(), nullable=False, server_default="email")
        )
        batch.create_check_constraint(op.f(KIND), sa.text("kind IN ('email', 'phone')"))


def downgrade() -> None:
    """Tell them apart no longer; refused where there is anything but addresses."""
    number = op.get_bind().scalar(sa.text(NUMBERS)) or 0
    if number:
        raise HandedOverError(NOT_BACK.format(number))
    with op.batch_alter_table("audience_member") as batch:
        batch.drop_constraint(op.f(KIND), type_="check")
        batch.drop_column("kind")
