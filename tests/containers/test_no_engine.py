"""Where no container engine can be had, the commands say so in one line and end with 1."""

import os
import subprocess
import sys

import pytest

from deploy.containers.prepare import ROOT


@pytest.mark.parametrize("module", ["deploy.images.build", "deploy.containers.run"])
def test_the_command_says_what_is_missing_and_what_to_do(module, tmp_path):
    """No program is found: neither an engine nor apt, which could install one."""
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no container engine here" in line
    assert "install Debian's packages podman" in line
