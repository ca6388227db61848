"""The kit for tests knows the machine from what is tested."""

import signal
import subprocess
import sys
import time

SCRIPT = """
import sys
from deploy.testing import Standstill
with Standstill() as still:
    print("begun", flush=True)
    sys.stdin.readline()
print(still.seconds)
"""


def test_what_the_machine_stood_still_is_counted():
    """A process that is frozen for a second and doesn't notice, as all are on a machine that stalls."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGSTOP)
    time.sleep(1)
    child.send_signal(signal.SIGCONT)
    seconds = float(child.communicate("\n")[0])
    assert 0.9 < seconds < time.monotonic() - began + 0.1
