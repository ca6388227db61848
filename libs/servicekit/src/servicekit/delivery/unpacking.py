"""Looks at a compressed batch before aiokafka unpacks it whole, in memory: what unpacks to too much never does.

A batch of 256 kB may unpack to 270 MB (gzip packs zeros 1,030:1). Such a batch, one that can't be unpacked and one in a codec that isn't
ours become a single unreadable record at their place: it is parked there, and reading goes on behind it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

MOST_UNPACKED = 8 * 1024 * 1024
"""Bytes that one batch may unpack to; our relay's hold 128 kB."""

_CHUNK = 65_536
_HEADER = struct.Struct(">qiibIhiqqqhii")
"""Record batch, format 2: base offset, length, leader epoch, magic, CRC, attributes, last offset delta, ... (Kafka protocol guide)."""
_LENGTH = struct.Struct(">qi")
_MAGIC_AT, _CODEC, _GZIP, _CONTROL = 16, 0b111, 1, 0b100000
_MOST_PACKED_PER_BYTE = 1032  # deflate can't do better

log = structlog.get_logger("consumer")


def guard() -> None:
    """Have every consumer of this process look first."""
    fetcher.MemoryRecords = GuardedRecords


class GuardedRecords:
    """What a fetch brought for one partition, batch by batch, as `aiokafka.record.memory_records.MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._inner = MemoryRecords(data)
        self._data, self._at = memoryview(data), 0

    def size_in_bytes(self) -> int:
        return int(self._inner.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._inner.has_next())

    def next_batch(self) -> Any:
        batch, begins = self._inner.next_batch(), self._at
        self._at += _LENGTH.size + _LENGTH.unpack_from(self._data, begins)[1]
        if self._data[begins + _MAGIC_AT] < 2:  # formats that Kafka 4 no longer writes
            return batch
        attributes = _HEADER.unpack_from(self._data, begins)[5]
        if not attributes & _CODEC or attributes & _CONTROL:
            return batch
        reason = _fault(attributes & _CODEC, self._data[begins + _HEADER.size : self._at])
        if reason is None:
            return batch
        log.error("batch refused", offset=batch.base_offset, bytes=self._at - begins, reason=reason)
        return RefusedBatch(batch)


def _fault(codec: int, packed: memoryview) -> str | None:
    if codec != _GZIP:
        return "codec"
    if len(packed) * _MOST_PACKED_PER_BYTE <= MOST_UNPACKED:
        return None
    size, unpacking = 0, zlib.decompressobj(wbits=31)
    try:
        for begins in range(0, len(packed), _CHUNK // 16):
            rest: bytes | memoryview = packed[begins : begins + _CHUNK // 16]
            while rest and not unpacking.eof:
                size += len(unpacking.decompress(rest, _CHUNK))
                rest = unpacking.unconsumed_tail
                if size > MOST_UNPACKED:
                    return "unpacks to too much"
    except zlib.error:
        return "can't be unpacked"
    return None


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """The record that stands for a batch: nothing of it is known but its place."""

    offset: int
    timestamp: int
    timestamp_type: int = 0
    key: None = None
    value: None = None
    checksum: None = None
    headers: tuple[()] = ()


class RefusedBatch:
    """Takes the place of a batch, with one record at its last offset."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch
        self.base_offset, self.next_offset = batch.base_offset, batch.next_offset
        self.producer_id, self.is_transactional, self.is_control_batch = batch.producer_id, batch.is_transactional, False

    def validate_crc(self) -> bool:
        return bool(self._batch.validate_crc())

    def __iter__(self) -> Iterator[_Unreadable]:
        yield _Unreadable(self.next_offset - 1, self._batch.max_timestamp)
