"""Each import rule is broken on purpose in a copy of the code: a rule that can't fail is no rule."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [*ROOT.glob("libs/*/src/*"), *ROOT.glob("services/*/src/*")]

BREACHES = {
    "services-meet-only-in-contracts": ("info/domain.py", "import dialog"),
    "contracts-know-no-machinery": ("contracts/info.py", "import sqlalchemy"),
    "code-lists-are-plain": ("contracts/codes.py", "import pydantic"),
    "libraries-know-no-service": ("servicekit/crypto.py", "import info"),
    "look-knows-no-plumbing": ("webkit/__init__.py", "import servicekit.crypto"),
    "delivery-knows-no-web": ("servicekit/delivery/outbox.py", "import fastapi"),
    "rules-are-pure": ("reporting/domain.py", "import sqlalchemy"),
    "use-cases-know-no-door": ("reporting/projections.py", "import fastapi"),
    "stores-look-down": ("reporting/store.py", "import reporting.projections"),
    "settings-are-passed-on": ("reporting/queries.py", "import reporting.settings"),
    "only-main-knows-everyone": ("reporting/api.py", "import reporting.main"),
    "only-the-relay-publishes": ("info/handlers.py", "import servicekit.delivery.lanes"),
    "what-is-shipped-knows-no-surroundings": ("servicekit/crypto.py", "import deploy.local"),
}
"""Rule -> a file and an import that breaks it."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for package in PACKAGES:
        if package.is_dir() and (package / "__init__.py").is_file():
            shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__", "static", "*.po"))
    return folder


def lint(folder: Path, rule: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", str(ROOT / ".importlinter"), "--no-cache", "--contract", rule]
    return subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False)


def rules() -> list[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    return [section.rpartition(":")[2] for section in config.sections() if ":contract:" in section]


def test_every_rule_has_a_breach():
    assert set(rules()) == set(BREACHES)


@pytest.mark.parametrize("rule", BREACHES)
def test_a_rule_notices_its_breach(rule, copy):
    name, planted = BREACHES[rule]
    file = copy / name
    whole = file.read_text()
    try:
        file.write_text(whole + f"\n{planted}\n")
        broken = lint(copy, rule)
        assert broken.returncode == 1, broken.stdout[-500:] + broken.stderr[-500:]
        assert "BROKEN" in broken.stdout
    finally:
        file.write_text(whole)
