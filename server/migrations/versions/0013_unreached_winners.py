"""A step for a winner whose letter was given up (PZ-13).

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BEFORE = ("offered", "mailed", "contacted", "claimed", "lapsed")
STEPS = ("offered", "mailed", "undeliverable", "contacted", "claimed", "lapsed")


def upgrade() -> None:
    """Know the step."""
    _recheck(STEPS)


def downgrade() -> None:
    """Forget what has no word in the version before."""
    op.execute("DELETE FROM raffle_step WHERE step = 'undeliverable'")
    _recheck(BEFORE)


def _recheck(steps: tuple[str, ...]) -> None:
    """Let the table have these steps; SQLite can only copy it for that."""
    name = op.f("ck_raffle_step_step")
    listed = ", ".join(f"'{step}'" for step in steps)
    with op.batch_alter_table("raffle_step") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"step IN ({listed})"))
