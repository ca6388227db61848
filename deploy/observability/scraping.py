"""Prometheus' own configuration: whom it asks, and as which service and part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

JOB = "stegvis"


@dataclass(frozen=True, slots=True)
class Target:
    """One process: its service, its part (`run`, `serve`, `relay`, `consume`) and host:port of its internal address."""

    service: str
    part: str
    address: str


def config(targets: Sequence[Target], rule_file: str, seconds: float = 15) -> str:
    """`seconds`: between two scrapes, and between two looks at the rules."""
    static = [{"targets": [each.address], "labels": {"service": each.service, "part": each.part}} for each in targets]
    return _written(rule_file, seconds, {"static_configs": static})


def in_kubernetes(rule_file: str, seconds: float = 15) -> str:
    """The same for processes in pods, as deploy/k8s makes them: whom to ask, Kubernetes says. A pod that has ended isn't asked."""
    pod = "__meta_kubernetes_pod_"
    relabel: list[dict[str, Any]] = [
        {"action": "keep", "source_labels": ["__meta_kubernetes_namespace", f"{pod}container_port_name"], "regex": "stegvis-.+;internal"},
        {"action": "drop", "source_labels": [f"{pod}phase"], "regex": "Succeeded|Failed"},
        {"source_labels": [f"{pod}label_app_kubernetes_io_name"], "target_label": "service"},
        {"source_labels": [f"{pod}label_app_kubernetes_io_component"], "target_label": "part"},
    ]
    return _written(rule_file, seconds, {"kubernetes_sd_configs": [{"role": "pod"}], "relabel_configs": relabel})


def _written(rule_file: str, seconds: float, targets: Mapping[str, Any]) -> str:
    every = f"{seconds:g}s"
    content = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [rule_file],
        "scrape_configs": [{"job_name": JOB, "metrics_path": "/metrics", **targets}],
    }
    return "# Written by python -m deploy.observability.\n" + yaml.safe_dump(content, sort_keys=False)
