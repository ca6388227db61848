"""Debian's Prometheus: found, or unpacked below .tools without installing (a package that is installed starts a server of its own)."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.checks import ROOT

UNPACKED = ROOT / ".tools" / "prometheus"
PACKAGE = "prometheus"


class NoPrometheusError(RuntimeError):
    """It isn't here and can't be fetched. The text names the package."""

    def __init__(self, name: str) -> None:
        super().__init__(f"needs {name}: install Debian's package {PACKAGE} (apt-get install {PACKAGE})")


def program(name: str) -> Path:
    """`prometheus` or `promtool`. Raises NoPrometheusError."""
    if found := shutil.which(name):
        return Path(found)
    unpacked = UNPACKED / "usr" / "bin" / name
    if not unpacked.exists() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        _unpack()
    if not unpacked.exists():
        raise NoPrometheusError(name)
    return unpacked


def _unpack() -> None:
    print(f"fetching Debian's package {PACKAGE} (once)", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if not _apt("download", PACKAGE, folder=folder) and os.geteuid() == 0:
            _apt("-o", "DPkg::Lock::Timeout=300", "update", folder=folder)
            _apt("download", PACKAGE, folder=folder)
        for package in Path(folder).glob("*.deb"):
            half = UNPACKED.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            subprocess.run(["dpkg-deb", "--extract", package, half], check=True)
            shutil.rmtree(UNPACKED, ignore_errors=True)
            half.rename(UNPACKED)


def _apt(*words: str, folder: str) -> bool:
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *words]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
