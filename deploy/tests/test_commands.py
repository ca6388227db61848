"""What make is asked wrongly is refused in one line that says what can be asked."""

import os
import subprocess
import sys

import pytest

from deploy.checks import ROOT

WRONG = {
    "demo, a port that is none": (["deploy.demo", "--port", "80abc"], "deploy.demo: PORT: '80abc' is no port: a number from 1 to 65535"),
    "demo, a port that can't be": (["deploy.demo", "--port", "65536"], "PORT: '65536' is no port"),
    "containers, no port": (["deploy.containers.run", "--port", "0"], "PORT: '0' is no port"),
    "containers, isolate": (["deploy.containers.run", "--isolate", "maybe"], "ISOLATE: invalid choice: 'maybe' (choose from 'on', 'off')"),
    "k8s, no port": (["deploy.k8s.play", "--port", "x"], "PORT: 'x' is no port"),
    "images of nothing": (["deploy.images.build", "--only", "nonsense"], "ONLY: 'nonsense' is in no name: info, dialog, identity,"),
    "tests of nothing": (["deploy.suites", "--only", "nonsense"], "ONLY: 'nonsense' is in no name: libs, deploy, bench, services/info,"),
    "pages that aren't there": (["tests.browser.pages", "--only", "nonsense"], "ONLY: 'nonsense' is in no name: "),
    "pictures of nothing": (["tests.browser.screenshots", "--only", "nonsense"], "ONLY: 'nonsense' is in no name: "),
    "faults, no minutes": (["tests.faults.run", "--minutes", "abc"], "MINUTES: invalid float value: 'abc'"),
    "a bench that isn't there": (["bench", "--only", "nonsense"], "bench: ONLY: invalid choice: 'nonsense' (choose from 'pages',"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_word_is_refused_in_one_line(words, said):
    """And nothing is done that could be taken for success."""
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert said in line
    assert not done.stdout
