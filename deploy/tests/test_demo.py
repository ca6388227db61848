"""The command `python -m deploy.demo` with the real services: addresses, a service killed and brought back, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import httpx
import pytest
from contracts.catalogue import SERVICES

from deploy.local.environment import HOSTS
from deploy.local.processes import born, free_ports, memory_megabytes
from deploy.local.services import status
from deploy.local.state import State
from deploy.observability.alerts import ALERTS


class Demo:
    """One run of the command."""

    def __init__(self, folder, port: int) -> None:
        self.folder, self.port = folder, port
        command = [sys.executable, "-m", "deploy.demo", "--ops", "--port", str(port), "--data", folder]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said = ""

    def wait_for(self, text: str) -> None:
        while text not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line

    @property
    def parts(self) -> list[dict]:
        return json.loads((self.folder / "state").read_text())

    def page(self, service: str) -> int:
        return status(self.port, "/", HOSTS[service])


def until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    run = Demo(tmp_path_factory.mktemp("demo"), free_ports(1)[0])
    run.wait_for("metrics, rules and alerts")
    yield run
    run.process.kill()
    run.process.wait()
    run.process.stdout.close()
    State(run.folder).empty("data")


def test_the_five_hosts_answer_and_all_addresses_are_printed(demo):
    assert {service: demo.page(service) for service in SERVICES} == dict.fromkeys(SERVICES, 200)
    for service in SERVICES:
        assert f"http://{HOSTS[service]}:{demo.port}/" in demo.said
    internal = re.findall(r"http://127\.0\.0\.1:(\d+)/docs", demo.said)
    assert [status(int(port), path) for port in internal for path in ("/docs", "/metrics", "/openapi.json")] == [200] * 15


def test_api_documents_and_metrics_are_not_reached_through_the_entrance(demo):
    """INVARIANT: what is for operations stays inside."""
    paths = ("/docs", "/metrics", "/openapi.json", "/readyz", "/livez")
    assert {status(demo.port, path, HOSTS[service]) for service in SERVICES for path in paths} == {404}


def prometheus(demo):
    return httpx.Client(base_url=re.search(r"Prometheus (http://127\.0\.0\.1:\d+)", demo.said)[1], timeout=30)


def test_prometheus_beside_it_asks_all_five_and_knows_the_rules(demo):
    def found(asked):
        time.sleep(0.2)
        return {target["labels"]["service"] for target in asked.get("/api/v1/targets").json()["data"]["activeTargets"]}

    with prometheus(demo) as asked:
        until(lambda: found(asked) == set(SERVICES))
        groups = asked.get("/api/v1/rules").json()["data"]["groups"]
    assert {rule["name"] for group in groups for rule in group["rules"]} == {alert.name for alert in ALERTS}


def test_everything_fits_in_its_memory(demo):
    assert memory_megabytes(part["pid"] for part in demo.parts) < 1700


def test_a_killed_service_is_told_and_comes_back_when_asked(demo):
    pid = next(part["pid"] for part in demo.parts if part["name"] == "reporting")
    os.kill(pid, signal.SIGKILL)
    demo.wait_for("reporting ended with code -9")
    assert {service: demo.page(service) for service in SERVICES} == {**dict.fromkeys(SERVICES, 200), "reporting": 503}
    demo.process.send_signal(signal.SIGUSR1)
    demo.wait_for("reporting answers again")
    assert demo.page("reporting") == 200


def test_ctrl_c_stops_everything_and_leaves_nothing_running(demo):
    """INVARIANT: after Ctrl-C no process of the demo is left."""
    parts = demo.parts
    assert len(parts) == 13
    demo.process.send_signal(signal.SIGINT)
    demo.wait_for("stopped, nothing is left running")
    assert demo.process.wait(30) == 0
    assert not [part["name"] for part in parts if born(part["pid"]) == part["born"]]
    with prometheus(demo) as asked, pytest.raises(httpx.ConnectError):
        asked.get("/-/ready")


def test_a_busy_port_ends_the_command_with_one_line(tmp_path):
    port = free_ports(1)[0]
    listener = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], stderr=subprocess.DEVNULL)
    until(lambda: status(port, "/") == 200)
    command = [sys.executable, "-m", "deploy.demo", "--port", str(port), "--data", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    listener.kill()
    listener.wait()
    assert (done.returncode, done.stderr) == (
        1,
        f"demo: port {port} is taken by another program: stop that one, or choose another with PORT=\n",
    )
