"""Which range of contracts each service is built for, and whether that range is true."""

import re
import tomllib
from collections.abc import Iterator

from contracts.catalogue import SERVICES
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from deploy.releases.changes import Contracts, contracts_of
from deploy.releases.compatibility import leaves, resolved
from deploy.releases.reads import reads_of
from deploy.releases.record import project, releases, version_of


def pin_of(service: str) -> SpecifierSet | None:
    """The range of contracts in a service's pyproject.toml; None where it names none."""
    dependencies = tomllib.loads((project(service) / "pyproject.toml").read_text())["project"]["dependencies"]
    found = [Requirement(text) for text in dependencies if re.match(r"contracts\b", text)]
    return found[0].specifier if found and found[0].specifier else None


def wrong_pins(here: Contracts) -> Iterator[tuple[str, str]]:
    """Services whose range leaves out the contracts here, or takes in a release that lacks what they need; with the reason."""
    version = version_of("contracts")
    for service in SERVICES:
        pin = pin_of(service)
        if pin is None:
            yield service, f'pins no range of contracts: "contracts>={version},<1"'
        elif not pin.contains(version, prereleases=True):
            yield service, f'pins contracts{pin}, which leaves out {version}, the one here: "contracts>={version},<1"'
        else:
            for release in releases():
                if release.name == "contracts" and pin.contains(release.version):
                    yield from (
                        (service, f'pins contracts{pin}, but {release} lacks {what}: "contracts>={version},<1"')
                        for what in needs(service, here, _old(release.version))
                    )


def _old(version: str) -> Contracts:
    return contracts_of(next(release for release in releases() if (release.name, release.version) == ("contracts", version)))


def needs(service: str, here: Contracts, there: Contracts) -> Iterator[str]:
    """What a service writes or reads by the contracts here that other contracts don't have."""
    for type_, event in here.events.items():
        if type_.startswith(f"{service}."):
            if type_ not in there.events:
                yield f"{type_}, which it writes"
            else:
                yield from (f"`{path}` of {type_}, which it writes" for path in _paths(event) if path not in _paths(there.events[type_]))
    for type_, paths in reads_of(service).items():
        if type_ not in there.events:
            yield f"{type_}, which it reads"
        else:
            yield from (f"`{path}` of {type_}, which it reads" for path in sorted(paths) if path not in {*_paths(there.events[type_]), "*"})


def _paths(event: dict[str, dict[str, object]]) -> set[str]:
    return {path for path, _ in leaves(resolved(event["schema"]))}
