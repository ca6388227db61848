"""The alerts as Prometheus' rule file, and as promtool's unit tests of that file."""

from typing import Any

import yaml

from deploy.observability.alerts import ALERTS, RUNBOOKS, Alert, Times
from deploy.observability.trials import TRIALS, Trial

GROUP = "stegvis"
GENERATED = "# Written by python -m deploy.observability: change deploy/observability/alerts.py instead.\n"


def rules(times: Times | None = None, runbooks: str = RUNBOOKS) -> str:
    """The rule file. `runbooks`: where the links lead."""
    times = times or Times()
    group = {"name": GROUP, "rules": [_rule(alert, times, runbooks) for alert in ALERTS]}
    return GENERATED + _yaml({"groups": [group]})


def _rule(alert: Alert, times: Times, runbooks: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expression(times)}
    if alert.holds:
        rule["for"] = times.duration(alert.holds)
    return rule | {"labels": alert.labels(), "annotations": alert.annotations(runbooks)}


def rule_tests(rule_file: str) -> str:
    """promtool's tests: each alert is silent at one time and fires at another, by the real times."""
    tests = [_test(alert, trial) for alert in ALERTS for trial in TRIALS[alert.name]]
    return GENERATED + _yaml({"rule_files": [rule_file], "evaluation_interval": "15s", "tests": tests})


def _test(alert: Alert, trial: Trial) -> dict[str, Any]:
    series = [{"series": name, "values": values} for name, values in trial.series.items()]
    silent = [{"eval_time": at, "alertname": alert.name, "exp_alerts": []} for at in trial.silent_at]
    firing = []
    for at, seen in trial.fires_at.items():
        labels = alert.labels() | dict(seen)
        expected = {"exp_labels": labels, "exp_annotations": {key: _filled(text, labels) for key, text in alert.annotations().items()}}
        firing.append({"eval_time": at, "alertname": alert.name, "exp_alerts": [expected]})
    return {"name": f"{alert.name}: {trial.story}", "interval": "15s", "input_series": series, "alert_rule_test": silent + firing}


def _filled(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    return text


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=4096, allow_unicode=True)
