"""One event as it came from Kafka, and what a handler may know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from contracts.event import Envelope, MalformedEnvelopeError, read_id

UNREADABLE = "unreadable"
LONGEST_KEY = 128
"""Bytes of a key that a record is kept under; ids have 36. A longer one wouldn't fit into an index, and so could never be parked."""
LARGEST_SEQUENCE = 2**63 - 1
_NO_NAME = frozenset("\x00\ufffd")
"""What a table's text doesn't hold, and what is kept in its place: read again, a broken name must not pass for one that is only unknown."""


class RawRecord(Protocol):
    """What is read of a consumer's record (aiokafka.ConsumerRecord)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Received(NamedTuple):
    """The event in hand, for its handler: the envelope and the key."""

    id: UUID
    type: str
    source: str
    time: datetime
    sequence: int
    key: UUID
    topic: str


class Record(NamedTuple):
    """A record of a topic, read as far as it can be read."""

    topic: str
    partition: int
    offset: int
    key: str
    id: UUID
    raw_headers: Sequence[tuple[str, bytes | None]]
    value: bytes
    received: Received | None
    """None = no event of ours: headers or key are missing or wrong. Such a record has an id made from its place."""

    @property
    def headers(self) -> dict[str, str]:
        """As text that a table takes. Most events never need it: headers are half of what reading a record costs."""
        return {_text(name): _text(value) for name, value in self.raw_headers if value is not None}

    @property
    def sequence(self) -> int:
        return self.received.sequence if self.received else 0

    @property
    def type(self) -> str:
        return self.received.type if self.received else UNREADABLE

    @classmethod
    def of(cls, raw: RawRecord) -> Self:
        """Never fails: what isn't an event of ours is kept under its key, or under its place if it has none or too long a one."""
        key = raw.key.decode(errors="replace").replace("\x00", "\ufffd") if raw.key and len(raw.key) <= LONGEST_KEY else _place(raw)
        received = _received(raw, key)
        event_id = received.id if received else uuid5(NAMESPACE_OID, _place(raw))
        return cls(raw.topic, raw.partition, raw.offset, key, event_id, raw.headers, raw.value or b"", received)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A record as a table kept it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def kept_record(topic: str, partition: int, offset: int, key: str, headers: Mapping[str, str], value: bytes) -> Record:
    """The record that was put aside with these columns."""
    kept = _Kept(topic, partition, offset, key.encode(), value, [(name, text.encode()) for name, text in headers.items()])
    return Record.of(kept)._replace(key=key)  # as text it can be longer than it came


def _received(raw: RawRecord, key: str) -> Received | None:
    try:
        envelope = Envelope.of(raw.headers)
        if not 1 <= envelope.sequence <= LARGEST_SEQUENCE or raw.value is None or not _NO_NAME.isdisjoint(envelope.type):
            return None
        return Received(envelope.id, envelope.type, envelope.source, envelope.time, envelope.sequence, read_id(key), raw.topic)
    except (MalformedEnvelopeError, ValueError):
        return None


def _place(raw: RawRecord) -> str:
    return f"{raw.topic}/{raw.partition}/{raw.offset}"


def _text(value: str | bytes) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return text.replace("\x00", "\ufffd")  # PostgreSQL's text holds no NUL
