"""The manifests, as kustomize renders them: valid, whole, and what breaks them is noticed. Nothing here needs a cluster."""

import copy
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from contracts.catalogue import SERVICES, TOPICS
from packaging.version import Version

from deploy.k8s import agencies, kafka, pods, schemas
from deploy.k8s.__main__ import folders, problems
from deploy.k8s.render import EXAMPLES, HERE, OVERLAYS, TOPICS_AND_PRINCIPALS, Manifest, RenderError, documents, of_kind, render, text
from deploy.kafka.principals import Grant, grants
from deploy.observability import scraping
from deploy.releases.record import version_of

Break = Callable[[list[Manifest]], object]
written = cache(text)
"""Each folder is rendered once."""


def rendered(folder: Path) -> list[Manifest]:
    return documents(written(folder))


@pytest.fixture
def dialog():
    return rendered(OVERLAYS / "dialog")


@pytest.mark.parametrize("name", folders())
def test_every_rendering_is_valid(name):
    assert problems(name, rendered(folders()[name])) == []


def one(manifests: list[Manifest], kind: str, ending: str = "") -> Manifest:
    [found] = [manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"].endswith(ending)]
    return found


def pod(manifests: list[Manifest], role: str = "serve") -> dict[str, Any]:
    return one(manifests, "Job" if role in ("migrate", "restored") else "Deployment", role)["spec"]["template"]["spec"]


def process(manifests: list[Manifest], role: str = "serve") -> dict[str, Any]:
    return pod(manifests, role)["containers"][0]


SHAPES: dict[str, tuple[Break, str]] = {
    "unknown field of a pod": (lambda m: pod(m).update(restart="Always"), r"restart.*unexpected"),
    "unknown field of a container": (lambda m: process(m).update(command_line=["x"]), r"command_line.*unexpected"),
    "probe with a typing error": (lambda m: process(m)["livenessProbe"].update(periodSecond=1), r"periodSecond.*unexpected"),
    "text for a number": (lambda m: one(m, "Deployment", "relay")["spec"].update(replicas="two"), r"spec\.replicas"),
    "no selector": (lambda m: one(m, "Deployment", "relay")["spec"].pop("selector"), r"selector.*required"),
    "an API that is gone": (lambda m: one(m, "Service").update(apiVersion="v0"), "no schema for v0 Service"),
    "a kind that nobody knows": (lambda m: one(m, "Service").update(kind="Servce"), r"no schema for v1 Servce"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), SHAPES.values(), ids=SHAPES)
def test_what_kubernetes_would_refuse_is_refused(dialog, change, said):
    change(dialog)
    found = [problem for manifest in dialog for problem in schemas.problems(manifest)]
    assert re.search(said, "\n".join(found)), found


def test_all_that_is_wrong_with_one_object_is_said_at_once(dialog):
    process(dialog).update(first=1)
    pod(dialog).update(second=2)
    assert len(schemas.problems(one(dialog, "Deployment", "serve"))) == 2


def security(manifests: list[Manifest], **changed: object) -> None:
    process(manifests)["securityContext"].update(changed)


PODS: dict[str, tuple[Break, str]] = {
    "privileged": (lambda m: security(m, privileged=True), "may gain privileges"),
    "escalation": (lambda m: process(m)["securityContext"].pop("allowPrivilegeEscalation"), "may gain privileges"),
    "capabilities kept": (lambda m: process(m)["securityContext"].pop("capabilities"), "keeps capabilities"),
    "a capability added": (lambda m: process(m)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]), "keeps capabilities"),
    "root": (lambda m: security(m, runAsUser=0), "may run as root"),
    "root not refused": (lambda m: pod(m)["securityContext"].pop("runAsNonRoot"), "may run as root"),
    "no seccomp": (lambda m: pod(m)["securityContext"].pop("seccompProfile"), "no seccomp profile"),
    "a root that can be written": (lambda m: security(m, readOnlyRootFilesystem=False), "can write to its root"),
    "the node's network": (lambda m: pod(m).update(hostNetwork=True), "hostNetwork isn't restricted"),
    "the node's files": (lambda m: pod(m)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "hostPath isn't restricted"),
    "the node's port": (lambda m: process(m)["ports"][0].update(hostPort=9000), "takes a port of its node"),
    "a second, open container": (lambda m: pod(m)["containers"].append({"name": "x", "image": "x:1"}), "x may run as root|x may gain"),
    "an open container before": (lambda m: pod(m).update(initContainers=[{"name": "x", "image": "x:1"}]), "x may gain privileges"),
    "latest": (lambda m: process(m).update(image="registry.stegvis.example/dialog:latest"), "names no version"),
    "no tag": (lambda m: process(m).update(image="registry.stegvis.example:5000/dialog"), "names no version"),
    "a token": (lambda m: pod(m).update(automountServiceAccountToken=True), "automountServiceAccountToken must be false"),
    "foreign variables": (lambda m: pod(m).pop("enableServiceLinks"), "enableServiceLinks must be false"),
    "no liveness": (lambda m: process(m, "consume").pop("livenessProbe"), "livenessProbe must ask /livez"),
    "readiness that never was": (lambda m: process(m)["readinessProbe"]["httpGet"].update(path="/health"), "must ask /readyz"),
    "a probe on the public port": (lambda m: process(m)["livenessProbe"]["httpGet"].update(port="http"), "must ask the internal port"),
    "no limit of memory": (lambda m: process(m)["resources"]["limits"].pop("memory"), "no limits of memory"),
    "no request of CPU": (lambda m: process(m, "migrate")["resources"]["requests"].pop("cpu"), "no requests of cpu"),
    "killed while it drains": (lambda m: pod(m).update(terminationGracePeriodSeconds=10), "must be at least 20"),
    "ends while it's called": (lambda m: process(m).pop("lifecycle"), "must wait before it ends"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), PODS.values(), ids=PODS)
