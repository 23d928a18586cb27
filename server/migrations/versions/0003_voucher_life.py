"""The life of a voucher: redeemed, lapsed, revoked; pools of codes; who redeems.

Revision ID: 0003
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FREE = sa.text("state = 'free'")
LAPSES = sa.text("valid_until IS NOT NULL AND state = 'awarded'")
REDEEMED = "(state = 'redeemed') = (redeemed_at IS NOT NULL)"
OLD_STATES = "state IN ('free', 'reserved', 'awarded')"
STATES = "state IN ('free', 'reserved', 'awarded', 'redeemed', 'lapsed', 'revoked')"
OLD_ROLES = "role IN ('owner', 'viewer')"
ROLES = "role IN ('owner', 'staff', 'viewer')"
COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "valid_until": sa.BigInteger(),
    "mailed_at": sa.BigInteger(),
    "redeemed_at": sa.BigInteger(),
    "redeemed_by": sa.String(),
    "redeemed_place": sa.String(),
    "revoked_at": sa.BigInteger(),
}


def upgrade() -> None:
    """Add what a voucher, a prize and a tablet say more, then the steps."""
    for name, kind in COLUMNS.items():
        op.add_column("voucher", sa.Column(name, kind, nullable=True))
    _recheck(
        "voucher",
        {"ck_voucher_state": STATES, "ck_voucher_redeemed_once": REDEEMED},
        gone=("ck_voucher_state",),
    )
    op.create_index("ix_voucher_code", "voucher", ["code"], unique=False)
    op.create_index(
        "ix_voucher_prize_id_number_free",
        "voucher",
        ["prize_id", "number"],
        unique=False,
        sqlite_where=FREE,
        postgresql_where=FREE,
    )
    op.create_index(
        "ix_voucher_valid_until",
        "voucher",
        ["valid_until"],
        unique=False,
        sqlite_where=LAPSES,
        postgresql_where=LAPSES,
    )
    _recheck("membership", {"ck_membership_role": ROLES}, gone=("ck_membership_role",))
    op.add_column("prize", sa.Column("importing", sa.LargeBinary(), nullable=True))
    op.add_column("device", sa.Column("key_hash", sa.LargeBinary(), nullable=True))
    op.create_index("uq_device_key_hash", "device", ["key_hash"], unique=True)
    op.create_table(
        "voucher_step",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("voucher_id", ROW_ID, nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "step IN ('released', 'mailed_again', 'lapsed', 'revoked')",
            name=op.f("ck_voucher_step_step"),
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_step_voucher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_step")),
    )
    op.create_index(
        op.f("ix_voucher_step_voucher_id"), "voucher_step", ["voucher_id"], unique=False
    )


def downgrade() -> None:
    """Take away what was added; vouchers at their end are awarded as before."""
    op.drop_table("voucher_step")
    op.drop_index("uq_device_key_hash", table_name="device")
    op.drop_column("device", "key_hash")
    op.drop_column("prize", "importing")
    op.execute("UPDATE membership SET role = 'viewer' WHERE role = 'staff'")
    _recheck(
        "membership", {"ck_membership_role": OLD_ROLES}, gone=("ck_membership_role",)
    )
    op.drop_index("ix_voucher_valid_until", table_name="voucher")
    op.drop_index("ix_voucher_prize_id_number_free", table_name="voucher")
    op.drop_index("ix_voucher_code", table_name="voucher")
    op.execute(
        "UPDATE voucher SET state = 'awarded', redeemed_at = NULL "
        "WHERE state IN ('redeemed', 'lapsed', 'revoked')"
    )
    _recheck(
        "voucher",
        {"ck_voucher_state": OLD_STATES},
        gone=("ck_voucher_state", "ck_voucher_redeemed_once"),
    )
    for name in reversed(COLUMNS):
        op.drop_column("voucher", name)


def _recheck(table: str, checks: dict[str, str], *, gone: tuple[str, ...]) -> None:
    """Let a table have these checks; SQLite can only copy it to change one."""
    with op.batch_alter_table(table) as batch:
        for name in gone:
            batch.drop_constraint(op.f(name), type_="check")
        for name, rule in checks.items():
            batch.create_check_constraint(op.f(name), sa.text(rule))
