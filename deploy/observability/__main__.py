"""`python -m deploy.observability`: writes the files that Prometheus and Grafana read; `--check` says whether they are up to date."""

import argparse
import sys
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.observability.alerts import RUNBOOKS
from deploy.observability.dashboards import SOURCE, as_json
from deploy.observability.panels import BOARDS
from deploy.observability.rules import rule_tests, rules
from deploy.observability.scraping import Target, config, in_kubernetes

HERE = Path(__file__).parent
INTERNAL_PORT = 9000
PARTS = ("serve", "relay", "consume")
RULES = "rules.yml"
DATASOURCE = f"""# Written by python -m deploy.observability.
apiVersion: 1
datasources:
  - name: Prometheus
    uid: {SOURCE.uid}
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
"""
PROVIDER = """# Written by python -m deploy.observability.
apiVersion: 1
providers:
  - name: stegvis
    type: file
    options:
      path: /etc/grafana/dashboards
"""


def files(runbooks: str = RUNBOOKS) -> dict[Path, str]:
    """Every generated file, below this folder. In containers a process is called `<service>-<part>`."""
    targets = [Target(service, part, f"{service}-{part}:{INTERNAL_PORT}") for service in SERVICES for part in PARTS]
    grafana = Path("grafana")
    return {
        Path("prometheus") / "prometheus.yml": config(targets, RULES),
        Path("prometheus") / "kubernetes.yml": in_kubernetes(RULES),
        Path("prometheus") / RULES: rules(runbooks=runbooks),
        Path("prometheus") / "rules_test.yml": rule_tests(RULES),
        grafana / "provisioning" / "datasources" / "prometheus.yml": DATASOURCE,
        grafana / "provisioning" / "dashboards" / "stegvis.yml": PROVIDER,
        **{grafana / "dashboards" / f"{board.uid}.json": as_json(board) for board in BOARDS},
    }


def main() -> int:
    """0: written, or up to date."""
    parser = argparse.ArgumentParser(prog="python -m deploy.observability", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a file isn't as it would be written")
    parser.add_argument("--runbooks", default=RUNBOOKS, help="address under which the runbooks are published (default: their folder here)")
    arguments = parser.parse_args()
    stale = []
    for path, content in files(arguments.runbooks).items():
        file = HERE / path
        if not file.exists() or file.read_text() != content:
            stale.append(str(path))
            if not arguments.check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
    if arguments.check and stale:
        print(f"not as python -m deploy.observability would write them: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
