"""Records as a consumer gets them, and facts as a test finds them in the outbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from contracts.event import Event
    from servicekit.delivery.record import RawRecord, Record
    from sqlalchemy.ext.asyncio import AsyncConnection


def record_of(
    event: "Event",
    *,
    key: UUID,
    sequence: int,
    topic: str | None = None,
    event_id: UUID | None = None,
    time: datetime | None = None,
    offset: int = 0,
) -> "Record":
    """The record of an event as its owner would have sent it."""
    from contracts.catalogue import TOPICS
    from contracts.event import Envelope

    row = TOPICS[event.topic or topic or ""]
    envelope = Envelope(event_id or uuid4(), event.type, row.owner, time or datetime.now(UTC), sequence)
    return record_from(row.name, str(key), envelope.headers(), event.model_dump_json().encode(), offset=offset)


def record_from(topic: str, key: str, headers: Mapping[str, str], value: bytes, offset: int = 0) -> "Record":
    """A record made of its parts."""
    from servicekit.delivery.record import Record

    raw = SimpleNamespace(
        topic=topic,
        partition=0,
        offset=offset,
        key=key.encode(),
        value=value,
        headers=tuple((name, text.encode()) for name, text in headers.items()),
    )
    return Record.of(cast("RawRecord", raw))


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that waits in the outbox."""

    topic: str
    key: UUID
    headers: Mapping[str, str]
    data: Mapping[str, Any]
    time: datetime

    @property
    def type(self) -> str:
        return self.headers["ce_type"]

    @property
    def sequence(self) -> int:
        return int(self.headers["ce_sequence"])


async def told(connection: "AsyncConnection") -> list[Told]:
    """The facts in the outbox, oldest first."""
    from servicekit.delivery.tables import outbox
    from sqlalchemy import select

    rows = (await connection.execute(select(outbox).order_by(outbox.c.position))).all()
    return [Told(row.topic, UUID(row.key), row.headers, json.loads(row.value), row.time) for row in rows]
