"""Counts of logins are told when their bucket of time is over."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from contracts.identity import LoginCount, LoginsCounted
from servicekit.delivery.outbox import UnitOfWork

from identity.handlers.logins import bucket_start
from identity.store import tallies


async def tell_counts(uow: UnitOfWork, seconds: int) -> None:
    """One fact per bucket that is over, under a new random id; the counts are then gone from here."""
    buckets: dict[datetime, list[Any]] = defaultdict(list)
    for row in await tallies.take_before(uow.connection, bucket_start(await uow.now(), seconds)):
        buckets[row.bucket_start].append(row)
    for start, rows in sorted(buckets.items()):
        bucket_id = uuid4()
        counts = tuple(LoginCount(outcome=row.outcome, level=row.level, age_band=row.age_band, count=row.count) for row in rows)
        fact = LoginsCounted(bucket_id=bucket_id, bucket_start=start, bucket_seconds=seconds, counts=counts)
        uow.tell(fact, key=bucket_id, sequence=1)
