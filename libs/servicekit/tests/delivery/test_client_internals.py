"""What is replaced or called of aiokafka though it isn't promised: an upgrade that moves it fails here, by name, and not in operation."""

import importlib
import inspect

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record import default_records, memory_records
from servicekit.delivery import packing, unpacking


def test_packing_replaces_the_name_by_which_batches_are_packed():
    module = importlib.import_module(default_records.DefaultRecordBatchBuilder.__module__)
    assert "gzip_encode" in vars(module), "batches are packed by another name: packing.py replaces nothing"
    packing.pack_quickly()
    assert vars(module)["gzip_encode"] is packing.pack


def test_reading_goes_through_the_name_that_is_replaced():
    """INVARIANT: no batch is unpacked by the client's own reader, which has no limit."""
    assert "MemoryRecords" in inspect.getsource(fetcher.Fetcher), "the fetcher reads by another name: unpacking.py replaces nothing"
    unpacking.guard()
    assert fetcher.MemoryRecords is unpacking.GuardedRecords


@pytest.mark.parametrize("name", ["size_in_bytes", "has_next", "next_batch"])
def test_what_a_fetch_brought_is_asked_for_by_these_names(name):
    assert hasattr(memory_records.MemoryRecords, name)
    assert hasattr(unpacking.GuardedRecords, name)


def test_a_batch_is_asked_for_nothing_that_the_guarded_one_lacks():
    """The fetcher's words are those in its source after `batch.` and `next_batch.`."""
    wanted = {name for name in dir(default_records._DefaultRecordBatchPy) if f"batch.{name}" in inspect.getsource(fetcher)}
    assert {"is_control_batch", "next_offset", "validate_crc"} <= wanted
    batch = unpacking.GuardedBatch(default_records.DefaultRecordBatch(bytes(61)), memoryview(bytes(61)))
    assert {name for name in wanted if not hasattr(batch, name)} == set()


def test_a_record_is_read_and_idleness_is_told_by_names_that_are_still_there():
    assert callable(default_records._DefaultRecordBatchPy._read_msg)
    assert {"_buffer", "_pos"} <= set(default_records._DefaultRecordBatchPy(bytes(61)).__dict__)
    assert isinstance(inspect.getattr_static(SubscriptionState, "fetcher_idle_time"), property)
