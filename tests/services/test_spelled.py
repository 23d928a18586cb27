"""A statement that is spelled once does what the same statement does through Core."""

import pytest
from sqlalchemy import bindparam, func, literal, select

from server.models import Placement, Shop
from server.models.base import from_milliseconds, table
from server.services.spelled import Spelled, one_of

SHOP = table(Shop)
NAMES = ("code", "name", "definition", "version", "created_at")


def row(now, code):
    return {
        "code": code,
        "name": "d\u2019r is \u20ac 5, 100% zeker",
        "definition": {"said": "100%", "list": [1, None, True]},
        "version": 1,
        "created_at": now,
    }


def test_every_kind_of_value_is_kept_as_core_keeps_it(database, now):
    with database.transaction() as session:
        connection = session.connection()
        connection.execute(SHOP.insert(), row(now, "core"))
        Spelled(SHOP.insert(), connection.dialect, NAMES).run(
            connection, row(now, "spelled")
        )

    with database.reading() as session:
        core, spelled = session.execute(
            select(Shop.name, Shop.definition, Shop.created_at).order_by(Shop.code)
        )
        assert spelled == core


def test_several_rows_are_one_call(database, now):
    with database.transaction() as session:
        connection = session.connection()
        Spelled(SHOP.insert(), connection.dialect, NAMES).run(
            connection, row(now, "one"), row(now, "two")
        )

    with database.reading() as session:
        assert session.scalars(select(Shop.code).order_by(Shop.id)).all() == [
            "one",
            "two",
        ]


def test_what_is_fixed_is_told_in_its_columns_type(database, now):
    """A moment that is part of the statement is in milliseconds like those told."""
    asked = select(
        SHOP.c.created_at, func.coalesce(bindparam("none", type_=SHOP.c.name.type), "x")
    ).where(
        SHOP.c.created_at == literal(now, SHOP.c.created_at.type),
        one_of(SHOP.c.code, ["one", "two"]),
    )
    with database.transaction() as session:
        connection = session.connection()
        for code in ("one", "two", "three"):
            connection.execute(SHOP.insert(), row(now, code))
        found = Spelled(asked, connection.dialect).run(connection, {"none": None}).all()

    assert [(from_milliseconds(at), said) for at, said in found] == [(now, "x")] * 2


def test_a_row_that_leaves_something_out_fails(database, now):
    with database.transaction() as session:
        connection = session.connection()
        insert = Spelled(SHOP.insert(), connection.dialect, NAMES)
        told = row(now, "one")
        del told["created_at"]
        with pytest.raises(KeyError):
            insert.run(connection, told)


def test_what_core_would_fill_in_each_time_is_refused(database):
    """A default of ours would be written as nothing, and a list has no fixed words."""
    of_list = select(SHOP.c.id).where(SHOP.c.code.in_(["one", "two"]))

    for statement, names in (
        (table(Placement).insert(), ("campaign_id", "code", "channel")),
        (of_list, None),
    ):
        with pytest.raises(TypeError):
            Spelled(statement, database.engine.dialect, names)