def test_a_pod_that_breaks_a_rule_is_refused(dialog, change, said):
    """INVARIANT: no container may do more than the restricted profile lets it, and none is unwatched."""
    change(dialog)
    assert re.search(said, "\n".join(pods.problems(dialog)))


def test_a_digest_is_a_version(dialog):
    process(dialog)["image"] = "registry.stegvis.example:5000/dialog@sha256:" + "0" * 64
    assert pods.problems(dialog) == []


def data(manifests: list[Manifest], **changed: str) -> None:
    one(manifests, "ConfigMap")["data"].update(changed)


def ledger(manifests: list[Manifest], **source: object) -> None:
    [volume] = [volume for volume in pod(manifests)["volumes"] if volume["name"] == "deletions"]
    volume.pop("persistentVolumeClaim")
    volume.update(source)


def variable(manifests: list[Manifest], name: str, secret: str, key: str) -> None:
    process(manifests)["env"].append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})


def policy(manifests: list[Manifest], ending: str) -> dict[str, Any]:
    return one(manifests, "NetworkPolicy", ending)["spec"]


AGENCIES: dict[str, tuple[Break, str]] = {
    "another service's object": (lambda m: m.append(one(rendered(OVERLAYS / "info"), "Service")), "info-serve isn't of this service"),
    "another namespace": (lambda m: one(m, "Service")["metadata"].update(namespace="default"), "is in the namespace default"),
    "an open namespace": (lambda m: one(m, "Namespace")["metadata"]["labels"].clear(), "doesn't enforce the restricted profile"),
    "no consumer": (lambda m: m.remove(one(m, "Deployment", "consume")), r"needs \['consume', 'relay', 'serve'\]"),
    "a role with another's verb": (lambda m: process(m, "relay").update(args=["serve"]), r"dialog-relay runs \['serve'\]"),
    "no disruption budget": (lambda m: m.remove(one(m, "PodDisruptionBudget", "relay")), "dialog-relay has 0 disruption budgets"),
    "all on one node": (lambda m: pod(m)["topologySpreadConstraints"][0].update(labelSelector={}), "dialog-serve isn't spread"),
    "more consumers than partitions": (lambda m: one(m, "Deployment", "consume")["spec"].update(replicas=4), "states 4 replicas: 2 to 3"),
    "one relay alone": (lambda m: one(m, "Deployment", "relay")["spec"].pop("replicas"), "states None replicas"),
    "a number that fights the autoscaler": (lambda m: one(m, "Deployment", "serve")["spec"].update(replicas=3), "no number of its own"),
    "no autoscaler": (lambda m: m.remove(one(m, "HorizontalPodAutoscaler")), "needs an autoscaler"),
    "an unknown account": (lambda m: pod(m).update(serviceAccountName="default"), "unknown account default"),
    "a Service that leads nowhere": (lambda m: one(m, "Service")["spec"]["selector"].update(x="y"), r"leads to \[\]"),
    "nothing refused": (lambda m: m.remove(one(m, "NetworkPolicy", "refuse-all")), "no policy refuses"),
    "no way to the database": (lambda m: m.remove(one(m, "NetworkPolicy", "to-database")), r"dialog-migrate may call the ports \[53\]"),
    "no way for spans": (lambda m: m.remove(one(m, "NetworkPolicy", "to-collector")), r"may call the ports .*needs .*4318"),
    "serve may call Kafka": (lambda m: policy(m, "to-kafka").update(podSelector={}), r"dialog-serve may call .*443, 4318, 5432, 9093"),
    "everybody may call": (lambda m: policy(m, "from-gateway").update(ingress=[{}]), r"dialog-serve may be called on \['internal'\]"),
    "a variable that nobody reads": (lambda m: data(m, KAFKA_BOOTSTRAP="x"), "sets KAFKA_BOOTSTRAP, which no setting reads"),
    "another service's variable": (lambda m: data(m, IDPORTEN_ISSUER="x"), "sets IDPORTEN_ISSUER"),
    "a setting that production refuses": (lambda m: data(m, INFO_URL="http://x"), "INFO_URL must be https in production"),
    "a setting of another kind": (lambda m: data(m, RELAY_SHARDS="3"), "dialog-relay doesn't start: RELAY_SHARDS"),
    "a demonstration": (lambda m: data(m, STEGVIS_MODE="demo"), "isn't in production mode"),
    "a port that nobody listens on": (lambda m: data(m, PORT="8080"), "declares http as 8000 and listens on 8080"),
    "deletions in scratch space": (lambda m: ledger(m, emptyDir={}), "dialog-serve notes deletions where they don't outlive it"),
    "deletions where nobody put a volume": (lambda m: data(m, DELETIONS_DIR="/data"), "dialog-relay notes deletions where"),
    "deletions on one node": (lambda m: one(m, "PersistentVolumeClaim")["spec"].update(accessModes=["ReadWriteOnce"]), "many may write"),
    "no place for deletions": (lambda m: one(m, "ConfigMap")["data"].pop("DELETIONS_DIR"), "notes deletions where they don't outlive it"),
    "a secret that isn't documented": (lambda m: variable(m, "LOG_LEVEL", "levels", "x"), r"needs levels \(x\), which docs/kubernetes.md"),
    "a key that isn't documented": (lambda m: process(m)["env"][0]["valueFrom"]["secretKeyRef"].update(key="url"), r"database-app \(url\)"),
    "serve knows Kafka's password": (lambda m: variable(m, "KAFKA_PASSWORD", "kafka", "password"), "dialog-serve has the principal"),
    "no database": (lambda m: process(m)["env"].clear(), "dialog-serve doesn't start: DATABASE_URL Field required"),
    "consume doesn't": (lambda m: process(m, "consume")["env"].clear(), "dialog-consume lacks the principal's password"),
    "no migration": (lambda m: m.remove(one(m, "Job", "migrate")), r"needs one Job that migrates .* has \['restored'\]"),
    "the migration of another release": (lambda m: process(m, "migrate").update(image="x:1"), "Job/dialog-migrate differ in image"),
    "nothing that mends a restore": (lambda m: m.remove(one(m, "Job", "restored")), r"one that mends a restore, and has \['migrate'\]"),
    "a restore without the ledger": (lambda m: process(m, "restored")["volumeMounts"].pop(), "restored differ in volumeMounts"),
    "a restore with each release": (lambda m: one(m, "Job", "restored")["metadata"].update(annotations={}), "by hand alone"),
    "a restore mended twice": (lambda m: one(m, "Job", "restored")["spec"].update(backoffLimit=4), "by hand alone, and once"),
    "a Job with another's verb": (lambda m: process(m, "restored").update(args=["migrate"]), r"dialog-restored runs \['migrate'\]"),
    "a restore without Kafka": (lambda m: process(m, "restored")["env"].clear(), "dialog-restored lacks the principal's password"),
    "before the migration": (lambda m: one(m, "Deployment", "serve")["metadata"]["annotations"].clear(), "doesn't wait for the migration"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), AGENCIES.values(), ids=AGENCIES)
