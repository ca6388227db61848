"""The rules and dashboards name what exists, and fire at the times they promise."""

import importlib
import json
import re
import subprocess

import pytest
from contracts.catalogue import SERVICES, TOPICS
from prometheus_client import REGISTRY

from deploy.checks import ROOT
from deploy.observability.__main__ import HERE, files
from deploy.observability.alerts import ALERTS, NO_TOPIC, Severity, Times
from deploy.observability.panels import BOARDS
from deploy.observability.programs import program
from deploy.observability.rules import rules
from deploy.observability.trials import TRIALS

FUNCTIONS = {"sum", "max", "min", "rate", "increase", "histogram_quantile", "time", "abs", "vector", "label_replace", "and", "or", "unless"}
OWN = {"up", "ALERTS"}
"""Prometheus makes these itself."""
CLAUSE = re.compile(r'"[^"]*"|\{[^}]*\}|\b(?:by|on) \([^)]*\)|\[[^\]]*\]')
LABELS = {"service", "topic", "severity", "provider", "use", "endpoint", "part", "setting", "kind", "alertname", "instance", "job"}
TRIED_AT = Times(scale=60, scrape_seconds=1)


def named(expression: str) -> set[str]:
    """The metrics of an expression: what is left of its words."""
    return set(re.findall(r"[A-Za-z_:][\w:]*", CLAUSE.sub(" ", expression))) - FUNCTIONS


@pytest.fixture(scope="module")
def exposed() -> set[str]:
    importlib.import_module("servicekit.cli")  # with which every process begins
    for service in SERVICES:
        importlib.import_module(f"{service}.main")
    names = set()
    for metric in REGISTRY.collect():
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
        names |= {metric.name + ending for ending in endings}
    return names


def test_a_misspelt_metric_is_noticed(exposed):
    assert named('sum by (topic) (rate(stegvis_outbox_row{service="x"}[5m])) > 0 and on (topic) up') - OWN - exposed == {
        "stegvis_outbox_row"
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_metric_of_a_rule_exists(alert, exposed):
    assert named(alert.expression(Times())) - OWN <= exposed


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_metric_of_a_dashboard_exists(board, exposed):
    for panel in board.panels:
        for query in panel.queries:
            assert named(query.expr), panel.title
            assert named(query.expr) - OWN <= exposed, panel.title


def test_there_is_a_dashboard_for_each_service_and_one_for_the_journey():
    assert {board.uid for board in BOARDS} == {f"stegvis-{name}" for name in (*SERVICES, "journey")}
    for board in BOARDS:
        made = json.loads((HERE / "grafana" / "dashboards" / f"{board.uid}.json").read_text())
        assert [panel["title"] for panel in made["panels"] if panel["type"] != "row"] == [panel.title for panel in board.panels]
        assert all(target["expr"] for panel in made["panels"] for target in panel.get("targets", ()))


def test_the_files_are_as_they_would_be_written():
    assert {str(path): (HERE / path).read_text() for path in files()} == {str(path): content for path, content in files().items()}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_where_what_next_and_nothing_about_a_person(alert):
    """INVARIANT: an alert carries service, topic, next step and runbook; its labels are a closed set without a person."""
    told = alert.annotations()
    assert alert.severity in Severity
    assert all(told[name].strip() for name in ("summary", "for_whom", "next_step", "runbook_url"))
    assert (ROOT / told["runbook_url"]).is_file()
    expression = alert.expression(Times())
    assert alert.topic or "topic" in expression.split("(")[1]
    assert alert.topic in {None, NO_TOPIC, *TOPICS}
    assert "service" in expression or expression.startswith("up")
    grouped = {label.strip() for labels in re.findall(r"(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")}
    assert grouped | set(re.findall(r"\$labels\.(\w+)", str(told))) <= LABELS


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_alert_is_tried_silent_and_firing(alert):
    trials = TRIALS[alert.name]
    assert any(trial.fires_at for trial in trials)
    assert any(trial.silent_at for trial in trials)


def promtool(*words: str) -> str:
    ran = subprocess.run([program("promtool"), *words], cwd=HERE / "prometheus", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_promtool_takes_the_files():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "rules.yml")


def test_promtool_takes_the_file_for_kubernetes(tmp_path):
    """But for the one line that asks Kubernetes: Debian's programs are built without it."""
    written = (HERE / "prometheus" / "kubernetes.yml").read_text()
    asked = "kubernetes_sd_configs:\n  - role: pod\n"
    assert asked in written
    (tmp_path / "rules.yml").write_text((HERE / "prometheus" / "rules.yml").read_text())
    (tmp_path / "file.yml").write_text(written.replace(asked, "static_configs:\n  - targets: [x]\n"))
    promtool("check", "config", str(tmp_path / "file.yml"))


def test_the_alerts_fire_at_their_real_times():
    """INVARIANT: a fact that is stuck is a warning after 60 s and a page after 10 minutes."""
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")


def test_a_rule_that_is_too_late_is_noticed(tmp_path):
    """INVARIANT: promtool's tests can fail."""
    (tmp_path / "rules.yml").write_text((HERE / "prometheus" / "rules.yml").read_text().replace("> 60\n", "> 75\n"))
    (tmp_path / "rules_test.yml").write_text((HERE / "prometheus" / "rules_test.yml").read_text())
    ran = subprocess.run(
        [program("promtool"), "test", "rules", "rules_test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "OutboxWaits" in ran.stderr


def test_the_rules_of_a_trial_are_the_same_with_other_times(tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(rules(TRIED_AT))
    promtool("check", "rules", str(file))
    found = file.read_text()
    assert "> 1\n" in found
    assert "> 10\n" in found
    assert [line for line in found.splitlines() if "alert:" in line] == [f"  - alert: {alert.name}" for alert in ALERTS]


def test_a_dashboard_is_called_after_its_service_and_agency():
    titles = {board.uid: board.title for board in BOARDS}
    assert titles["stegvis-info"] == "Stegvis: info (Bufdir)"
    assert set(titles) == {"stegvis-journey", *(f"stegvis-{service}" for service in SERVICES)}


def test_the_page_about_operations_names_every_alert_and_every_panel():
    told = (ROOT / "docs" / "operations.md").read_text()
    assert [alert.name for alert in ALERTS if f"| {alert.name} |" not in told] == []
    for board in BOARDS:
        assert f"`{board.uid}`" in told
        assert [panel.title for panel in board.panels if panel.title not in told] == []
