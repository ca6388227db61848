"""The same tests on child processes and in containers; which way it was stands in the report's header."""

import os
import subprocess
import sys

import pytest

from deploy.containers.prepare import ROOT

ROWS = ("libs/servicekit/tests/delivery/test_consumer.py::test_a_fact_has_one_effect_in_another_service",)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("infra", "said"), [("local", "as child processes"), ("docker", "in containers")])
def test_the_smoke_rows_pass_and_the_header_says_on_what(engine, infra, said):
    environment = os.environ | {"TEST_INFRA": infra}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *ROWS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    header = next(line for line in done.stdout.splitlines() if line.startswith("parts:"))
    assert f"TEST_INFRA={infra}" in header
    assert said in header
    assert f"{len(ROWS)} passed" in done.stdout