def test_an_overlay_that_breaks_a_rule_is_refused(dialog, change, said):
    """INVARIANT: an agency gets its own service, whole, with closed doors and settings that it takes."""
    change(dialog)
    assert re.search(said, "\n".join(agencies.problems("dialog", dialog)))


def test_an_overlay_mentions_nothing_of_another_agency_but_its_public_address():
    """INVARIANT: an agency needs nobody else's folder, secrets or processes."""
    for service in SERVICES:
        without = re.sub(r"^  \w+_URL: .*$", "", written(OVERLAYS / service), flags=re.MULTILINE)
        others = [name for name in SERVICES if name != service and re.search(rf"\b(?<!-to-){name}-|/{name}:|stegvis-{name}\b", without)]
        assert others == [], service


def test_the_files_of_topics_and_principals_are_what_the_catalogue_says():
    """What the catalogue changes is written again by python -m deploy.k8s.kafka."""
    there = {file.name: file.read_text() for file in TOPICS_AND_PRINCIPALS.glob("*.yaml") if file.name != "kustomization.yaml"}
    assert there == {f"{agency}.yaml": kafka.written(agency) for agency in SERVICES}


def test_strimzi_is_told_every_topic_and_exactly_the_grants_of_the_catalogue():
    """INVARIANT: on Kubernetes too a principal may do what the catalogue says and nothing else. Read back from what is rendered."""
    manifests = rendered(TOPICS_AND_PRINCIPALS)
    topics = {topic["metadata"]["name"]: topic["spec"] for topic in of_kind(manifests, "KafkaTopic")}
    assert {name: spec["partitions"] for name, spec in topics.items()} == {name: topic.partitions for name, topic in TOPICS.items()}
    assert {spec["config"]["message.timestamp.type"] for spec in topics.values()} == {"CreateTime"}
    found = set()
    for user in of_kind(manifests, "KafkaUser"):
        for acl in user["spec"]["authorization"]["acls"]:
            assert acl["resource"]["patternType"] == "literal"
            resource = acl["resource"]
            found |= {Grant(user["metadata"]["name"], resource["type"], resource["name"], each.lower()) for each in acl["operations"]}
    assert found == grants()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda user, topic: user["authentication"].update(type="scram-sha-256"), "is not one of"),
        (lambda user, topic: user["authorization"]["acls"][0].update(operation="Read"), "operation.*unexpected"),
        (lambda user, topic: topic.update(partitions=0), "spec.partitions: 0 is less than"),
        (lambda user, topic: topic.update(retentionMs=1), "retentionMs.*unexpected"),
    ],
)
def test_what_strimzi_would_refuse_is_refused(change, said):
    manifests = [kafka.principal("dialog"), kafka.topic(TOPICS["dialog.chats.v1"])]
    manifests = [copy.deepcopy(manifest) for manifest in manifests]
    change(*(manifest["spec"] for manifest in manifests))
    assert re.search(said, "\n".join(problem for manifest in manifests for problem in schemas.problems(manifest)))


