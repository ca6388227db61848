"""Batches are packed with gzip, which every Kafka client reads, at the level that costs little."""

import gzip

from servicekit.delivery.lanes import create_producer
from servicekit.delivery.packing import pack

HEAD = 61
"""Bytes of a record batch before its records (Kafka protocol guide, format 2)."""


async def test_a_batch_is_packed_with_gzip_at_our_level():
    """INVARIANT: fails when aiokafka packs by another way than the one that is replaced."""
    builder = create_producer({"bootstrap_servers": "127.0.0.1:1"}).create_batch()
    for number in range(100):
        builder.append(timestamp=1, key=b"%d" % number, value=b'{"publication_id": "%d"}' % number, headers=[("ce_type", b"a")])
    packed = bytes(builder._build())[HEAD:]
    assert len(packed) < 1000
    assert packed == pack(gzip.decompress(packed)) != pack(gzip.decompress(packed), 9)
