"""What a killed run left in the temporary directory is removed by the next one, and nothing else is."""

import subprocess
import sys

import pytest

from deploy.checks import ROOT
from deploy.local import scratch

LEAVES_ONE = """
import os, signal
from deploy.local.scratch import scratch
folder = scratch("left")
(folder / "data").write_text("much")
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_when_its_process_was_killed_and_no_other_does(temporary):
    subprocess.run([sys.executable, "-c", LEAVES_ONE], cwd=ROOT, check=False)
    [left] = temporary.iterdir()
    for name in ("stegvis-drill-kept", "somebody-elses"):
        (temporary / name).mkdir()
    kept = temporary / "stegvis-drill-kept"
    (kept / scratch.NOTE).write_text((left / scratch.NOTE).read_text())
    scratch.keep(kept)
    ours = scratch.scratch("ours")
    assert not left.exists()
    again = scratch.scratch("ours")
    assert set(temporary.iterdir()) == {ours, again, kept, temporary / "somebody-elses"}


def test_a_process_of_another_numbering_is_left_alone(temporary, monkeypatch):
    subprocess.run([sys.executable, "-c", LEAVES_ONE], cwd=ROOT, check=False)
    [left] = temporary.iterdir()
    monkeypatch.setattr(scratch, "_numbering", lambda: "pid:[1]")
    scratch.scratch("ours")
    assert left.exists()
