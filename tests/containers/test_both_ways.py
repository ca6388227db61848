"""The same tests on child processes and in containers; which way it was stands in the report's header."""

import os
import subprocess
import sys

import pytest

from deploy.containers.prepare import ROOT

DELIVERY = "libs/servicekit/tests/delivery/test_consumer.py::test_a_fact_has_one_effect_in_another_service"
FLOW = "tests/flows/test_the_walk.py::test_a_youth_goes_from_a_search_to_an_appointment_without_retelling"

pytestmark = pytest.mark.timeout(600)


def run(infra, *rows, **environment):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *rows]
    told = {**os.environ, "TEST_INFRA": infra, **environment}
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("infra", "said", "rows"),
    [
        ("local", "as child processes", [DELIVERY]),  # the walk goes this way with the other flows
        ("docker", "in containers", [DELIVERY, FLOW]),
    ],
)
def test_the_smoke_rows_pass_and_the_header_says_on_what(engine, infra, said, rows):
    done = run(infra, *rows)
    assert done.returncode == 0, done.stdout[-3000:]
    header = next(line for line in done.stdout.splitlines() if line.startswith("parts:"))
    assert f"TEST_INFRA={infra}" in header
    assert said in header
    assert f"{len(rows)} passed" in done.stdout


def test_without_an_engine_the_rows_fail_and_no_other_way_is_taken(tmp_path):
    done = run("docker", DELIVERY, PATH=str(tmp_path))
    assert done.returncode != 0
    assert "no container engine here" in done.stdout
    assert "passed" not in done.stdout
