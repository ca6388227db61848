"""`python -m deploy.k8s.kafka`: the catalogue's topics and principals as Strimzi's KafkaTopic and KafkaUser, a file per agency.

They belong to whoever runs the cluster: an agency that could apply its own KafkaUser could grant itself everything.
"""

from itertools import groupby

import yaml
from contracts.catalogue import SERVICES, TOPICS, Topic

from deploy.k8s.render import TOPICS_AND_PRINCIPALS, Manifest
from deploy.kafka.principals import Grant, grants
from deploy.kafka.topics import topic_settings

API = "kafka.strimzi.io/v1"
CLUSTER = {"strimzi.io/cluster": "stegvis"}
BROKERS = 3
"""Copies of each record; two of them have it before it's acknowledged."""
MECHANISM = "scram-sha-512"
"""The only kind of password that Strimzi makes."""
HEAD = "# Written by python -m deploy.k8s.kafka from the catalogue; a test compares. Don't edit.\n"


def topic(card: Topic) -> Manifest:
    """One topic."""
    spec = {"partitions": card.partitions, "replicas": BROKERS, "config": topic_settings(card, BROKERS)}
    return {"apiVersion": API, "kind": "KafkaTopic", "metadata": {"name": card.name, "labels": CLUSTER}, "spec": spec}


def principal(agency: str) -> Manifest:
    """One agency's principal. Strimzi puts its password into the Secret of the same name, key `password`."""
    mine = sorted(grant for grant in grants() if grant.principal == agency)
    by_resource = groupby(mine, key=lambda grant: (grant.kind, grant.name))
    acls = [_acl(kind, name, list(found)) for (kind, name), found in by_resource]
    spec = {"authentication": {"type": MECHANISM}, "authorization": {"type": "simple", "acls": acls}}
    return {"apiVersion": API, "kind": "KafkaUser", "metadata": {"name": agency, "labels": CLUSTER}, "spec": spec}


def _acl(kind: str, name: str, found: list[Grant]) -> Manifest:
    resource = {"type": kind, "name": name, "patternType": "literal"}
    return {"resource": resource, "operations": [grant.operation.capitalize() for grant in found], "host": "*"}


def written(agency: str) -> str:
    """The file of one agency: its principal, then the topics that it owns."""
    manifests = [principal(agency), *(topic(card) for card in TOPICS.values() if card.owner == agency)]
    return HEAD + "---\n".join(yaml.dump(manifest, Dumper=_NoAliases, sort_keys=False, width=120) for manifest in manifests)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def main() -> int:
    """Writes all files."""
    for agency in SERVICES:
        (TOPICS_AND_PRINCIPALS / f"{agency}.yaml").write_text(written(agency))
    index = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "stegvis-kafka",
        "resources": [f"{agency}.yaml" for agency in SERVICES],
    }
    (TOPICS_AND_PRINCIPALS / "kustomization.yaml").write_text(HEAD + yaml.safe_dump(index, sort_keys=False))
    print(f"kafka: topics={len(TOPICS)} principals={len(SERVICES)} in {TOPICS_AND_PRINCIPALS}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
