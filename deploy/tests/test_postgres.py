"""The PostgreSQL launcher: real clusters, killed runs, closed folders."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from deploy.local import unprivileged
from deploy.local.postgres import LocalPostgres, find_programs
from deploy.local.processes import StartError, born

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.fixture(scope="module")
def cluster():
    with LocalPostgres() as server:
        yield server


async def test_a_service_gets_a_role_and_a_database_that_no_other_service_can_open(cluster):
    """INVARIANT: an agency's role reads no other agency's database."""
    one, two = cluster.create_role_and_database("one"), cluster.create_role_and_database("two")
    connection = await asyncpg.connect(one)
    assert await connection.fetchval("select current_user || current_database()") == "oneone"
    await connection.execute("create extension pg_trgm; create table t (i int)")
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(one.rpartition("/")[0] + "/two")
    assert cluster.create_role_and_database("two") == two


async def test_a_wrong_password_is_refused(cluster):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=cluster.port, user="postgres", password="wrong", database="postgres")


def test_passwords_lie_in_files_that_only_their_owner_reads(cluster):
    """INVARIANT: generated passwords are readable by nobody else."""
    files = list((cluster.datadir / "passwords").iterdir())
    assert files
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


async def test_after_a_crash_what_was_committed_is_still_there(tmp_path):
    """INVARIANT: an acknowledged commit survives a killed server."""
    server = LocalPostgres(tmp_path / "pg").start()
    dsn = server.create_role_and_database("one")
    port = server.port
    connection = await asyncpg.connect(dsn)
    await connection.execute("create table t (i int); insert into t select 1 from generate_series(1, 1000)")
    server.crash()
    server.start()
    assert server.port == port
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select count(*) from t") == 1000
    await connection.close()
    server.stop(delete=True)
    assert not (tmp_path / "pg").exists()


async def test_a_previous_run_that_was_never_stopped_is_ended_and_its_data_kept(tmp_path):
    first = LocalPostgres(tmp_path / "pg").start()
    dsn = first.create_role_and_database("one")
    second = LocalPostgres(tmp_path / "pg").start()
    assert born(first.pid) is None
    connection = await asyncpg.connect(dsn.replace(f":{first.port}/", f":{second.port}/"))
    await connection.close()
    second.stop(delete=True)


def test_a_lock_file_that_names_somebody_elses_process_is_no_obstacle(tmp_path):
    server = LocalPostgres(tmp_path / "pg").start()
    server.halt()
    lock = server.datadir / "cluster" / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n")
    server.start()
    server.stop(delete=True)


def test_a_cluster_half_made_by_a_killed_start_is_made_anew(tmp_path):
    server = LocalPostgres(tmp_path / "pg")
    half = tmp_path / "pg" / "cluster" / "half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start().stop(delete=True)


def test_data_of_another_major_version_is_refused_in_a_line_that_says_what_to_do(tmp_path):
    data = tmp_path / "pg" / "cluster" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartError, match=r"made by PostgreSQL 9 .* remove that folder"):
        LocalPostgres(tmp_path / "pg").start()


@pytest.fixture
def open_folder():
    """A folder that everybody can enter; pytest closes its own."""
    with tempfile.TemporaryDirectory(prefix="stegvis-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@as_root
def test_programs_and_data_in_a_closed_home_folder_are_moved_to_where_the_server_can_reach_them(open_folder, monkeypatch):
    home, shelter = open_folder / "home", open_folder / "shelter"
    home.mkdir(mode=0o700)
    shelter.mkdir(mode=0o755)
    monkeypatch.setattr(unprivileged, "SHELTER", shelter)
    installed = find_programs().parent
    programs = home / installed.parent.name / installed.name / "bin"
    shutil.copytree(installed.parent, home / installed.parent.name, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    assert not unprivileged.reachable(programs / "postgres", unprivileged.account_for_servers())
    server = LocalPostgres(home / "data", programs=programs).start()
    assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(shelter)
    assert (home / "data" / "cluster").resolve().is_relative_to(shelter)
    server.create_role_and_database("one")
    server.halt()
    again = LocalPostgres(home / "data", programs=programs).start()
    again.stop(delete=True)
    assert home.stat().st_mode & 0o777 == 0o700
    assert not list((shelter / "stegvis-clusters").iterdir())


@as_root
def test_what_was_moved_away_is_removed_once_its_data_folder_is_gone(open_folder, monkeypatch):
    shelter, home = open_folder / "shelter", open_folder / "home"
    shelter.mkdir()
    home.mkdir(mode=0o700)
    monkeypatch.setattr(unprivileged, "SHELTER", shelter)
    account = unprivileged.account_for_servers()
    gone = unprivileged.reachable_folder(home / "gone" / "cluster", account)
    kept = unprivileged.reachable_folder(home / "kept" / "cluster", account)
    (kept / "data").mkdir()
    shutil.rmtree(home / "gone")
    unprivileged.reachable_folder(home / "new" / "cluster", account)
    assert (gone.exists(), (kept / "data").exists()) == (False, True)


@as_root
def test_a_shelter_made_by_somebody_else_is_refused(tmp_path, monkeypatch):
    """INVARIANT: programs are never run from a folder that others can write."""
    monkeypatch.setattr(unprivileged, "SHELTER", tmp_path)
    (tmp_path / "stegvis-programs").mkdir()
    (tmp_path / "stegvis-programs").chmod(0o777)
    closed = tmp_path / "closed" / "pginstall" / "bin"
    closed.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    shutil.copy("/bin/true", closed / "postgres")
    with pytest.raises(StartError, match="isn't ours alone"):
        unprivileged.reachable_programs(closed, "postgres", unprivileged.account_for_servers())


def test_the_server_dies_with_the_process_that_started_it(tmp_path):
    """INVARIANT: nothing is left running when the launcher is killed."""
    program = (
        "import sys, signal, pathlib; from deploy.local.postgres import LocalPostgres;"
        "s = LocalPostgres(pathlib.Path(sys.argv[1])).start(); print(s.pid, flush=True); signal.pause()"
    )
    launcher = subprocess.Popen([sys.executable, "-c", program, tmp_path / "pg"], stdout=subprocess.PIPE)
    server = int(launcher.stdout.readline())
    began = born(server)
    assert began is not None
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    deadline = time.monotonic() + 20
    while born(server) == began and time.monotonic() < deadline:
        os.sched_yield()
    assert born(server) != began
    LocalPostgres(tmp_path / "pg").start().stop(delete=True)


async def test_a_cluster_copied_from_a_pattern_has_a_password_of_its_own(tmp_path):
    """INVARIANT: no two agencies' clusters share a superuser's password."""
    pattern = LocalPostgres(tmp_path / "pattern")
    with LocalPostgres(tmp_path / "copy", pattern=pattern.prepare()) as copy:
        copy.create_role_and_database("one")
        theirs = (pattern.datadir / "passwords" / "postgres").read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host="127.0.0.1", port=copy.port, user="postgres", password=theirs, database="postgres")
        copy.stop(delete=True)
    pattern.stop(delete=True)
