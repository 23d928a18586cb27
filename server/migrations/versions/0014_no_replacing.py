"""SQLite refuses `REPLACE` where nothing may be changed or deleted (PR-05).

It deletes the row that is in the way without asking the trigger that guards deletions.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"

# What would make each of them delete a row, and what becomes of the insertion: a copy
# of what was shown, and a checkpoint, are inserted again by whoever comes second.
GUARDS = {
    "consent_event": (
        "id = NEW.id OR (shop_id = NEW.shop_id AND seq = NEW.seq)",
        "ABORT, 'consent_event is append-only'",
    ),
    "checkpoint": (
        "id = NEW.id OR (shop_id = NEW.shop_id AND day = NEW.day)",
        "IGNORE",
    ),
    "text": ("sha256 = NEW.sha256", "IGNORE"),
}


def upgrade() -> None:
    """Look for the row before each insertion."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, (is_there, answer) in GUARDS.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608  # names of our own tables
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {is_there}) "
            f"BEGIN SELECT RAISE({answer}); END"
        )


def downgrade() -> None:
    """Let it replace again."""
    if op.get_bind().dialect.name == "sqlite":
        for table in GUARDS:
            op.execute(f"DROP TRIGGER {table}_no_replace")
