"""What every small cluster of ours says in its server.properties, as child processes and in containers alike."""

from collections.abc import Sequence

from deploy.kafka.access import SCRAM

ADMIN = "admin"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
STRONGER_SCRAM = "SCRAM-SHA-512"
"""Also taken, since operators of Kafka on Kubernetes make users of this kind."""
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"


def common(brokers: int = 1) -> dict[str, object]:
    """Sizes and times for a few topics and a quick start."""
    replication, in_sync = min(3, brokers), 2 if brokers > 2 else 1
    return {
        "default.replication.factor": replication,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replication,
        "share.coordinator.state.topic.min.isr": 1,
        "offsets.topic.num.partitions": 8,  # 50 by default, each with files and memory
        "transaction.state.log.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,  # 3 s by default, for every first join of a group
        "broker.session.timeout.ms": 3000,  # a killed broker is fenced in 3 s, not 9
        "broker.heartbeat.interval.ms": 500,
        "log.cleaner.dedupe.buffer.size": 2_097_152,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.segment.bytes": 33_554_432,
        "log.message.timestamp.after.max.ms": 2**63 - 1,  # tests move the services' clocks; 1 h by default
    }


def security(password: str, listeners: Sequence[str] = ("sasl_plaintext",)) -> dict[str, object]:
    """Everybody logs in by SCRAM, nodes too. Controllers ask as well: else anybody could grant himself everything there.

    `password`: the administrator's. `listeners`: the clients', in lower case.
    """
    scram = f'{SCRAM_LOGIN} required username="{ADMIN}" password="{password}";'
    plain = f'{PLAIN_LOGIN} required username="{ADMIN}" password="{password}" user_{ADMIN}="{password}";'
    return {
        "sasl.enabled.mechanisms": f"{SCRAM},{STRONGER_SCRAM}",
        "sasl.mechanism.inter.broker.protocol": SCRAM,
        **{f"listener.name.{name}.{kind.lower()}.sasl.jaas.config": scram for name in listeners for kind in (SCRAM, STRONGER_SCRAM)},
        "sasl.mechanism.controller.protocol": "PLAIN",  # SCRAM's users are in the log that controllers must log in to read
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
    }
