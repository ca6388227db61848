"""What is prepared for the containers can be read by the accounts in them, whoever prepared it."""

import os

import pytest
from contracts.catalogue import SERVICES

from deploy.containers.prepare import KAFKA_UID, POSTGRES_UID, SERVICE_UID, prepare
from deploy.images.base import PYTHON

READS_ALL = "import pathlib; print(sum(bool(file.read_bytes()) for file in pathlib.Path('/given').rglob('*') if file.is_file()))"


def given(state):
    """Account -> the folders that docker-compose.yml mounts for it."""
    ours = [state / kind / name for kind in ("secrets", "keys") for name in SERVICES]
    return {
        SERVICE_UID: [*ours, state / "secrets" / "setup", state / "trust", state / "gateway", state / "login"],
        POSTGRES_UID: [state / "secrets" / f"{name}-postgres" for name in SERVICES],
        KAFKA_UID: [state / "kafka"],
    }


@pytest.mark.parametrize("who", ["root", "somebody who may use the engine"])
def test_each_account_reads_all_that_it_is_given(engine, tmp_path, monkeypatch, who):
    """Not only root starts containers: a member of Docker's group can give no file to another account."""
    if who == "root" and os.geteuid():
        pytest.skip("only root can be root")
    tmp_path.chmod(0o755)
    before = os.umask(0o077)
    with monkeypatch.context() as patch:
        if who != "root":
            patch.setattr(os, "geteuid", lambda: 1234)
        prepare(tmp_path, 8150, 19150)
    os.umask(before)
    for uid, folders in given(tmp_path).items():
        mounts = [word for number, folder in enumerate(folders) for word in ("--volume", f"{folder}:/given/{number}:ro")]
        found = engine.run("run", "--rm", "--user", f"{uid}:{uid}", *mounts, PYTHON, "python3", "-c", READS_ALL)
        assert int(found) == sum(file.is_file() for folder in folders for file in folder.rglob("*")), (uid, found)
    assert (tmp_path / "authority").stat().st_mode & 0o077 == 0
    assert who == "root" or tmp_path.stat().st_mode & 0o077 == 0
