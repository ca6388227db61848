"""The Kafka launcher and the topics: real brokers, killed and started again."""

import hashlib
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from contracts.catalogue import TOPICS, Precision, Topic

from deploy.kafka import principals, topics
from deploy.kafka.topics import TopicError, ensure_topics, topic_settings
from deploy.local import jars
from deploy.local.kafka import LocalKafka
from deploy.local.processes import StartError, born


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    cluster = LocalKafka(datadir=tmp_path_factory.mktemp("kafka")).start()
    yield cluster
    cluster.stop(delete=True)
    assert all(born(pid) is None for pid in cluster.pids)


async def send(kafka: LocalKafka, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value, key=b"k")
    await producer.stop()


async def read(kafka: LocalKafka, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    got = [(await consumer.getone()).value for _ in range(count)]
    await consumer.stop()
    return got


async def test_the_catalogues_topics_are_made_once_with_its_settings(kafka):
    assert sorted(await ensure_topics(kafka.bootstrap)) == sorted(TOPICS)
    assert await ensure_topics(kafka.bootstrap) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    found = {topic["topic"]: topic for topic in await admin.describe_topics(list(TOPICS))}
    await admin.close()
    assert {name: len(topic["partitions"]) for name, topic in found.items()} == {name: topic.partitions for name, topic in TOPICS.items()}
    assert topic_settings(TOPICS["dialog.handoffs.v1"], 3)["retention.ms"] == "604800000"


async def test_a_topic_with_another_number_of_partitions_is_refused(kafka):
    """INVARIANT: the order of a key isn't broken by more partitions."""
    topic = Topic("tests.fixed.v1", "tests", frozenset(), "id", Precision.PUBLIC, partitions=2)
    await ensure_topics(kafka.bootstrap, [topic])
    with pytest.raises(TopicError, match=r"tests\.fixed\.v1 has 2 partitions and the catalogue says 3"):
        await ensure_topics(kafka.bootstrap, [Topic("tests.fixed.v1", "tests", frozenset(), "id", Precision.PUBLIC)])


async def test_what_was_acknowledged_survives_a_killed_broker(kafka):
    """INVARIANT: an acknowledged record is there after SIGKILL and restart."""
    await ensure_topics(kafka.bootstrap, [Topic("tests.kept.v1", "tests", frozenset(), "id", Precision.PUBLIC)])
    values = [b"%d" % number for number in range(50)]
    await send(kafka, "tests.kept.v1", values)
    kafka.kill()
    kafka.restart()
    assert await read(kafka, "tests.kept.v1", 50) == values


async def test_a_previous_run_that_was_never_stopped_is_ended_and_its_data_kept(tmp_path):
    first = LocalKafka(datadir=tmp_path / "kafka").start()
    await ensure_topics(first.bootstrap, [Topic("tests.kept.v1", "tests", frozenset(), "id", Precision.PUBLIC)])
    await send(first, "tests.kept.v1", [b"1"])
    second = LocalKafka(datadir=tmp_path / "kafka").start()
    assert born(first.pids[0]) is None
    assert await read(second, "tests.kept.v1", 1) == [b"1"]
    second.stop(delete=True)
    assert not (tmp_path / "kafka").exists()


@pytest.mark.faults
async def test_three_brokers_go_on_when_one_is_killed_and_a_hanging_one_does_not_stop_the_stop():
    """INVARIANT: with replication 3 one dead broker stops nobody."""
    cluster = LocalKafka(brokers=3).start()
    await ensure_topics(cluster.bootstrap, [Topic("tests.three.v1", "tests", frozenset(), "id", Precision.PUBLIC)])
    cluster.kill(2)
    await send(cluster, "tests.three.v1", [b"1", b"2"])
    cluster.restart(2)
    assert await read(cluster, "tests.three.v1", 2) == [b"1", b"2"]
    cluster.signal(3, signal.SIGSTOP)
    cluster.stop(grace=1)
    assert not [pid for pid in cluster.pids if born(pid) is not None]
    assert not cluster.datadir.exists()


def test_a_taken_port_is_named(kafka, tmp_path):
    taken = kafka.nodes[1][0]
    with pytest.raises(StartError, match=f"port {taken}, which kafka-1 wants, is taken by another program"):
        LocalKafka(datadir=tmp_path / "kafka", ports=[taken]).start()


def test_a_node_that_cannot_start_says_so_with_its_last_lines(tmp_path):
    with pytest.raises(StartError, match=r"(?s)kafka/1 failed: .*heap size"):
        LocalKafka(datadir=tmp_path / "kafka", heap="10m").start()


async def test_a_cluster_that_does_not_answer_is_named_in_one_line():
    with pytest.raises(TopicError, match=r"no Kafka answers somebody without a principal at 127\.0\.0\.1:1$"):
        await ensure_topics("127.0.0.1:1")


@pytest.mark.parametrize(
    ("command", "words", "cluster", "said"),
    [
        (topics, [], "", "deploy.kafka.topics: name the cluster: --bootstrap or KAFKA_BOOTSTRAP_SERVERS"),
        (topics, ["--bootstrap", "127.0.0.1:1"], "", "topics: no Kafka answers somebody without a principal at 127.0.0.1:1"),
        (principals, [], "127.0.0.1:1", "deploy.kafka.principals: the following arguments are required: --passwords"),
        (principals, ["--passwords", "{folder}"], "", "deploy.kafka.principals: name the cluster and its administrator: KAFKA_BOOTSTRAP"),
        (
            principals,
            ["--passwords", "{folder}"],
            "127.0.0.1:1",
            "principals: {folder}/info/kafka.password: No such file or directory; each",
        ),
    ],
)
def test_an_operator_is_told_in_one_line_what_is_missing(monkeypatch, capsys, tmp_path, command, words, cluster, said):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", cluster)
    monkeypatch.setattr("sys.argv", ["command", *(word.format(folder=tmp_path) for word in words)])
    try:
        code = command.main()
    except SystemExit as ended:
        code = ended.code
    assert code in (1, 2)
    assert [line.startswith(said.format(folder=tmp_path)) for line in capsys.readouterr().err.splitlines()] == [True]


def test_a_jar_that_is_not_the_locked_one_is_fetched_again(tmp_path, monkeypatch):
    """INVARIANT: no jar is run whose SHA-256 isn't in the lock."""
    jar = min(jars.locked(), key=lambda each: each.path.stat().st_size)
    lock = tmp_path / "jars.lock"
    monkeypatch.setattr(jars, "REPOSITORY", tmp_path / "repository")
    lock.write_text(f"{jar.group}:{jar.artifact}:{jar.version} {jar.sha256}\n")
    jar.path.parent.mkdir(parents=True)
    jar.path.write_bytes(b"changed")
    assert jars.class_path(lock) == str(jar.path)
    assert hashlib.sha256(jar.path.read_bytes()).hexdigest() == jar.sha256
    lock.write_text(f"{jar.group}:{jar.artifact}:{jar.version} {'0' * 64}\n")
    with pytest.raises(StartError, match=r"isn't the file that jars\.lock names"):
        jars.class_path(lock)
