"""Counts of youths' logins per bucket of time, until they are told."""

from datetime import datetime
from typing import Any

from servicekit.upserts import add_up
from sqlalchemy import Column, Integer, Row, Table, Text, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from identity.store import MOMENT, metadata

login_tallies = Table(
    "login_tallies",
    metadata,
    Column("bucket_start", MOMENT, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("age_band", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)


async def count(connection: AsyncConnection, bucket_start: datetime, outcome: str, level: str, age_band: str) -> None:
    row = {"bucket_start": bucket_start, "outcome": outcome, "level": level, "age_band": age_band, "count": 1}
    await add_up(connection, login_tallies, row)


async def take_before(connection: AsyncConnection, moment: datetime) -> list[Row[Any]]:
    """The counts of all buckets that began before `moment`; they are gone from here."""
    query = delete(login_tallies).where(login_tallies.c.bucket_start < moment).returning(login_tallies)
    return list(await connection.execute(query))
