"""A service that joins, in the compose files: what stands there of another one stands there of it too."""

import re
from pathlib import Path

from deploy.local.environment import HOSTS

FILES = ("docker-compose.yml", "deploy/containers/stand-ins.yml", "deploy/containers/replicas.yml")


def compose(name: str, model: str, root: Path) -> None:
    """Its parts, networks and store, each behind the model's, as the model has them."""
    for file in FILES:
        place = root / file
        place.write_text("\n\n".join(_beside(part, model, name) for part in place.read_text().split("\n\n")))


def _beside(part: str, model: str, name: str) -> str:
    """A paragraph of YAML with the new service beside the model."""
    if re.match(rf"(x-|  ){model}\b", part):  # all of it is the model's
        return f"{part}\n\n{_renamed(part, model, name)}"
    lines = []
    for line in part.split("\n"):
        lines.append(re.sub(rf"(\[.*\b){model}\b", rf"\1{model}, {name}", line) if "networks: [" in line else line)
        if re.match(rf"\s+({model}|{model.upper()}_URL)\b", line):
            lines.append(_renamed(line, model, name))
    return "\n".join(lines)


def _renamed(text: str, model: str, name: str) -> str:
    host = HOSTS[model].partition(".")[0]
    return text.replace(model, name).replace(model.upper(), name.upper()).replace(f"//{host}.localhost", f"//{name}.localhost")
