"""Packs batches with gzip, quickly. aiokafka packs at level 9 and offers no other: four times the processor time of level 1, a tenth less.

It stays gzip, since every Kafka client reads that without an extra package.
"""

import importlib
import zlib

from aiokafka.record import default_records

LEVEL = 1
_GZIP = 31
"""zlib's window bits for the largest window with gzip's own head and tail."""


def pack(payload: bytes, compresslevel: int | None = None) -> bytes:
    """As `aiokafka.codec.gzip_encode`, which is called without a level."""
    return zlib.compress(payload, compresslevel or LEVEL, wbits=_GZIP)


def pack_quickly() -> None:
    """Have every producer of this process pack so."""
    builder = default_records.DefaultRecordBatchBuilder.__module__  # the compiled one, or Python's where there is none
    vars(importlib.import_module(builder))["gzip_encode"] = pack
