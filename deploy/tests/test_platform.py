"""The whole platform with stand-ins for the services: started, killed in part, cleaned up after, stopped."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import asyncpg
import pytest

from deploy.local.environment import HOSTS
from deploy.local.platform import Platform
from deploy.local.processes import StartError, born, command_line, memory_megabytes
from deploy.local.services import status

STAND_IN = Path(__file__).with_name("service_stand_in.py")


def stand_in(_service: str) -> list[str | Path]:
    return [sys.executable, STAND_IN]


def told(platform: Platform, service: str) -> dict:
    with urllib.request.urlopen(platform.internal(service), timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    overrides = {"dialog": {"CLOCK_OFFSET_SECONDS": "60"}}
    running = Platform(tmp_path_factory.mktemp("platform"), command=stand_in, overrides=overrides, outside={}).start()
    yield running
    running.stop(delete=True)
    assert not [pid for pid in running.pids.values() if born(pid) is not None]
    assert not (running.folder / "state").exists()


def page(platform: Platform, service: str) -> int:
    return status(platform.addresses.gateway_port, "/", HOSTS[service])


def test_every_host_answers_through_the_one_entrance(platform):
    assert {service: page(platform, service) for service in HOSTS} == dict.fromkeys(HOSTS, 200)


def test_each_service_gets_its_own_database_keys_and_settings_and_nothing_else(platform):
    """INVARIANT: no service process is given another's database, keys or the launcher's environment."""
    os.environ["A_SECRET_OF_MINE"] = "x"
    seen = {service: told(platform, service) for service in HOSTS}
    assert len({facts["DATABASE_URL"].split("@")[1] for facts in seen.values()}) == 5
    assert {facts["KEYS_DIR"].rsplit("/", 1)[1] for facts in seen.values()} == set(HOSTS)
    assert seen["dialog"]["DIALOG_URL"] == f"http://snakk.localhost:{platform.addresses.gateway_port}"
    assert [service for service, facts in seen.items() if facts["IDPORTEN_ISSUER"]] == ["identity"]
    assert seen["dialog"]["CLOCK_OFFSET_SECONDS"] == "60"
    assert not any("SECRET" in name or name == "PWD" for facts in seen.values() for name in facts["all"])


async def test_a_services_role_opens_its_own_database_alone(platform):
    """INVARIANT: five agencies, five clusters, five roles."""
    connection = await asyncpg.connect(platform.dsn("dialog"))
    assert await connection.fetchval("select current_database()") == "dialog"
    await connection.close()
    there = platform.dsn("info").split("@")[1]
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(platform.dsn("dialog").split("@")[0] + "@" + there)


def test_a_killed_services_host_shows_the_crisis_page_until_it_is_started_again(platform):
    """INVARIANT: one dead service stops none of the other four."""
    platform.kill("dialog")
    assert {service: page(platform, service) for service in HOSTS} == {**dict.fromkeys(HOSTS, 200), "dialog": 503}
    assert platform.dead() == ["dialog"]
    platform.restart("dialog", CLOCK_OFFSET_SECONDS="120")
    assert page(platform, "dialog") == 200
    assert told(platform, "dialog")["CLOCK_OFFSET_SECONDS"] == "120"


def test_a_killed_broker_comes_back_at_its_address(platform):
    before = platform.bootstrap
    platform.kill_broker()
    platform.restart_broker()
    assert platform.bootstrap == before


def test_a_folder_in_use_is_refused_in_one_line(platform):
    with pytest.raises(StartError, match=rf"^{platform.folder} is in use by process {os.getpid()}: stop that run, or choose another .*$"):
        Platform(platform.folder, command=stand_in).start()
    assert page(platform, "info") == 200


def test_a_busy_port_is_refused_before_anything_starts(platform, tmp_path):
    taken = platform.addresses.gateway_port
    with pytest.raises(StartError, match=f"^port {taken} is taken by another program"):
        Platform(tmp_path, port=taken, command=stand_in).start()
    assert not (tmp_path / "data").exists()


def test_every_part_has_a_log(platform):
    parts = {log.stem for log in platform.logs.iterdir()}
    assert parts == {*HOSTS, *(f"postgres-{name}" for name in HOSTS), "kafka-1", "oidc", "gateway"}


def test_the_parts_around_the_services_fit_in_their_share_of_memory(platform):
    assert memory_megabytes(platform.pids.values()) < 600


def test_a_service_that_fails_stops_the_start_with_its_last_words_and_nothing_is_left(platform, tmp_path):
    outside = {f"{name.upper()}_DATABASE_URL": platform.dsn(name) for name in HOSTS} | platform.kafka_admin.environment
    failing = Platform(tmp_path, command=stand_in, outside=outside, overrides={"info": {"FAIL": "1"}})
    with pytest.raises(StartError, match=r"(?s)info ended with code 1 before it was ready; .*stand-in: told to fail"):
        failing.start()
    assert not [name for name, pid in failing.pids.items() if born(pid) is not None]


def test_parts_that_run_elsewhere_are_used_and_not_started(platform, tmp_path):
    outside = platform.kafka_admin.environment
    outside |= {f"{name.upper()}_DATABASE_URL": platform.dsn(name) for name in HOSTS}
    with Platform(tmp_path, command=stand_in, outside=outside) as second:
        assert set(second.pids) == {*HOSTS, "oidc", "gateway"}
        assert told(second, "dialog")["DATABASE_URL"] == platform.dsn("dialog")
        assert told(second, "dialog")["KAFKA_BOOTSTRAP_SERVERS"] == platform.bootstrap
        assert told(second, "dialog")["KAFKA_USERNAME"] == "dialog"
        with pytest.raises(StartError, match="Kafka runs elsewhere"):
            second.kill_broker()


@pytest.mark.faults
def test_nothing_outlives_a_killed_run_and_the_next_run_in_its_folder_starts(tmp_path):
    """INVARIANT: a run killed with SIGKILL leaves no process, and its folder can be used again."""
    program = (
        "import sys, signal; from pathlib import Path; from deploy.local.platform import Platform;"
        "p = Platform(Path(sys.argv[1]), outside={}, command=lambda _: [sys.executable, sys.argv[2]]);"
        "p.start(); print('up', flush=True); signal.pause()"
    )
    launcher = subprocess.Popen([sys.executable, "-c", program, tmp_path, STAND_IN], stdout=subprocess.PIPE, start_new_session=True)
    assert launcher.stdout.readline() == b"up\n"
    parts = json.loads((tmp_path / "state").read_text())
    assert len(parts) == 13
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    again = Platform(tmp_path, command=stand_in, fresh=False, outside={}).start()
    assert page(again, "info") == 200
    assert not [part for part in parts if born(part["pid"]) == part["born"]]
    again.stop(delete=True)


def test_what_a_killed_run_left_is_ended_by_its_record(tmp_path):
    """INVARIANT: a process is ended only when it is the recorded one, not a later one with its number."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    deadline = time.monotonic() + 30
    while "sleep" not in command_line(other.pid) and time.monotonic() < deadline:
        os.sched_yield()
    record = [{"name": "dialog", "pid": left.pid, "born": born(left.pid)}, {"name": "info", "pid": other.pid, "born": 1}]
    (tmp_path / "state").write_text(json.dumps(record))
    platform = Platform(tmp_path, command=stand_in, outside={})
    assert platform._state.take() == ["dialog"]
    platform._state.release()
    assert left.wait(30) == -signal.SIGTERM
    assert other.poll() is None
    other.kill()
    other.wait()
