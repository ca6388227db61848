"""Our own rules for what an agency's overlay renders: its service alone, whole, with settings that the code knows and takes."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from contracts.catalogue import TOPICS, topics_owned_by, topics_read_by
from pydantic import ValidationError
from servicekit.settings import ServiceSettings

from deploy.k8s.pods import containers, pods
from deploy.k8s.render import Manifest, name_of, of_kind

NAME, ROLE = "app.kubernetes.io/name", "app.kubernetes.io/component"
NOT_SETTINGS = frozenset({"SSL_CERT_FILE", "MALLOC_ARENA_MAX", "PGSSLMODE", "PGSSLROOTCERT"})
"""What the process's libraries read themselves: OpenSSL's authorities (where an agency has its own), glibc's heaps, libpq's TLS."""
WAYS = {"relay": {9093, 4318}, "consume": {9093, 4318}, "serve": {443, 4318}, "restored": {9093}}
"""Role -> the ports that it calls besides names' and its database's: Kafka, a collector of spans, identity."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "kubernetes.md"
_ROW = re.compile(r"^\| (?:Secret|ConfigMap) `([\w-]+)` \| ([^|]*) \|", re.MULTILINE)


def problems(service: str, manifests: list[Manifest]) -> list[str]:
    """All that is wrong with one agency's rendering."""
    rules = (_own, _roles, _replicas, _references, _doors, _settings, _ledger, _brought, _jobs)
    return [f"{service}: {found}" for rule in rules for found in rule(service, manifests)]


def roles_of(service: str) -> set[str]:
    """The processes that a service needs: who reads no topic has nothing to consume; the relay runs the timers too."""
    return {"serve", "relay"} | ({"consume"} if topics_read_by(service) else set())