def test_the_example_of_a_database_gives_what_the_overlays_ask_for():
    manifests = rendered(EXAMPLES / "cloudnativepg")
    cluster, backup = one(manifests, "Cluster"), one(manifests, "ScheduledBackup")
    reference = process(rendered(OVERLAYS / "info"))["env"][0]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": f"{cluster['metadata']['name']}-app", "key": "uri"}
    assert backup["spec"]["cluster"]["name"] == cluster["metadata"]["name"]
    [expression] = policy(rendered(OVERLAYS / "info"), "to-database")["egress"][0]["to"][0]["podSelector"]["matchExpressions"]
    assert expression["values"] == [cluster["metadata"]["name"]]
    cluster["spec"]["postgresql"]["synchronous"]["numbers"] = 1
    backup["spec"]["method"] = "tape"
    assert [len(schemas.problems(manifest)) for manifest in (cluster, backup)] == [1, 1]


def relabelled(config: dict[str, Any], found: dict[str, str]) -> dict[str, str] | None:
    """What Prometheus calls a target of which Kubernetes says this; None: it isn't asked."""
    told = {}
    for rule in config["relabel_configs"]:
        value = ";".join(found.get(name, "") for name in rule["source_labels"])
        if "target_label" in rule:
            told[rule["target_label"]] = value
        elif bool(re.fullmatch(rule["regex"], value)) != (rule["action"] == "keep"):
            return None
    return told


