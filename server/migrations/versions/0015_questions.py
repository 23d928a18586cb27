"""What many facts about consents have in common is kept once; a request says no longer
what its facts say.

Revision ID: 0015
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EVENT, QUESTION, PERSON = "consent_event", "consent_question", "contact"
STAYS = "contact.subject_ref stays as it is"
# As `domain.consent` has it.
KEY_BITS = 47
SHARED: dict[str, sa.types.TypeEngine[Any]] = {
    "purpose": sa.String(),
    "channel": sa.String(),
    "text_hash": sa.LargeBinary(),
    "notice_hash": sa.LargeBinary(),
    "form_hash": sa.LargeBinary(),
    "locale": sa.String(),
    "context": sa.JSON(),
}
NAMES = tuple(SHARED)
# What a fact names from now on, each by its row in another table.
NEW = {"contact_id": "contact", "question_id": QUESTION}
OWN = ("id", "shop_id", "act", "method", "evidence_hash", "optin_id", "at")
FACTS = (*OWN, "contact_id", "question_id")
OLD_FACTS = (*OWN, "subject_ref", *NAMES)
# As step 0007 has it.
NOT_SEALING = "OLD.seq IS NOT NULL OR NEW.seq IS NULL OR NEW.entry_hash IS NULL"
# As step 0014 has it.
IS_THERE = "id = NEW.id OR (shop_id = NEW.shop_id AND seq = NEW.seq)"


def upgrade() -> None:
    """Keep each question once; let facts name it, and the row of their person."""
    _unguard()
    op.create_table(
        QUESTION,
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in SHARED.items()),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{QUESTION}")),
        sa.UniqueConstraint("sha256", name=op.f(f"uq_{QUESTION}_sha256")),
    )
    for name in NEW:
        op.add_column(EVENT, sa.Column(name, ROW_ID, nullable=True))
    _point_to(_keep_questions())
    with op.batch_alter_table(EVENT) as batch:
        for name, table in NEW.items():
            batch.alter_column(name, existing_type=ROW_ID, nullable=False)
            batch.create_foreign_key(op.f(f"fk_{EVENT}_{name}"), table, [name], ["id"])
        # A request's facts are found among those of its person, who has few.
        batch.drop_index(f"ix_{EVENT}_optin_id")
        batch.drop_index(f"ix_{EVENT}_subject_ref_id")
        for name in ("subject_ref", *NAMES):
            batch.drop_column(name)
        batch.create_index(f"ix_{EVENT}_contact_id", ["contact_id"])
    with op.batch_alter_table("optin") as batch:
        batch.drop_column("wordings")
    _guard(FACTS)
    _guard_questions()
    _guard_subjects()


def downgrade() -> None:
    """Give each fact all that it is about, and each request its wordings."""
    _unguard()
    _unguard_questions()
    _unguard_subjects()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("optin", sa.Column("wordings", sa.JSON(), nullable=True))
    wording = "purpose, lower(hex(text_hash))"
    gathered = f"json_group_object({wording})"
    if not is_sqlite:
        gathered = "coalesce(json_object_agg(purpose, encode(text_hash, 'hex')), '{}')"
    op.execute(
        f"UPDATE optin SET wordings = (SELECT {gathered} FROM {EVENT} e "  # noqa: S608  # names of our own tables
        f"JOIN {QUESTION} q ON q.id = e.question_id "
        "WHERE e.optin_id = optin.id AND e.act = 'requested')"
    )
    with op.batch_alter_table("optin") as batch:
        batch.alter_column("wordings", existing_type=sa.JSON(), nullable=False)
    whole = {"subject_ref": sa.LargeBinary(), **SHARED}
    for name, kind in whole.items():
        op.add_column(EVENT, sa.Column(name, kind, nullable=True))
    op.execute(
        f"UPDATE {EVENT} SET subject_ref = c.subject_ref FROM contact c "  # noqa: S608  # names of our own tables
        f"WHERE c.id = {EVENT}.contact_id"
    )
    told = ", ".join(f"{name} = q.{name}" for name in NAMES)
    op.execute(
        f"UPDATE {EVENT} SET {told} FROM {QUESTION} q "  # noqa: S608  # names of our own tables
        f"WHERE q.id = {EVENT}.question_id"
    )
    with op.batch_alter_table(EVENT) as batch:
        for name, kind in whole.items():
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.drop_index(f"ix_{EVENT}_contact_id")
        for name in NEW:
            batch.drop_constraint(op.f(f"fk_{EVENT}_{name}"), type_="foreignkey")
            batch.drop_column(name)
        batch.create_index(f"ix_{EVENT}_subject_ref_id", ["subject_ref", "id"])
        batch.create_index(f"ix_{EVENT}_optin_id", ["optin_id"])
    op.drop_table(QUESTION)
    if not is_sqlite:
        op.execute(f"DROP FUNCTION {QUESTION}_refuse()")
    _guard(OLD_FACTS)


def _keep_questions() -> Iterator[dict[str, Any]]:
    """Store each question that any fact is about; yield it as facts spell it.

    A context was always spelled alike, but nothing promised so: then two spellings
    lead to one question.
    """
    connection, kept = op.get_bind(), set[bytes]()
    shared = [f"{_as_told(name)} AS {name}" for name in NAMES]
    rows = connection.execute(
        sa.text(f"SELECT DISTINCT {', '.join(shared)} FROM {EVENT}")  # noqa: S608  # names of our own tables
    ).mappings()
    question = sa.table(QUESTION, *map(sa.column, ("id", "sha256", *NAMES)))
    question.c.context.type = sa.JSON()
    for row in rows.all():
        told = {name: _plain(row[name]) for name in NAMES}
        context = json.loads(told["context"])
        name = _name_of(told, context)
        key = int.from_bytes(name[:8]) >> (64 - KEY_BITS)
        if name not in kept:
            kept.add(name)
            connection.execute(
                question.insert().values(
                    **{**told, "context": context, "id": key, "sha256": name}
                )
            )
        yield {**told, "question_id": key}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _name_of(told: dict[str, Any], context: Any) -> bytes:
    """Return the name of a question as `domain.consent.Question` makes it."""
    fields = {
        "purpose": told["purpose"],
        "channel": told["channel"],
        "text": told["text_hash"].hex(),
        "notice": told["notice_hash"].hex(),
        "form": told["form_hash"].hex(),
        "locale": told["locale"],
        "context": context,
    }
    spelled = json.dumps(
        fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(spelled.encode()).digest()


def _point_to(questions: Iterator[dict[str, Any]]) -> None:
    """Let each fact name its question and its person's row, in one change of each row.

    The table of spellings has an index of all that a question says.
    """
    spelled = op.create_table(
        "question_spelled",
        *(
            sa.Column(name, sa.String() if name == "context" else kind, nullable=False)
            for name, kind in SHARED.items()
        ),
        sa.Column("question_id", ROW_ID, nullable=False),
        sa.UniqueConstraint(*NAMES),
    )
    op.bulk_insert(spelled, list(questions))
    alike = " AND ".join(f"s.{name} = {_as_told(name)}" for name in NAMES)
    op.execute(
        f"UPDATE {EVENT} SET question_id = s.question_id, contact_id = c.id "  # noqa: S608  # names of our own tables
        f"FROM question_spelled s, {PERSON} c "
        f"WHERE {alike} AND c.subject_ref = {EVENT}.subject_ref"
    )
    op.drop_table("question_spelled")


def _as_told(name: str) -> str:
    """Return a column of a fact so that it can be compared: of JSON, its text."""
    column = f"{EVENT}.{name}"
    return f"CAST({column} AS TEXT)" if name == "context" else column


def _unguard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("no_update", "sealed_once", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER {EVENT}_{name}")
        return
    for name in ("append_only", "facts_stay", "sealed_once"):
        op.execute(f"DROP TRIGGER {EVENT}_{name} ON {EVENT}")


def _guard(facts: tuple[str, ...]) -> None:
    """Let the database refuse all but the sealing of a fact again."""
    told = ", ".join(facts)
    if op.get_bind().dialect.name != "sqlite":
        refuse = f"EXECUTE FUNCTION {EVENT}_refuse()"
        for name, change in (
            ("append_only", f"DELETE OR TRUNCATE ON {EVENT} FOR EACH STATEMENT"),
            (
                "facts_stay",
                f"UPDATE OF {told} ON {EVENT} FOR EACH STATEMENT",
            ),
            ("sealed_once", f"UPDATE ON {EVENT} FOR EACH ROW WHEN ({NOT_SEALING})"),
        ):
            op.execute(f"CREATE TRIGGER {EVENT}_{name} BEFORE {change} {refuse}")
        return
    for name, change in (
        ("no_delete", f"DELETE ON {EVENT}"),
        ("no_update", f"UPDATE OF {told} ON {EVENT}"),
        ("sealed_once", f"UPDATE ON {EVENT} WHEN {NOT_SEALING}"),
        ("no_replace", f"INSERT ON {EVENT} WHEN {_is_there(EVENT, IS_THERE)}"),
    ):
        _refuse(f"{EVENT}_{name}", change, f"ABORT, '{EVENT} is append-only'")


def _guard_questions() -> None:
    """Let the database refuse to change a question; who comes second adds nothing."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE FUNCTION {QUESTION}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{QUESTION} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {QUESTION}_append_only BEFORE UPDATE OR DELETE OR "
            f"TRUNCATE ON {QUESTION} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION {QUESTION}_refuse()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        _refuse(
            f"{QUESTION}_no_{verb.lower()}",
            f"{verb} ON {QUESTION}",
            f"ABORT, '{QUESTION} is append-only'",
        )
    for name, condition, answer in (
        ("no_replace", "sha256 = NEW.sha256", "IGNORE"),
        (
            "no_clash",
            "id = NEW.id AND sha256 <> NEW.sha256",
            f"ABORT, '{QUESTION} is append-only'",
        ),
    ):
        change = f"INSERT ON {QUESTION} WHEN {_is_there(QUESTION, condition)}"
        _refuse(f"{QUESTION}_{name}", change, answer)


