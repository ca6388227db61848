"""There is one way to read Kafka and one to write: nobody may use the framework's own policies, which lose messages."""

import time
from pathlib import Path
from types import SimpleNamespace

from aiokafka import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from servicekit.delivery import metrics
from servicekit.delivery.consumer import Consumer

ROOT = Path(__file__).parents[4]
READING = ("from faststream", "import faststream", "AIOKafkaConsumer(", ".subscriber(")
WRITING = ("AIOKafkaProducer(", ".send_and_wait(", ".send_batch(", "publisher(")
READERS = ("servicekit/delivery/consumer.py", "servicekit/delivery/kafka_access.py", "servicekit/delivery/behind.py")
WRITERS = ("servicekit/delivery/lanes.py",)


def breaches(broker: KafkaBroker) -> list[str]:
    """What is wrong with the subscribers of a broker."""
    wrong = []
    for subscriber in broker.subscribers:
        wrong += ["policy"] if subscriber.ack_policy is not AckPolicy.MANUAL else []
        wrong += [] if subscriber.group_id else ["group"]
        wrong += [] if subscriber._connection_args.get("auto_offset_reset") == "earliest" else ["earliest"]
        wrong += [] if type(subscriber).__name__ == "BatchSubscriber" else ["batch"]
    return wrong


def elsewhere(files: list[Path], words: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    """Files that talk to Kafka and may not."""
    return [file.name for file in files if not str(file).endswith(allowed) and any(word in file.read_text() for word in words)]


def sources() -> list[Path]:
    return [file for folder in ("libs", "services") for file in (ROOT / folder).glob("*/src/**/*.py")]


def test_the_one_consumer_keeps_the_policy(reader, settings):
    """INVARIANT: offsets are committed after the effect, by us; a new group begins with the oldest record."""
    broker = Consumer("reporting", settings(reader.dsn), reader.begin, {})._create_broker()
    assert len(broker.subscribers) == 1
    assert breaches(broker) == []


def test_a_subscriber_without_the_policy_is_noticed():
    broker = KafkaBroker("127.0.0.1:1")
    for options in ({}, {"group_id": "x", "ack_policy": AckPolicy.ACK, "batch": True}, {"group_id": "x", "ack_policy": AckPolicy.MANUAL}):
        broker.subscriber("somewhere", **options)
    assert breaches(broker).count("policy") == 2
    assert {"group", "earliest", "batch"} < set(breaches(broker))


def test_nobody_else_reads_from_kafka_or_writes_to_it(tmp_path):
    """INVARIANT: no code path publishes from a request."""
    assert len(sources()) > 100
    assert elsewhere(sources(), READING, READERS) == []
    assert elsewhere(sources(), WRITING, WRITERS) == []
    planted = tmp_path / "door.py"
    planted.write_text("await producer.send_and_wait(topic, b'')")
    assert elsewhere([planted], WRITING, WRITERS) == ["door.py"]


async def test_the_lag_of_a_partition_is_shown_only_by_who_reads_it(reader, settings):
    """A partition that went to another replica would else be counted twice, with its old number, for as long as this one runs."""
    ours, theirs = TopicPartition("info.publications.v1", 0), TopicPartition("info.publications.v1", 2)
    assigned, reading = {ours, theirs}, SimpleNamespace(paused=set, assignment=lambda: assigned, highwater=lambda _: 9, position=_at_5)
    reading.last_poll_timestamp = lambda _: time.time() * 1000
    consumer = Consumer("reporting", settings(reader.dsn), reader.begin, {})

    def shown():
        return {sample.labels["partition"]: sample.value for sample in metrics.consumer_lag.collect()[0].samples}

    metrics.consumer_lag.clear()
    await consumer._measure(reading)
    assert shown() == {"0": 4, "2": 4}
    assigned = {ours}
    await consumer._measure(reading)
    assert shown() == {"0": 4}


async def test_a_partition_of_which_kafka_never_said_anything_counts_as_waiting(reader, settings):
    """INVARIANT: what can't be known isn't taken for nothing: its leader is away, and records wait there or don't."""
    partition = TopicPartition("info.publications.v1", 0)
    reading = SimpleNamespace(paused=set, assignment=lambda: {partition}, highwater=lambda _: None, last_poll_timestamp=lambda _: None)
    consumer = Consumer("reporting", settings(reader.dsn), reader.begin, {})
    await consumer._measure(reading)
    waited = consumer.stalled_seconds(partition.topic)
    await consumer._measure(reading)
    assert consumer.stalled_seconds(partition.topic) > waited > 0
    assert consumer.stalled_seconds("info.directory.v1") == 0


async def _at_5(_partition):
    return 5


async def test_a_consumer_that_hangs_dies_or_stalls_is_not_live(reader, settings, monkeypatch):
    """INVARIANT: liveness looks at reading itself: its task, its last poll, and progress where records wait."""
    consumer = Consumer("reporting", settings(reader.dsn), reader.begin, {})
    idle, done = 0.0, False
    task = SimpleNamespace(done=lambda: done)
    reading = SimpleNamespace(_subscription=SimpleNamespace(fetcher_idle_time=0.0))
    consumer._broker = SimpleNamespace(subscribers=[SimpleNamespace(tasks=[task], consumer=reading)])
    assert await consumer.is_live()
    reading._subscription.fetcher_idle_time = 31.0
    assert not await consumer.is_live()
    reading._subscription.fetcher_idle_time = idle
    assert await consumer.is_live()
    done = True
    assert not await consumer.is_live()
