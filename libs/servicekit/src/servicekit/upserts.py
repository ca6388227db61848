"""Rows that may be there already. As text, made once: SQLAlchemy 2.0 compiles its own ON CONFLICT anew at each execution (0.2 ms)."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Table, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

Values = Mapping[str, Any]
"""By column."""


async def put(connection: AsyncConnection, table: Table, row: Values, *, keep: Collection[str] = ()) -> None:
    """Insert the row, or replace these columns, except `keep`, of the one with the same primary key."""
    changed = [f"{name} = excluded.{name}" for name in row if name not in table.primary_key.columns and name not in keep]
    await connection.execute(_insert(table, tuple(row), f"({_keys(table)}) do update set {', '.join(changed)}"), row)


async def add_up(connection: AsyncConnection, table: Table, *rows: Values) -> None:
    """Insert the rows, or add their numbers to those of the one with the same primary key."""
    columns = tuple(rows[0])
    more = [f"{name} = {table.name}.{name} + excluded.{name}" for name in columns if name not in table.primary_key.columns]
    await connection.execute(_insert(table, columns, f"({_keys(table)}) do update set {', '.join(more)}"), rows)


async def add_if_new(connection: AsyncConnection, table: Table, row: Values, *unique: str) -> bool:
    """Insert the row unless one with the same `unique` columns (none named: any that it would collide with) is there; whether it is new."""
    target = f"({', '.join(unique)}) " if unique else ""
    return (await connection.execute(_insert(table, tuple(row), f"{target}do nothing"), row)).rowcount == 1


def _keys(table: Table) -> str:
    return ", ".join(column.name for column in table.primary_key)


@cache
def _insert(table: Table, columns: tuple[str, ...], on_conflict: str) -> TextClause:
    values = ", ".join(f":{name}" for name in columns)
    made = text(f"insert into {table.name} ({', '.join(columns)}) values ({values}) on conflict {on_conflict}")  # noqa: S608 - names of ours
    return made.bindparams(*(bindparam(name, type_=table.c[name].type) for name in columns))
