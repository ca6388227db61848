"""`python -m deploy.releases.scaffold NAME [--agency ...] [--zone ...]`: the files with which an agency joins.

A service that builds, is tested and stands in the catalogue. It changes nothing of the others' but what names every service: who may
import whom (.importlinter), who approves (CODEOWNERS), and what runs on containers (docker-compose.yml and what lies beside it).
"""

import importlib.util
import keyword
import re
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

from deploy.commands import Command
from deploy.releases.composed import compose
from deploy.releases.record import ROOT, version_of

TEMPLATES = Path(__file__).with_name("new_service")
ZONES = ("open", "anonymous", "known")
MODEL = "reporting"
"""The service whose lines in .importlinter and the compose files show where a service is named."""


class NameTakenError(ValueError):
    """The name can't be a service's, or an agency's. The message says why."""


def check_name(name: str, root: Path = ROOT) -> None:
    """Raises NameTakenError."""
    if not re.fullmatch(r"[a-z][a-z0-9]{2,29}", name):
        raise NameTakenError(f"{name!r} is no name for a service; write NAME=lommebok, say: 3 to 30 of a-z and 0-9, a letter first")
    if any((root / group / name).exists() for group in ("services", "libs")) or (root / name).exists():
        raise NameTakenError(f"{name} is taken")
    if keyword.iskeyword(name):
        raise NameTakenError(f"{name} is a word of Python's own")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name):
        raise NameTakenError(f"{name} is a module of Python or of a library that is used here")


def check_agency(agency: str) -> None:
    """It stands in Python, TOML, a Dockerfile and on pages. Raises NameTakenError."""
    if not re.fullmatch(r"[^\W_](?:[^\W_]|[ .,&/()'’–-]){1,79}", agency):
        raise NameTakenError(f"{agency!r} is no name for an agency; write AGENCY='Oslo kommune', say: letters, digits, spaces and .,&/()'-")


def write(name: str, agency: str, zone: str, root: Path = ROOT) -> list[Path]:
    """Writes the files; returns them."""
    version = version_of("contracts", root)
    words = {
        "@name@": name,
        "@Title@": name.capitalize(),
        "@agency@": agency,
        "@zone@": zone,
        "@ZONE@": zone.upper(),
        "@contracts@": version,
        "@servicekit@": _range(version_of("servicekit", root)),
        "@webkit@": _range(version_of("webkit", root)),
        "@since@": version.partition(".dev")[0],
    }
    contracts = root / "libs" / "contracts"
    places = {
        TEMPLATES / "service": root / "services" / name,
        TEMPLATES / "kubernetes" / "base": root / "deploy" / "k8s" / "base" / name,
        TEMPLATES / "kubernetes" / "overlays": root / "deploy" / "k8s" / "overlays" / name,
        TEMPLATES / "contracts" / "example": contracts / "examples" / f"{name}.thanks.given.v1",
    }
    written = [_fill(file, target / file.relative_to(source), words) for source, target in places.items() for file in _files(source)]
    joined = contracts / "src" / "contracts" / "joined" / f"{name}.py"
    return [*written, _fill(TEMPLATES / "contracts" / "joined.py.in", joined, words)]


def _range(version: str) -> str:
    """Of a library for code, which promises nothing across minor versions (docs/adr/0011)."""
    parts = Version(version)
    return f">={version},<{parts.major}.{parts.minor + 1}"


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*.in"))


def _fill(template: Path, target: Path, words: dict[str, str]) -> Path:
    path = Path(_filled(str(target), words).removesuffix(".in"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_filled(template.read_text(), words))
    return path


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def introduce(name: str, root: Path = ROOT) -> None:
    """Puts the service under the import rules, beside the others, and names who approves its changes."""
    rules = root / ".importlinter"
    rooms = {file.stem for file in (root / "services" / name / "src" / name).glob("*.py")}
    lines = []
    for line in rules.read_text().splitlines():
        lines.append(line)
        if found := re.fullmatch(rf"    {MODEL}(?:\.(\w+))?", line):
            room = "handlers" if found[1] == "projections" else found[1]
            if room is None or room in rooms:
                lines.append(f"    {name}" + (f".{room}" if room else ""))
    rules.write_text("\n".join(lines) + "\n")
    with (root / "CODEOWNERS").open("a") as owners:
        for place in ("services/", "deploy/k8s/base/", "deploy/k8s/overlays/"):
            owners.write(f"{f'/{place}{name}/':<45} @stegvis/{name}\n")
        owners.write(f"/libs/contracts/src/contracts/joined/{name}.py @stegvis/{name}\n")


def main() -> int:
    """Writes, formats, locks, and writes the schemas and the catalogue."""
    parser = Command(prog="new-service", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--agency", default="an agency that joins")
    parser.add_argument("--zone", choices=ZONES, default="open")
    options = parser.parse_args()
    try:
        check_name(options.name)
        check_agency(options.agency)
    except NameTakenError as error:
        print(f"new-service: {error}", file=sys.stderr)
        return 1
    written = write(options.name, options.agency, options.zone)
    introduce(options.name)
    compose(options.name, MODEL, ROOT)
    python = [str(file) for file in written if file.suffix == ".py"]
    for arguments in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([str(Path(sys.executable).parent / "ruff"), *arguments, *python], cwd=ROOT, check=True)
    print(f"new-service: {len(written)} files; next `make test ONLY={options.name}`, then read services/{options.name}/README.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
