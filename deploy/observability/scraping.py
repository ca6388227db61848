"""Prometheus' own configuration: whom it asks, and as which service and part."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    every = f"{seconds:g}s"
    static = [{"targets": [each.address], "labels": {"service": each.service, "part": each.part}} for each in targets]
    content = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [rule_file],
        "scrape_configs": [{"job_name": JOB, "metrics_path": "/metrics", "static_configs": static}],
    }
    return "# Written by python -m deploy.observability.\n" + yaml.safe_dump(content, sort_keys=False)