def _unguard_questions() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("no_update", "no_delete", "no_replace", "no_clash"):
            op.execute(f"DROP TRIGGER {QUESTION}_{name}")
    else:
        op.execute(f"DROP TRIGGER {QUESTION}_append_only ON {QUESTION}")


def _guard_subjects() -> None:
    """Let nobody change by what the ledger knows a person: no fact says it now."""
    change = f"UPDATE OF subject_ref ON {PERSON}"
    if op.get_bind().dialect.name == "sqlite":
        _refuse(f"{PERSON}_subject_stays", change, f"ABORT, '{STAYS}'")
        # `REPLACE` changes a row without an update.
        other = _is_there(PERSON, "id = NEW.id AND subject_ref <> NEW.subject_ref")
        change = f"INSERT ON {PERSON} WHEN {other}"
        _refuse(f"{PERSON}_no_replace", change, f"ABORT, '{STAYS}'")
        return
    op.execute(
        f"CREATE FUNCTION {PERSON}_subject_stays() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{STAYS}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {PERSON}_subject_stays BEFORE {change} FOR EACH STATEMENT "
        f"EXECUTE FUNCTION {PERSON}_subject_stays()"
    )


def _unguard_subjects() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("subject_stays", "no_replace"):
            op.execute(f"DROP TRIGGER {PERSON}_{name}")
        return
    op.execute(f"DROP TRIGGER {PERSON}_subject_stays ON {PERSON}")
    op.execute(f"DROP FUNCTION {PERSON}_subject_stays()")


def _is_there(table: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {condition})"  # noqa: S608  # names of our own tables


def _refuse(name: str, change: str, answer: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {change} BEGIN SELECT RAISE({answer}); END"
    )
