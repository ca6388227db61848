"""Rows that may be there already."""

from uuid import uuid4

from servicekit.upserts import add_if_new, add_up, put
from sqlalchemy import Column, Integer, MetaData, Table, Text, UniqueConstraint, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

shelves = Table(
    "shelves",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("content", JSONB),
    Column("count", Integer, nullable=False, server_default="0"),
    UniqueConstraint("name"),
)


async def rows(connection) -> list[tuple[object, ...]]:
    return list((await connection.execute(select(shelves).order_by(shelves.c.name))).tuples())


async def test_a_row_is_new_replaced_counted_or_left_alone(database):
    one, two = uuid4(), uuid4()
    async with database.begin() as uow:
        connection = uow.connection
        await connection.run_sync(shelves.create)
        await put(connection, shelves, {"id": one, "name": "a", "content": {"b": [1]}})
        await put(connection, shelves, {"id": one, "name": "z", "content": {"b": [2]}}, keep=["name"])
        assert await rows(connection) == [(one, "a", {"b": [2]}, 0)]
        await put(connection, shelves, {"id": one, "name": "b"})
        await add_up(connection, shelves, {"id": one, "count": 3}, {"id": two, "count": 4})
        await add_up(connection, shelves, {"id": one, "count": 2})
        assert await rows(connection) == [(one, "b", {"b": [2]}, 5), (two, None, None, 4)]
        assert not await add_if_new(connection, shelves, {"id": uuid4(), "name": "b"})
        assert not await add_if_new(connection, shelves, {"id": one, "name": "c"}, "id")
        assert await add_if_new(connection, shelves, {"id": uuid4(), "name": "c"}, "name")
        assert [row[1] for row in await rows(connection)] == ["b", "c", None]
