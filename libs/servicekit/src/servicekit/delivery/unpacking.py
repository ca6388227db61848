"""Reads batches so that none of them can stop a reader or fill its memory: what can't be read becomes an unreadable record at its place.

A batch of 256 kB may unpack to 270 MB (gzip packs zeros 1,030:1), and brokers take what aiokafka can't read: bytes behind the packed
records, the name of a header that isn't UTF-8. There aiokafka fails and would begin at the same batch for ever; here that record, or the
batch as one record, is parked at its place, and reading goes on behind it.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

MOST_UNPACKED = 8 * 1024 * 1024
"""Bytes that one batch may unpack to; our relay's hold 128 kB."""

_GZIP = 31
"""zlib's window bits for the largest window with gzip's own head and tail."""
_HEAD, _FORMAT_AT, _CODEC_AT, _CODEC = 61, 16, 22, 0b111
"""Bytes of a batch before its records, and which of them say what it is; codec 0: not packed, 1: gzip (Kafka protocol guide)."""

log = structlog.get_logger("consumer")


class RefusedError(Exception):
    """A batch that isn't unpacked; the text says why."""


def guard() -> None:
    """Have every consumer of this process read so."""
    fetcher.MemoryRecords = GuardedRecords


def _unpacked(batch: memoryview) -> bytearray:
    """The same batch with its records as they are. Raises RefusedError."""
    codec = batch[_CODEC_AT] & _CODEC
    if codec == 0:
        return bytearray(batch)
    if codec != 1:
        raise RefusedError("codec")
    plain = bytearray(batch[:_HEAD]) + _gunzip(batch[_HEAD:])
    plain[_CODEC_AT] &= ~_CODEC
    return plain


def _gunzip(packed: memoryview) -> bytes:
    parts, size, rest = [], 0, bytes(packed)
    while rest:
        member = zlib.decompressobj(wbits=_GZIP)
        try:
            parts.append(member.decompress(rest, MOST_UNPACKED + 1 - size))
        except zlib.error:
            raise RefusedError("can't be unpacked") from None
        size, rest = size + len(parts[-1]), member.unused_data
        if size > MOST_UNPACKED:
            raise RefusedError("unpacks to too much")
        if not member.eof:
            raise RefusedError("can't be unpacked")
    return b"".join(parts)


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
        self._at += 12 + int.from_bytes(self._data[begins + 8 : begins + 12])
        data = self._data[begins : self._at]
        return GuardedBatch(batch, data) if data[_FORMAT_AT] == 2 else batch  # Kafka 4 no longer writes others


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A record of which at most key and value are known."""

    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    timestamp_type: int = 0
    checksum: None = None
    headers: tuple[()] = ()


class GuardedBatch:
    """One batch, whose records can always be gone through."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch, self._data = batch, data
        self.base_offset, self.next_offset, self.producer_id = batch.base_offset, batch.next_offset, batch.producer_id
        self.is_transactional, self.is_control_batch = batch.is_transactional, batch.is_control_batch

    def validate_crc(self) -> bool:
        return bool(self._batch.validate_crc())

    def __iter__(self) -> Iterator[Any]:
        done = 0
        try:
            plain = _unpacked(self._data)
            try:
                for record in DefaultRecordBatch(plain):
                    done += 1
                    yield record
            except UnicodeDecodeError:
                yield from islice(_PatientBatch(plain), done, None)
        except Exception as error:
            reason = str(error) if isinstance(error, RefusedError) else type(error).__name__
            log.error("batch refused", offset=self.base_offset, bytes=len(self._data), reason=reason)
            yield _Unreadable(self.next_offset - 1, self._batch.max_timestamp)


class _PatientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """Leaves out the headers of a record where one of them has a name that isn't UTF-8."""

    def _read_msg(self, decode_varint: Any = decode_varint) -> Any:
        try:
            return super()._read_msg(decode_varint)
        except UnicodeDecodeError:
            length, at = decode_varint(self._buffer, self._pos)  # it moves on only when a record is read
            self._pos: int = at + length
            _, at = decode_varint(self._buffer, at + 1)  # behind the attributes
            delta, at = decode_varint(self._buffer, at)
            key, at = self._bytes(at)
            value, _ = self._bytes(at)
            return _Unreadable(self.base_offset + delta, self.max_timestamp, key, value)

    def _bytes(self, at: int) -> tuple[bytes | None, int]:
        length, at = decode_varint(self._buffer, at)
        return (None, at) if length < 0 else (bytes(self._buffer[at : at + length]), at + length)
