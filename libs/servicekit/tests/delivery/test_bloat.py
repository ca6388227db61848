"""A table whose rows all go stays small, and as quick, whatever went through it."""

import json
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from contracts.event import Envelope
from contracts.info import ArticleWithdrawn
from servicekit.delivery.relay import Relay
from sqlalchemy import text

from deploy.testing import until

ROWS, WAVES = 100_000, 5
FILL = text(
    """insert into outbox (topic, key, headers, value, time)
    select :topic, gen_random_uuid()::text, cast(:headers as jsonb), :value, now() from generate_series(1, :rows)"""
)
SIZE = text("select pg_total_relation_size('outbox')")


@pytest.mark.faults
async def test_the_outbox_stays_small_after_many_facts_were_sent(database, settings, kafka, running):
    """INVARIANT: bloat is bounded: a hundred thousand facts sent in waves leave no table of that size."""
    headers = Envelope(uuid4(), ArticleWithdrawn.type, "info", datetime.now(UTC), 1).headers()
    row = {"topic": ArticleWithdrawn.topic, "headers": json.dumps(headers), "value": b"x" * 300, "rows": ROWS // WAVES}
    sizes, speeds = [], []
    async with database.engine.connect() as connection:
        options = await connection.scalar(text("select reloptions from pg_class where relname = 'outbox'"))
    assert "autovacuum_vacuum_scale_factor=0" in options
    for _ in range(WAVES):
        async with database.engine.begin() as connection:
            await connection.execute(FILL, row)
        began = time.monotonic()
        async with running(Relay(settings(database.dsn, kafka.access("info")))):
            await until(lambda: _is_empty(database), seconds=120)
        speeds.append(round(ROWS / WAVES / (time.monotonic() - began)))
        async with database.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("vacuum outbox"))  # as autovacuum would
            sizes.append(round(await connection.scalar(SIZE) / 1e6, 1))
    print(f"MB after each wave {sizes}, facts/s {speeds}")  # noqa: T201
    assert max(sizes) < 2 * max(sizes[0], 15)


async def _is_empty(database) -> bool:
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select not exists (select from outbox)"))
