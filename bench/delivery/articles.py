"""The smallest command and effect that are whole: an article is withdrawn, and counted where that is heard."""

from uuid import UUID, uuid4

import asyncpg
from contracts.info import ArticleWithdrawn
from servicekit.delivery.outbox import UnitOfWork
from sqlalchemy import text

TABLES = """
create table if not exists bench_articles (id uuid primary key, told integer not null);
create table if not exists bench_effects (id uuid primary key, times integer not null, last_sequence bigint not null,
  inversions integer not null);
create table if not exists bench_rows (position bigint generated always as identity primary key, topic text not null, key text not null,
  headers jsonb not null, value bytea not null, time timestamptz not null, sent_at timestamptz);
create index if not exists bench_rows_unsent on bench_rows (position) where sent_at is null;
"""
_WITHDRAW = text("update bench_articles set told = told + 1 where id = :id returning told")
_COUNT = text(
    """insert into bench_effects values (:id, 1, :sequence, 0) on conflict (id) do update set times = bench_effects.times + 1,
    inversions = bench_effects.inversions + (case when excluded.last_sequence = bench_effects.last_sequence + 1 then 0 else 1 end),
    last_sequence = excluded.last_sequence"""
)


async def prepare(dsn: str, count: int = 64) -> list[UUID]:
    """Makes the tables and so many articles; returns their ids."""
    ids = [uuid4() for _ in range(count)]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(TABLES)
        await connection.execute("insert into bench_articles select unnest($1::uuid[]), 0", ids)
    finally:
        await connection.close()
    return ids


async def withdraw(article: UUID, uow: UnitOfWork) -> int:
    """The command's handler: change the state and tell the fact."""
    told: int = (await uow.connection.execute(_WITHDRAW, {"id": article})).scalar_one()
    uow.tell(ArticleWithdrawn(publication_id=article), key=article, sequence=told)
    return told


async def count(_event: object, uow: UnitOfWork) -> None:
    """The event's handler: counts it, and whether it came behind the one before."""
    if uow.received is None:
        raise RuntimeError("counts received events")
    await uow.connection.execute(_COUNT, {"id": uow.received.key, "sequence": uow.received.sequence})
