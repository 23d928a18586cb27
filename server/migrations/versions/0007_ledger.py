"""The consent ledger: numbers and hashes of entries, and signed checkpoints.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = (
    *("id", "shop_id", "subject_ref", "purpose", "channel", "act", "method"),
    *("text_hash", "notice_hash", "form_hash", "locale", "context"),
    *("evidence_hash", "optin_id", "at"),
)
# A number is given once, together with its hash, and then stays.
NOT_SEALING = "OLD.seq IS NOT NULL OR NEW.seq IS NULL OR NEW.entry_hash IS NULL"
EVENT, CHECKPOINT = "consent_event", "checkpoint"


def upgrade() -> None:
    """Add what sealing writes, and let the database refuse all other changes."""
    op.add_column(EVENT, sa.Column("seq", sa.Integer(), nullable=True))
    op.add_column(EVENT, sa.Column("entry_hash", sa.LargeBinary(), nullable=True))
    op.drop_index("ix_consent_event_shop_id", EVENT)
    op.create_index(
        "uq_consent_event_shop_id_seq", EVENT, ["shop_id", "seq"], unique=True
    )
    op.create_table(
        "ledger",
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_ledger_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_ledger")),
    )
    op.create_table(
        CHECKPOINT,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("shop_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_checkpoint_shop_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
        sa.UniqueConstraint("shop_id", "day", name=op.f("uq_checkpoint_shop_id_day")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def downgrade() -> None:
    """Forget the ledger, and keep the facts."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        for name in ("no_update", "sealed_once"):
            op.execute(f"DROP TRIGGER {EVENT}_{name}")
    else:
        for name in ("append_only", "facts_stay", "sealed_once"):
            op.execute(f"DROP TRIGGER {EVENT}_{name} ON {EVENT}")
    op.drop_table(CHECKPOINT)
    op.drop_table("ledger")
    op.drop_index("uq_consent_event_shop_id_seq", EVENT)
    op.create_index("ix_consent_event_shop_id", EVENT, ["shop_id"], unique=False)
    op.drop_column(EVENT, "entry_hash")
    op.drop_column(EVENT, "seq")
    if is_sqlite:
        _refuse_sqlite(f"{EVENT}_no_update", f"UPDATE ON {EVENT}", EVENT)
        return
    op.execute(f"DROP FUNCTION {CHECKPOINT}_refuse()")
    op.execute(
        f"CREATE TRIGGER {EVENT}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        f"ON {EVENT} FOR EACH STATEMENT EXECUTE FUNCTION {EVENT}_refuse()"
    )


def _guard_sqlite() -> None:
    op.execute(f"DROP TRIGGER {EVENT}_no_update")
    facts = ", ".join(FACTS)
    _refuse_sqlite(f"{EVENT}_no_update", f"UPDATE OF {facts} ON {EVENT}", EVENT)
    _refuse_sqlite(
        f"{EVENT}_sealed_once", f"UPDATE ON {EVENT} WHEN {NOT_SEALING}", EVENT
    )
    for verb in ("UPDATE", "DELETE"):
        name = f"{CHECKPOINT}_no_{verb.lower()}"
        _refuse_sqlite(name, f"{verb} ON {CHECKPOINT}", CHECKPOINT)


def _refuse_sqlite(name: str, change: str, table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {change} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _guard_postgresql() -> None:
    op.execute(f"DROP TRIGGER {EVENT}_append_only ON {EVENT}")
    refuse = f"EXECUTE FUNCTION {EVENT}_refuse()"
    for name, change in (
        ("append_only", f"DELETE OR TRUNCATE ON {EVENT} FOR EACH STATEMENT"),
        ("facts_stay", f"UPDATE OF {', '.join(FACTS)} ON {EVENT} FOR EACH STATEMENT"),
        ("sealed_once", f"UPDATE ON {EVENT} FOR EACH ROW WHEN ({NOT_SEALING})"),
    ):
        op.execute(f"CREATE TRIGGER {EVENT}_{name} BEFORE {change} {refuse}")
    op.execute(
        f"CREATE FUNCTION {CHECKPOINT}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{CHECKPOINT} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {CHECKPOINT}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        f"ON {CHECKPOINT} FOR EACH STATEMENT EXECUTE FUNCTION {CHECKPOINT}_refuse()"
    )
