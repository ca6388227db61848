"""Where a program may run that refuses to be root: which account, and a place that this account can reach."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from deploy.local.processes import Account, StartError

SHELTER = Path("/var/tmp")  # noqa: S108 - everyone can reach it and it outlives a reboot; ownership is checked below

OWNER = ".owner"
"""Beside each far folder a file of this suffix says which link it belongs to."""


def account_for_servers() -> Account | None:
    """The account that database servers run as when we're root; None when we aren't."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names.get("nobody")
    if entry is None:
        raise StartError("PostgreSQL refuses to run as root, and no account 'postgres' or 'nobody' is here: run as an ordinary user")
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account can really enter the folder or run the file: asked of the kernel, not worked out from modes."""
    if account is None:
        return os.access(path, os.X_OK)
    probe = subprocess.run(
        ["/usr/bin/test", "-x", str(path)], user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False, timeout=10
    )
    return probe.returncode == 0


def _own_folder(name: str) -> Path:
    """A folder of ours in the shelter, refused when somebody else made it."""
    folder = SHELTER / name
    folder.mkdir(mode=0o711, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise StartError(f"{folder} isn't ours alone: remove it")
    return folder


def _short_hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def reachable_programs(bindir: Path, program: str, account: Account | None) -> Path:
    """`bindir` itself when the account can run the program there, else the bin folder of a copy of the whole installation.

    A virtual environment below a closed home folder (root's is 0700) can't be entered by the account that the server drops to.
    """
    if reachable(bindir / program, account):
        return bindir
    facts = (bindir / program).stat()
    copy = _own_folder("stegvis-programs") / _short_hash(bindir.resolve(), facts.st_size, facts.st_mtime_ns)
    if not copy.exists():
        half = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.rmtree(half, ignore_errors=True)
        package, installation = bindir.parents[1], bindir.parent
        shutil.copytree(installation, half / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where wheels keep shared libraries, found by a relative path
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.chmod(0o755)
        try:
            half.rename(copy)
        except OSError:  # another start was quicker: its copy is the same
            shutil.rmtree(half, ignore_errors=True)
    found = copy / bindir.parents[1].name / bindir.parent.name / bindir.name
    if not reachable(found / program, account):
        raise StartError(f"{found / program} can't be run by the account {account}: is {SHELTER} mounted noexec?")
    return found


def reachable_folder(wanted: Path, account: Account | None) -> Path:
    """`wanted`, owned by the account, or a folder that it can reach, linked from `wanted`.

    The link is what makes the far folder ours: without it (somebody removed the data) the far folder is emptied.
    What lay in `wanted` moves along.
    """
    if wanted.is_symlink() and wanted.exists() and reachable(wanted.resolve(), account):
        return wanted.resolve()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    folder = wanted if account is None or reachable(wanted.parent, account) else _far_folder(wanted)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def _far_folder(wanted: Path) -> Path:
    shelter = _own_folder("stegvis-clusters")
    _sweep(shelter)
    folder = shelter / _short_hash(wanted.absolute())
    shutil.rmtree(folder, ignore_errors=True)
    if wanted.is_dir():
        shutil.move(wanted, folder)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to(folder)
    folder.with_suffix(OWNER).write_text(str(wanted.absolute()))
    return folder


def _sweep(shelter: Path) -> None:
    """Removes far folders whose link is gone: somebody deleted the data folder that they belonged to."""
    for owner in shelter.glob(f"*{OWNER}"):
        folder, wanted = owner.with_suffix(""), Path(owner.read_text())
        if not (wanted.is_symlink() and wanted.readlink() == folder):
            shutil.rmtree(folder, ignore_errors=True)
            owner.unlink(missing_ok=True)


def remove_folder(wanted: Path) -> None:
    """Removes a folder made by reachable_folder, and what it links to."""
    if wanted.is_symlink():
        folder = wanted.readlink()
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(OWNER).unlink(missing_ok=True)
        wanted.unlink()
    else:
        shutil.rmtree(wanted, ignore_errors=True)
