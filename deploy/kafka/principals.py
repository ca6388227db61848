"""One principal per agency, and what each may do: exactly what the catalogue says. What nobody is granted, nobody may."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from contracts.catalogue import SERVICES, TOPICS, Topic

from deploy.commands import Command
from deploy.kafka.access import Access
from deploy.kafka.topics import TopicError

PASSWORD_FILE = "kafka.password"  # noqa: S105 - its name
ITERATIONS = 4096
"""Of SCRAM-SHA-256 (RFC 7677): the least that is allowed; the passwords are 256 random bits."""
SECONDS = 30.0


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that one principal may do. Whoever may read or write a topic may also describe it."""

    principal: str
    kind: str
    """`topic` or `group`."""
    name: str
    operation: str
    """`read` or `write`."""


def grants(topics: Iterable[Topic] = TOPICS.values(), agencies: Iterable[str] = SERVICES) -> frozenset[Grant]:
    """One writer per topic, its owner, who may read it too; the readers that the catalogue lists; to each its own consumer group."""
    found = {Grant(agency, "group", agency, "read") for agency in agencies}
    for topic in topics:
        found.add(Grant(topic.owner, "topic", topic.name, "write"))
        found |= {Grant(reader, "topic", topic.name, "read") for reader in {topic.owner, *topic.readers}}
    return frozenset(found)


def ensure_principals(admin: Access, passwords: Mapping[str, str], wanted: Iterable[Grant] | None = None) -> tuple[int, int]:
    """Gives each agency its password and exactly the wanted grants; what these agencies were granted besides is taken away.

    Returns how many grants were added and removed. Raises TopicError.
    """
    client = AdminClient({**admin.librdkafka, "socket.timeout.ms": int(SECONDS * 1000)}, logger=_Silent())
    try:
        _set_passwords(client, passwords)
        mine = {f"User:{agency}" for agency in passwords}
        there = {acl for acl in _granted(client) if acl.principal in mine}
        right = {_binding(grant) for grant in (grants() if wanted is None else wanted)}
        missing, stale = list(right - there), [_filter_of(acl) for acl in there - right]
        _all(client.create_acls, missing)
        _all(client.delete_acls, stale)
        deadline = time.monotonic() + SECONDS
        while {acl for acl in _granted(client) if acl.principal in mine} != right:  # accepted is not yet in force: seconds after a start
            if time.monotonic() > deadline:
                raise TopicError(f"grants aren't in force at {admin.bootstrap} after {SECONDS:.0f} s")
            time.sleep(0.05)
    except KafkaException as error:
        raise TopicError(f"principals can't be made at {admin.bootstrap}: {error.args[0]}") from error
    return len(missing), len(stale)


class _Silent:
    """librdkafka tells each try of a connection; what counts is raised."""

    def log(self, *_: object) -> None: ...


def _granted(client: AdminClient) -> set[AclBinding]:
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    return set(_result(client.describe_acls(everything, request_timeout=SECONDS)))


def _set_passwords(client: AdminClient, passwords: Mapping[str, str]) -> None:
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, ITERATIONS)
    changes = [UserScramCredentialUpsertion(user, scram, password.encode()) for user, password in passwords.items()]
    for future in client.alter_user_scram_credentials(changes, request_timeout=SECONDS).values():
        _result(future)


def _all(work: Callable[..., Mapping[Any, Future[Any]]], items: list[Any]) -> None:
    for future in work(items, request_timeout=SECONDS).values() if items else ():
        _result(future)


def _result(future: "Future[Any]") -> Any:
    return future.result(SECONDS)


def _binding(grant: Grant) -> AclBinding:
    kind = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}[grant.kind]
    operation = {"read": AclOperation.READ, "write": AclOperation.WRITE}[grant.operation]
    principal = f"User:{grant.principal}"
    return AclBinding(kind, grant.name, ResourcePatternType.LITERAL, principal, "*", operation, AclPermissionType.ALLOW)


def _filter_of(acl: AclBinding) -> AclBindingFilter:
    what, who = (acl.restype, acl.name, acl.resource_pattern_type), (acl.principal, acl.host)
    return AclBindingFilter(*what, *who, acl.operation, acl.permission_type)


def main() -> int:
    """The command: `python -m deploy.kafka.principals --passwords FOLDER`, as the administrator that KAFKA_* name."""
    parser = Command(prog="python -m deploy.kafka.principals", description=__doc__)
    parser.add_argument("--passwords", type=Path, required=True, help=f"folder with <agency>/{PASSWORD_FILE}")
    folder = parser.parse_args().passwords
    if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        parser.error("name the cluster and its administrator: KAFKA_BOOTSTRAP_SERVERS, KAFKA_USERNAME, KAFKA_PASSWORD")
    try:
        passwords = {agency: (folder / agency / PASSWORD_FILE).read_text().strip() for agency in SERVICES}
        added, removed = ensure_principals(Access.of(), passwords)
    except OSError as error:
        print(f"principals: {error.filename}: {error.strerror}; each agency has a file {PASSWORD_FILE}", file=sys.stderr)
        return 1
    except TopicError as error:
        print(f"principals: {error}", file=sys.stderr)
        return 1
    print(f"principals: agencies={len(passwords)} grants={len(grants())} added={added} removed={removed}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
