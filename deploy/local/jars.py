"""The jars of Apache Kafka: pinned by version and SHA-256 in jars.lock, fetched once, checked at every start."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import StartError

LOCK = Path(__file__).with_name("jars.lock")
REPOSITORY = Path.home() / ".m2" / "repository"
"""The ordinary local Maven repository: other tools of this machine share the files."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the local repository keeps it."""
        return REPOSITORY.joinpath(*self.group.split("."), self.artifact, self.version, f"{self.artifact}-{self.version}.jar")

    def is_right(self) -> bool:
        """Whether the file is here and is the one that was locked."""
        return self.path.exists() and hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


def locked(lock: Path = LOCK) -> list[Jar]:
    """The lines of the lock: `group:artifact:version sha256`."""
    jars = []
    for line in lock.read_text().splitlines():
        coordinates, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def _fetch(jar: Jar) -> None:
    from jgo.maven import MavenContext  # heavy, and needed only where a jar is missing

    jar.path.unlink(missing_ok=True)  # half a download, or not what was locked
    try:
        MavenContext(repo_cache=REPOSITORY).project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except Exception as error:
        raise StartError(f"can't fetch {jar.group}:{jar.artifact}:{jar.version} from Maven Central: {error}") from error
    if not jar.is_right():
        raise StartError(f"{jar.path} isn't the file that {LOCK.name} names by its SHA-256: it was changed on its way here")


def class_path(lock: Path = LOCK) -> str:
    """Java's class path of all locked jars; StartError when one can't be had or isn't what was locked."""
    jars = locked(lock)
    with ThreadPoolExecutor(8) as pool:
        right = list(pool.map(Jar.is_right, jars))
        list(pool.map(_fetch, [jar for jar, there in zip(jars, right, strict=True) if not there]))
    return ":".join(str(jar.path) for jar in jars)
