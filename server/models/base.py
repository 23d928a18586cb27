"""What tables share: integer keys inside, random ids outside, moments in UTC."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, Integer, MetaData, Result, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON, LargeBinary, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# Where columns stand that several tables have: behind those of their own.
LAST = 1

# SQLite counts its row ids only for a column that is called INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def in_milliseconds(moment: datetime) -> int:
    """Return a moment as tables keep it; one without a time zone fails."""
    return (moment - EPOCH) // MILLISECOND


def from_milliseconds(told: int | None) -> datetime | None:
    """Return the moment that a table keeps; None where it keeps none."""
    return None if told is None else EPOCH + told * MILLISECOND


class Instant(TypeDecorator[datetime]):
    """A moment as milliseconds since 1970 in UTC: alike and sortable on both."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Write a moment; one without a time zone would be a guess, and fails."""
        return None if value is None else in_milliseconds(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Read a moment."""
        return from_milliseconds(value)


class Base(DeclarativeBase):
    """Every table, with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: Instant,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Leased:
    """What waits, is taken for a while, and is settled (see `services.leases`)."""

    state: Mapped[str] = mapped_column(sort_order=LAST)
    due_at: Mapped[datetime] = mapped_column(sort_order=LAST)
    attempts: Mapped[int] = mapped_column(sort_order=LAST)
    # A worker that slept past its lease must not mark what another has taken.
    claim: Mapped[bytes | None] = mapped_column(sort_order=LAST)
    leased_until: Mapped[datetime | None] = mapped_column(sort_order=LAST)
    created_at: Mapped[datetime] = mapped_column(sort_order=LAST)
    settled_at: Mapped[datetime | None] = mapped_column(sort_order=LAST)


def row_id() -> Mapped[int]:
    """Return the integer key of a table; it never leaves the house."""
    return mapped_column(RowId, primary_key=True)


def table(model: type[Base]) -> Table:
    """Return a model's table, for statements that do without the unit of work."""
    found = model.__table__
    if not isinstance(found, Table):
        raise TypeError(f"{model.__name__} is not a table")
    return found


def rows_changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE changed: what a race for them is decided by."""
    return cast("CursorResult[Any]", result).rowcount


def inserting(dialect: str) -> Any:
    """Return the `insert` that knows `ON CONFLICT`; both databases write it alike."""
    # By name, because a dialect takes two megabytes and only one is in use.
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
