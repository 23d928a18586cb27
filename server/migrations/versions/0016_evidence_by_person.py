"""Evidence is kept by person and the first bytes of its hash; nothing counts it.

The version that brings this step packs evidence before it seals it. After a step back
the version before cannot open what was written meanwhile: whoever wants to go back
does it at once, or puts the backup from before back and applies what was exported.

Revision ID: 0016
"""

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "evidence"
FIRST = "substr(sha256, 1, 8)"
OF_PERSON, KEY, NAME = "ix_evidence_contact_id", "pk_evidence", "uq_evidence_sha256"


def upgrade() -> None:
    """Drop the number; the first bytes of a hash tell the pieces of a person apart."""
    op.drop_index(OF_PERSON, table_name=TABLE)
    if op.get_bind().dialect.name == "sqlite":
        _copy(
            {"contact_id": "contact_id", "name": FIRST, "sealed": "sealed"},
            sa.PrimaryKeyConstraint("contact_id", "name", name=op.f(KEY)),
            sqlite_with_rowid=False,
        )
        return
    op.add_column(TABLE, sa.Column("name", sa.LargeBinary(), nullable=True))
    op.execute(f"UPDATE {TABLE} SET name = {FIRST}")  # noqa: S608  # our own table
    op.drop_constraint(NAME, TABLE, type_="unique")
    op.drop_constraint(KEY, TABLE, type_="primary")
    op.drop_column(TABLE, "id")
    op.drop_column(TABLE, "sha256")
    op.create_primary_key(KEY, TABLE, ["contact_id", "name"])


def downgrade() -> None:
    """Count the rows again, and hash what each has sealed."""
    whole = "sha256(sealed)"
    if op.get_bind().dialect.name == "sqlite":
        driver: Any = op.get_bind().connection.driver_connection
        driver.create_function("sha256", 1, _sha256, deterministic=True)
        _copy(
            {"contact_id": "contact_id", "sha256": whole, "sealed": "sealed"},
            sa.PrimaryKeyConstraint("id", name=op.f(KEY)),
            sa.UniqueConstraint("sha256", name=op.f(NAME)),
            sa.Column("id", ROW_ID, nullable=False),
        )
    else:
        op.add_column(TABLE, sa.Column("sha256", sa.LargeBinary(), nullable=True))
        op.execute(f"UPDATE {TABLE} SET sha256 = {whole}")  # noqa: S608  # our own table
        op.alter_column(TABLE, "sha256", nullable=False)
        op.drop_constraint(KEY, TABLE, type_="primary")
        op.drop_column(TABLE, "name")
        op.execute(f"ALTER TABLE {TABLE} ADD COLUMN id BIGSERIAL")
        op.create_primary_key(KEY, TABLE, ["id"])
        op.create_unique_constraint(NAME, TABLE, ["sha256"])
    op.create_index(OF_PERSON, TABLE, ["contact_id"])


def _sha256(sealed: bytes) -> bytes:
    return hashlib.sha256(sealed).digest()


def _copy(
    columns: dict[str, str], *parts: sa.schema.SchemaItem, **options: bool
) -> None:
    """Copy columns to a table with these parts besides, which takes its place."""
    op.create_table(
        f"{TABLE}_copy",
        *(part for part in parts if isinstance(part, sa.Column)),
        *(sa.Column(name, _kind(name), nullable=False) for name in columns),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_evidence_contact_id")
        ),
        *(part for part in parts if not isinstance(part, sa.Column)),
        **options,
    )
    op.execute(
        f"INSERT INTO {TABLE}_copy ({', '.join(columns)}) "  # noqa: S608  # our own table
        f"SELECT {', '.join(columns.values())} FROM {TABLE} ORDER BY 1, 2"
    )
    op.drop_table(TABLE)
    op.rename_table(f"{TABLE}_copy", TABLE)


def _kind(column: str) -> sa.types.TypeEngine[Any]:
    return ROW_ID if column == "contact_id" else sa.LargeBinary()
