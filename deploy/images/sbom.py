"""A bill of materials per image (CycloneDX 1.5): the Python packages of the lock, and Python and the Debian packages of the base."""

import json
import subprocess
from pathlib import Path
from typing import Any

from deploy.checks import INDEX_SETTINGS, ROOT
from deploy.images.engine import Engine, EngineError

SUFFIX = ".cdx.json"


def write(engine: Engine, service: str, image: str, folder: Path) -> Path:
    """Writes `<service>.cdx.json` into the folder; returns it. The same image gives the same file."""
    bill = python_part(service)
    bill["components"] += [*debian_part(engine, image), interpreter(engine, image)]
    bill["components"].sort(key=lambda component: (component.get("purl", ""), component["name"]))
    bill.pop("serialNumber", None)
    bill["metadata"].pop("timestamp", None)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{service}{SUFFIX}"
    file.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")
    return file


def python_part(service: str) -> dict[str, Any]:
    """What the lock says for one service. Raises EngineError when the lock can't be read."""
    import os

    environment = {key: value for key, value in os.environ.items() if key not in {*INDEX_SETTINGS, "VIRTUAL_ENV"}}
    command = [str(ROOT / ".tools" / "bin" / "uv"), "export", "--quiet", "--frozen", "--no-dev", "--package", service]
    command += ["--format", "cyclonedx1.5", "--preview-features", "sbom-export"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"the bill of materials of {service} can't be made: {done.stderr.strip()[-500:]}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def debian_part(engine: Engine, image: str) -> list[dict[str, Any]]:
    """What dpkg says is in the image."""
    status = engine.run("run", "--rm", "--network", "none", "--entrypoint", "cat", image, "/var/lib/dpkg/status")
    found = []
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if line[:1].strip() and ": " in line)
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={fields['Architecture']}"
            found.append({"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl})
    return found


def interpreter(engine: Engine, image: str) -> dict[str, Any]:
    """Python itself: the official base builds its own, of which dpkg knows nothing."""
    asked = "import platform; print(platform.python_version())"
    version = engine.run("run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", asked)
    purl, cpe = f"pkg:generic/python@{version}", f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"
    return {"type": "application", "name": "python", "version": version, "purl": purl, "cpe": cpe, "bom-ref": purl}