def test_prometheus_asks_every_process_and_nothing_else_and_calls_it_as_the_alerts_do():
    """INVARIANT: the rules' labels are there on Kubernetes too."""
    [config] = yaml.safe_load(scraping.in_kubernetes("rules.yml"))["scrape_configs"]
    assert config["job_name"] == scraping.JOB
    asked = []
    for service in SERVICES:
        for workload in of_kind(rendered(OVERLAYS / service), "Deployment", "Job"):
            labels = agencies.labels_of(workload)
            [container] = workload["spec"]["template"]["spec"]["containers"]
            for port in container.get("ports", [{"name": ""}]):
                for phase in ("Running", "Failed"):
                    seen = {f"pod_label_{re.sub(r'[^a-z]', '_', name)}": value for name, value in labels.items()}
                    seen |= {"namespace": workload["metadata"]["namespace"], "pod_container_port_name": port["name"], "pod_phase": phase}
                    asked.append(relabelled(config, {f"__meta_kubernetes_{name}": value for name, value in seen.items()}))
    wanted = [{"service": service, "part": role} for service in SERVICES for role in agencies.roles_of(service)]
    assert sorted(map(str, filter(None, asked))) == sorted(map(str, wanted))


def test_an_agency_can_have_its_databases_certificate_checked(tmp_path):
    """By every process that reaches the database, and by the migration."""
    taken = [os.path.relpath(folder, tmp_path.resolve()) for folder in (OVERLAYS / "info", HERE / "components" / "database-tls")]
    whole = {"kind": "Kustomization", "resources": taken[:1], "components": taken[1:]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(whole))
    manifests = render(tmp_path)
    assert problems("info", manifests) == []
    for workload in of_kind(manifests, "Deployment", "Job"):
        [container] = workload["spec"]["template"]["spec"]["containers"]
        said = {variable["name"]: variable.get("value") for variable in container["env"]}
        assert (said["PGSSLMODE"], said["PGSSLROOTCERT"]) == ("verify-full", "/run/database-ca/ca.crt")
        [place] = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == "/run/database-ca"]
        [volume] = [volume for volume in workload["spec"]["template"]["spec"]["volumes"] if volume["name"] == place]
        assert [item["key"] for item in volume["secret"]["items"]] == ["ca.crt"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_manifests_name_the_release_that_they_go_out_with(service):
    """The settings are of this tree, so the image must be too. `make release` moves both."""
    tag = process(rendered(OVERLAYS / service))["image"].rpartition(":")[2]
    assert tag == Version(version_of(service)).base_version


def test_kustomize_says_what_it_cannot_render(tmp_path):
    (tmp_path / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    with pytest.raises(RenderError, match=r"nothing\.yaml"):
        render(tmp_path)


def test_a_process_is_defined_once():
    """A second copy of a container's definition would differ some day."""
    files = {
        file: [d for d in yaml.safe_load_all(file.read_text()) if d] for file in HERE.rglob("*.yaml") if "node_modules" not in file.parts
    }
    whole = [file.name for file, found in files.items() for each in found if "securityContext" in str(each.get("spec", {}).get("template"))]
    assert whole == ["pod.yaml"]