def labels_of(workload: Manifest) -> Mapping[str, str]:
    """The labels of a workload's pods."""
    found: Mapping[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def brought() -> dict[str, set[str]]:
    """What docs/kubernetes.md asks an agency to bring: Secret or ConfigMap -> its keys."""
    return {name: set(re.findall(r"`([^`]+)`", keys)) for name, keys in _ROW.findall(DOCUMENT.read_text())}


def _own(service: str, manifests: list[Manifest]) -> Iterator[str]:
    """Only its own service's objects, in its own namespace, with the name of nobody else's."""
    seen = set()
    for manifest in manifests:
        metadata, what = manifest["metadata"], name_of(manifest)
        if what in seen:
            yield f"{what} comes twice"
        seen.add(what)
        if manifest["kind"] == "Namespace":
            if metadata["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
                yield f"{what} doesn't enforce the restricted profile"
            continue
        if not metadata["name"].startswith(f"{service}-") or metadata.get("labels", {}).get(NAME) != service:
            yield f"{what} isn't of this service"
        if metadata.get("namespace") != f"stegvis-{service}":
            yield f"{what} is in the namespace {metadata.get('namespace')}"


def _roles(service: str, manifests: list[Manifest]) -> Iterator[str]:
    found = {labels_of(manifest)[ROLE] for manifest in of_kind(manifests, "Deployment")}
    if found != roles_of(service):
        yield f"runs {sorted(found)} and needs {sorted(roles_of(service))}"
    for deployment in of_kind(manifests, "Deployment"):
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        if container.get("args") != [labels_of(deployment)[ROLE]]:
            yield f"{name_of(deployment)} runs {container.get('args')}"
        guarded = [pdb for pdb in of_kind(manifests, "PodDisruptionBudget") if _selects(pdb["spec"]["selector"], labels_of(deployment))]
        if len(guarded) != 1:
            yield f"{name_of(deployment)} has {len(guarded)} disruption budgets"
        for spread in deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", [{}]):
            if not spread.get("labelSelector", {}).get("matchLabels") or not _selects(spread["labelSelector"], labels_of(deployment)):
                yield f"{name_of(deployment)} isn't spread"


def _replicas(service: str, manifests: list[Manifest]) -> Iterator[str]:
    """Serve by CPU; relay and consume as many as stated, and no more than can have a partition each."""
    scaled = {scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"] for scaler in of_kind(manifests, "HorizontalPodAutoscaler")}
    for deployment in of_kind(manifests, "Deployment"):
        role, replicas = labels_of(deployment)[ROLE], deployment["spec"].get("replicas")
        if role == "serve":
            scaler = scaled.get(deployment["metadata"]["name"], {})
            if replicas is not None or not 2 <= scaler.get("minReplicas", 1) < scaler.get("maxReplicas", 0):
                yield f"{name_of(deployment)} needs an autoscaler from two replicas on, and no number of its own"
            continue
        topics = topics_read_by(service) if role == "consume" else topics_owned_by(service)
        most = max((TOPICS[topic].partitions for topic in topics), default=2)  # who owns none still runs timers, and a standby
        if not 2 <= (replicas or 1) <= most:
            yield f"{name_of(deployment)} states {replicas} replicas: 2 to {most}, its topics' partitions"


def _references(_: str, manifests: list[Manifest]) -> Iterator[str]:
    """What is named is there."""
    there = {name_of(manifest) for manifest in manifests}
    deployments = of_kind(manifests, "Deployment")
    for manifest, pod in pods(manifests):
        if f"ServiceAccount/{pod.get('serviceAccountName')}" not in there:
            yield f"{name_of(manifest)} runs as the unknown account {pod.get('serviceAccountName')}"
    for account in of_kind(manifests, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{name_of(account)} gives tokens away"
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        if f"Deployment/{scaler['spec']['scaleTargetRef']['name']}" not in there:
            yield f"{name_of(scaler)} scales nothing"
    for service in of_kind(manifests, "Service"):
        behind = [deployment for deployment in deployments if _selects({"matchLabels": service["spec"]["selector"]}, labels_of(deployment))]
        wanted = {port["targetPort"] for port in service["spec"]["ports"]}
        if len(behind) != 1 or not wanted <= _ports(behind[0]):
            yield f"{name_of(service)} leads to {[name_of(deployment) for deployment in behind]}"


def _doors(_: str, manifests: list[Manifest]) -> Iterator[str]:
    """Everything is refused, then each role has the ways that it needs and no other."""
    policies = [policy["spec"] for policy in of_kind(manifests, "NetworkPolicy")]
    if not any(_refuses_all(policy) for policy in policies):
        yield "no policy refuses what isn't allowed"
    for manifest, _pod in pods(manifests):
        labels = labels_of(manifest)
        allowed = {port["port"] for policy in policies for port in _ways_out(policy, labels)}
        needed = {53, 5432} | WAYS.get(labels[ROLE], set())
        if allowed != needed:
            yield f"{name_of(manifest)} may call the ports {sorted(allowed)} and needs {sorted(needed)}"
        listens = {port["port"] for policy in policies for port in _ways_in(policy, labels)}
        if manifest["kind"] == "Deployment" and listens != _ports(manifest):
            yield f"{name_of(manifest)} may be called on {sorted(listens)} and listens on {sorted(_ports(manifest))}"


def _refuses_all(policy: dict[str, Any]) -> bool:
    closed = not policy.get("ingress") and not policy.get("egress")
    return policy["podSelector"] == {} and set(policy.get("policyTypes", [])) == {"Ingress", "Egress"} and closed


def _ways_out(policy: dict[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    rules = policy.get("egress", []) if _selects(policy["podSelector"], labels) else []
    return [port for rule in rules for port in rule.get("ports", [{"port": "any"}])]


def _ways_in(policy: dict[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    rules = policy.get("ingress", []) if _selects(policy["podSelector"], labels) else []
    return [port for rule in rules if rule.get("from") for port in rule.get("ports", [{"port": "any"}])]


def _settings(service: str, manifests: list[Manifest]) -> Iterator[str]:
    """Every variable is one that the service reads, and it starts in production with what they say."""
    known: type[ServiceSettings] = import_module(f"{service}.settings").Settings
    written = {config["metadata"]["name"]: config["data"] for config in of_kind(manifests, "ConfigMap")}
    for manifest, pod in pods(manifests):
        values: dict[str, str] = {}
        for container in containers(pod):
            for source in container.get("envFrom", []):
                values |= written.get(source.get("configMapRef", {}).get("name"), {})
            values |= {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}
        for name in sorted(set(values) - NOT_SETTINGS):
            if name.lower() not in known.model_fields:
                yield f"{name_of(manifest)} sets {name}, which no setting reads"
        if "DATABASE_URL" in values:
            values["DATABASE_URL"] = "postgresql://somebody@database-rw/somewhere"
        try:
            settings = known(**{name.lower(): value for name, value in values.items()})  # type: ignore[arg-type]
        except ValidationError as error:
            why = [f"{'.'.join(map(str, problem['loc'])).upper()} {problem['msg']}" for problem in error.errors(include_input=False)]
            yield f"{name_of(manifest)} doesn't start: {'; '.join(why)}"
        else:
            if settings.is_demo:
                yield f"{name_of(manifest)} isn't in production mode"
            yield from _port_numbers(manifest, settings)


def _port_numbers(manifest: Manifest, settings: ServiceSettings) -> Iterator[str]:
    said = {"http": settings.port, "internal": settings.internal_port}
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        for port in container.get("ports", []):
            if port["containerPort"] != said.get(port["name"]):
                yield f"{name_of(manifest)} declares {port['name']} as {port['containerPort']} and listens on {said.get(port['name'])}"


def _ledger(service: str, manifests: list[Manifest]) -> Iterator[str]:
    """What a service has to forget again after a restore is noted on a volume that outlives its pods, and that they share."""
    if not hasattr(import_module(f"{service}.main"), "ERASERS"):
        return
    claims = {claim["metadata"]["name"]: claim["spec"]["accessModes"] for claim in of_kind(manifests, "PersistentVolumeClaim")}
    [place] = {config["data"].get("DELETIONS_DIR") for config in of_kind(manifests, "ConfigMap")}
    for manifest, pod in pods(manifests):
        mounted = {mount["name"] for container in containers(pod) for mount in container["volumeMounts"] if mount["mountPath"] == place}
        kept = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["volumes"] if volume["name"] in mounted]
        if not kept or any("ReadWriteMany" not in claims.get(name, ()) for name in kept):
            yield f"{name_of(manifest)} notes deletions where they don't outlive it: DELETIONS_DIR needs a claim that many may write"


def _brought(_: str, manifests: list[Manifest]) -> Iterator[str]:
    """Every secret and key that isn't rendered is one that the document asks for; passwords go to whom they're for."""
    documented, made = brought(), {config["metadata"]["name"] for config in of_kind(manifests, "ConfigMap")}
    for manifest, pod in pods(manifests):
        for name, key in _named(pod):
            if name not in made and (name not in documented or (key is not None and key not in documented[name])):
                yield f"{name_of(manifest)} needs {name}{f' ({key})' if key else ''}, which docs/kubernetes.md doesn't ask for"
        has_password = any(name == "kafka" for name, _key in _named(pod))
        if has_password != (labels_of(manifest)[ROLE] in ("relay", "consume", "restored")):
            yield f"{name_of(manifest)} {'has' if has_password else 'lacks'} the principal's password"


def _named(pod: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The secrets and config maps that a pod names, with the key where one is named."""
    for container in containers(pod):
        for source in container.get("envFrom", []):
            yield from ((reference["name"], None) for reference in source.values() if isinstance(reference, dict))
        for variable in container.get("env", []):
            for reference in variable.get("valueFrom", {}).values():
                yield reference["name"], reference["key"]
    for volume in pod.get("volumes", []):
        if "secret" in volume or "configMap" in volume:
            yield volume.get("secret", {}).get("secretName") or volume["configMap"]["name"], None


def _jobs(_: str, manifests: list[Manifest]) -> Iterator[str]:
    """One Job that migrates, before what it is for, and one that mends a restore, with no release; in the container that serves."""
    jobs = {str(labels_of(job)[ROLE]): job for job in of_kind(manifests, "Job")}
    for role, job in jobs.items():
        [container] = job["spec"]["template"]["spec"]["containers"]
        if container.get("args") != [role]:
            yield f"{name_of(job)} runs {container.get('args')}"
        for deployment in of_kind(manifests, "Deployment"):
            [running] = deployment["spec"]["template"]["spec"]["containers"]
            for name in ("image", "envFrom", "volumeMounts", "securityContext"):
                if container.get(name) != running.get(name):
                    yield f"{name_of(deployment)} and {name_of(job)} differ in {name}"
    if jobs.keys() != {"migrate", "restored"}:
        yield f"needs one Job that migrates and one that mends a restore, and has {sorted(jobs)}"
        return
    if jobs["restored"]["metadata"]["annotations"].get("argocd.argoproj.io/hook") != "Skip" or jobs["restored"]["spec"]["backoffLimit"]:
        yield f"{name_of(jobs['restored'])} must run by hand alone, and once"
    wave = int(jobs["migrate"]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
    for deployment in of_kind(manifests, "Deployment"):
        if int(deployment["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")) <= wave:
            yield f"{name_of(deployment)} doesn't wait for the migration"


def _ports(deployment: Manifest) -> set[str]:
    return {port["name"] for container in deployment["spec"]["template"]["spec"]["containers"] for port in container.get("ports", [])}


def _selects(selector: dict[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes in these labels."""
    wanted: dict[str, str] = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    expressions = selector.get("matchExpressions", [])
    return all(_holds(expression, labels.get(expression["key"])) for expression in expressions)


def _holds(expression: dict[str, Any], value: str | None) -> bool:
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
