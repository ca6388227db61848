"""INVARIANT: what is wrong at the start is told in one line that names the setting; nothing starts half."""

import asyncio
import errno
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from contracts.catalogue import SERVICES
from servicekit import cli
from servicekit.migrations import config

from deploy.testing import service_database
from tests.flows.test_production_mode import SAFE
from tests.operations.conftest import PATIENCE
from tests.operations.scenes import OTHERS_GO
from tests.operations.stage import mounting
from tests.operations.tls import TlsServer

SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_USERNAME": "reporting"}
PROVIDERS = ("IDPORTEN", "ANSATTPORTEN")
OWN = {"identity": {f"{name}_ISSUER": "https://login.example.no" for name in PROVIDERS} | {f"{name}_CLIENT_ID": "us" for name in PROVIDERS}}
"""What only this service needs."""
WRONG = (
    ("serve", {"KEYS_DIR": "/nowhere"}, "KEYS_DIR"),
    ("relay", SASL, "KAFKA_PASSWORD"),
    ("consume", {"DATABASE_URL": None}, "DATABASE_URL"),
    ("run", {"PORT": "eighty"}, "PORT"),
    ("migrate", {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}, "DATABASE_URL"),
)
database = service_database("reporting")


def refused(ended, setting: str) -> None:
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert setting in ended.stderr
    assert not ended.stdout


def waits(process, setting: str, *words: str) -> None:
    """It says why, answers that it lives and isn't ready, opens no door, and ends when it is asked to."""
    process.until(lambda: process.said("not started yet"), "saying why")
    line = process.said("not started yet")[-1]
    assert line["setting"] == setting
    assert all(word in line["reason"] for word in words), line
    process.until(lambda: process.status("/livez")[0] == 200, "live")
    status, body = process.status("/readyz")
    assert status == 503
    assert "start" in body
    assert "\nstegvis_ready 0.0\n" in process.status("/metrics")[1]
    assert not process.serves()


@pytest.mark.parametrize(("service", "wrong"), list(zip(SERVICES, WRONG, strict=True)), ids=SERVICES)
async def test_every_process_of_every_service_waits_for_its_database_and_refuses_what_is_wrong(starter, service, wrong):
    own, (role, changed, setting) = OWN.get(service, {}), wrong
    waiting = [starter.start(service, each, **own) for each in ("serve", "relay", "consume")]
    refused(await asyncio.to_thread(starter.run, service, role, **own | changed), setting)
    await asyncio.gather(*(asyncio.to_thread(waits, each, "DATABASE_URL", "can't be used") for each in waiting))
    assert await asyncio.gather(*(asyncio.to_thread(each.end) for each in waiting)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"RELAY_SHARDS": "3"}, "RELAY_SHARDS"),
        ({"PORT": "eighty"}, "PORT"),
        ({"DATABASE_URL": "mysql://somebody@127.0.0.1/x"}, "DATABASE_URL"),
        ({"LOG_LEVEL": "CHATTY"}, "LOG_LEVEL"),
        ({"HELPJOURNEY_URL": "https://min.example.no/reise"}, "HELPJOURNEY_URL"),
        ({"TRUST_DIR": "/nowhere"}, "TRUST_DIR: /nowhere/reporting.json: No such file"),
        ({"KAFKA_CA_FILE": "/nowhere/ca.pem"}, "KAFKA_CA_FILE"),
    ],
)
def test_a_wrong_variable(starter, changed, setting):
    refused(starter.run("reporting", "run", **changed), setting)


@pytest.mark.parametrize(
    ("changed", "setting"),
    [({"DATABASE_URL": None}, "DATABASE_URL"), (SASL, "KAFKA_PASSWORD"), (SASL | {"KAFKA_USERNAME": None}, "KAFKA_USERNAME")],
)
def test_a_missing_secret(starter, changed, setting):
    refused(starter.run("reporting", "run", **changed), setting)


def test_a_secret_that_can_not_be_read(starter):
    """In a container most often because it is another account's."""
    (starter.folder / "secrets").mkdir()
    (starter.folder / "secrets" / "kafka_password").write_bytes(b"\xff\xfe")
    refused(starter.run("reporting", "run", SECRETS_DIR=str(starter.folder / "secrets")), "SECRETS_DIR: a file in")
    not_ours = PermissionError(errno.EACCES, "Permission denied", "/run/secrets/database_url")
    assert cli._why(not_ours) == f"/run/secrets/database_url: Permission denied (the process runs as account {os.getuid()})"


@pytest.mark.parametrize(("service", "key"), [("reporting", "sig.jwk"), ("helpjourney", "vault.key"), ("helpjourney", "enc.jwk")])
def test_a_missing_key(starter, service, key):
    starter.environment(service, {})
    (starter.folder / "keys" / service / key).unlink()
    refused(starter.run(service, "run"), "KEYS_DIR")


def test_a_folder_of_public_keys_that_was_not_filled(starter):
    """As an engine makes it where there is nothing to mount."""
    (starter.folder / "empty").mkdir()
    refused(starter.run("reporting", "serve", TRUST_DIR=str(starter.folder / "empty")), "TRUST_DIR")


def test_an_authority_that_is_none(starter):
    starter.environment("reporting", {})
    (starter.folder / "ca.pem").write_text("-----BEGIN NOTHING-----")
    refused(starter.run("reporting", "run", KAFKA_CA_FILE=str(starter.folder / "ca.pem")), "KAFKA_CA_FILE")


def test_a_key_that_is_none(starter):
    starter.environment("reporting", {})
    (starter.folder / "keys" / "reporting" / "sig.jwk").write_text('{"kty": "RSA", "n": "public"}')
    refused(starter.run("reporting", "run"), "private JWK")


async def test_an_old_schema_is_waited_for_and_the_process_starts_once_it_is_migrated(starter, templates):
    async with templates.copy("empty", _nothing) as dsn:
        made = config("reporting", dsn)
        script = ScriptDirectory.from_config(made)
        await asyncio.to_thread(command.upgrade, made, script.get_revision("head").down_revision)
        process = starter.start("reporting", "run", DATABASE_URL=dsn)
        await asyncio.to_thread(waits, process, "DATABASE_URL", script.get_current_head(), "python -m reporting migrate")
        assert (await asyncio.to_thread(starter.run, "reporting", "migrate", DATABASE_URL=dsn)).returncode == 0
        await asyncio.to_thread(process.until, lambda: process.status("/readyz")[0] == 200 and process.serves(), "ready")
        assert await asyncio.to_thread(process.end) == 0


async def _nothing(_dsn: str) -> None:
    """An empty database."""


async def test_a_newer_schema_is_no_obstacle(starter, database):
    """The release before goes on with a database that the next one has migrated."""
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("update alembic_version set version_num = '9999_of_the_next_release'")
    process = starter.start("reporting", "serve", DATABASE_URL=database.dsn)
    await asyncio.to_thread(process.until, process.serves, "serving")


@pytest.mark.parametrize("setting", ["PORT", "INTERNAL_PORT"])
def test_a_taken_port(starter, setting):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused(starter.run("reporting", "run", **{setting: str(other.getsockname()[1])}), f"{setting}: port")


async def test_a_port_that_another_process_kept_while_both_waited(starter, database):
    """One begins; the other ends with one line, and has told and read nothing."""
    async with moved_clock(database, 90):
        first = starter.start("reporting", "serve", DATABASE_URL=database.dsn)
        second = starter.start("reporting", "run", DATABASE_URL=database.dsn, PORT=str(first.port))
        for each in (first, second):
            await asyncio.to_thread(each.until, lambda each=each: each.said("not started yet"), "waiting")
    winner = await asyncio.to_thread(_the_one_that_stays, first, second)
    loser = second if winner is first else first
    assert loser.child.returncode == 2
    assert f"PORT: port {first.port} of 127.0.0.1 is taken" in loser.output.read_text()
    assert not loser.said("Kafka can't be reached")
    await asyncio.to_thread(winner.until, lambda: winner.status("/readyz")[0] == 200, "ready")
    assert "\nstegvis_ready 1.0\n" in winner.status("/metrics")[1]
    assert winner.end() == 0


def _the_one_that_stays(first, second):
    deadline = time.monotonic() + PATIENCE
    while first.child.poll() is None and second.child.poll() is None:
        assert time.monotonic() < deadline, "neither ended"
        time.sleep(0.1)
    return second if first.child.poll() is not None else first


@asynccontextmanager
async def moved_clock(database, seconds: float) -> AsyncIterator[None]:
    """The database's clock is so many seconds ahead of this machine's."""
    name = database.dsn.rpartition("/")[2]
    async with database.engine.begin() as connection:
        moved = f"$$ select pg_catalog.clock_timestamp() + interval '{seconds} s' $$"
        await connection.exec_driver_sql(f"create function public.clock_timestamp() returns timestamptz language sql as {moved}")
        await connection.exec_driver_sql(f'alter database "{name}" set search_path = public, pg_catalog')
    yield
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f'alter database "{name}" reset search_path')
    await connection.close()


@pytest.mark.parametrize("setting", ["DATA_DIR", "TRACES_FILE"])
def test_a_full_disk(starter, setting):
    disk = starter.folder / "disk"
    disk.mkdir()
    changed = {setting: str(disk / "spans.jsonl" if setting == "TRACES_FILE" else disk)}
    filled = f'mount -t tmpfs -o size=64k none {disk}; head -c 1M /dev/zero > {disk}/ballast 2>/dev/null; exec "$@"'
    allowed = mounting()
    if not allowed:
        pytest.skip("needs a small disk: mounting one is allowed neither to root nor in a user namespace here")
    words = [*allowed, "sh", "-c", filled, "-", sys.executable, "-m", "helpjourney", "run"]
    environment = starter.environment("helpjourney", changed)
    refused(
        subprocess.run(words, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False),
        f"{setting}: {disk}: No space",
    )


@pytest.mark.parametrize(("folder", "why"), [(None, "needed in production"), ("/dev/shm/stegvis-deletions", "lies on tmpfs")])
def test_a_ledger_of_deletions_that_goes_with_the_process(starter, folder, why):
    """INVARIANT: production deletes nothing that a restore of the database would bring back."""
    starter.environment("dialog", {})
    (starter.folder / "keys" / "dialog" / "GENERATED").unlink()
    secure = SAFE | {"KAFKA_USERNAME": "dialog", "KAFKA_PASSWORD": "x", "DELETIONS_DIR": folder}
    ended = starter.run("dialog", "serve", **secure)
    refused(ended, f"DELETIONS_DIR: {folder or ''}")
    assert why in ended.stderr


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        (SASL, "KAFKA_PASSWORD"),
        ({"DELETIONS_DIR": "/proc/nothing"}, "DELETIONS_DIR: nothing can be noted there"),
        ({}, "DATABASE_URL: the database can't be used"),
    ],
)
def test_what_mends_a_restore_is_not_begun_without_what_it_needs(starter, changed, setting):
    """INVARIANT: no database is called fit while the ledger of deletions can't be read."""
    refused(starter.run("dialog", "restored", **changed), setting)


@pytest.mark.parametrize(("seconds", "which"), [(-90, "ahead of"), (90, "behind")])
async def test_a_clock_that_is_off_the_databases(starter, database, seconds, which):
    async with moved_clock(database, seconds):
        process = starter.start("reporting", "run", DATABASE_URL=database.dsn)
        await asyncio.to_thread(waits, process, "DATABASE_URL", "clock", which)
    await asyncio.to_thread(process.until, lambda: process.status("/readyz")[0] == 200, "ready")


async def test_a_clock_that_drifts_later_is_seen_and_ends_nothing(starter, database):
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn)
    await asyncio.to_thread(process.until, lambda: process.status("/readyz")[0] == 200, "ready")
    assert _ahead(process) > -1
    async with moved_clock(database, 90):
        connection = await asyncpg.connect(database.dsn)
        await connection.execute(OTHERS_GO)
        await connection.close()
        await asyncio.to_thread(process.until, lambda: _ahead(process) < -60, "seeing it")
        assert process.status("/readyz")[0] == 200


def _ahead(process) -> float:
    return float(re.search(r"^stegvis_clock_ahead_seconds (\S+)$", process.status("/metrics")[1], re.MULTILINE)[1])


def test_a_database_that_is_away(starter):
    process = starter.start("reporting", "run")
    waits(process, "DATABASE_URL", "can't be used")
    assert process.end() == 0


async def test_a_database_that_refuses_the_password(starter, database, postgres):
    user = postgres.create_role_and_database("stranger")
    wrong = user.replace(user.split(":")[2].split("@")[0], "wrong-canary")
    process = starter.start("reporting", "run", DATABASE_URL=wrong)
    await asyncio.to_thread(waits, process, "DATABASE_URL", "refuses the user")
    assert "wrong-canary" not in process.output.read_text()


async def test_a_broker_that_refuses_the_password(starter, database, kafka):
    access = kafka.access("reporting").environment | {"KAFKA_PASSWORD": "wrong-canary"}
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn, **access)
    await asyncio.to_thread(waits, process, "KAFKA_PASSWORD", "refuses the user reporting")
    assert "wrong-canary" not in process.output.read_text()


async def test_a_broker_that_is_away_is_no_obstacle(starter, database):
    """What is told waits in the outbox meanwhile."""
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn)
    await asyncio.to_thread(process.until, lambda: process.status("/readyz")[0] == 200 and process.serves(), "ready")


async def test_a_broker_with_a_foreign_certificate(starter, database, tmp_path):
    server = TlsServer(tmp_path)
    server.start(days=5)
    changed = {"KAFKA_BOOTSTRAP_SERVERS": server.address, "KAFKA_SECURITY_PROTOCOL": "SSL"}
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn, **changed)
    await asyncio.to_thread(waits, process, "KAFKA_CA_FILE", server.address, "isn't trusted")
    server.stop()


async def test_a_broker_without_tls(starter, database, kafka):
    changed = kafka.access("reporting").environment | {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn, **changed)
    await asyncio.to_thread(waits, process, "KAFKA_SECURITY_PROTOCOL", "TLS")


async def test_a_process_that_serves_waits_for_the_one_that_mends_what_was_restored(starter, database, kafka):
    """It has no password for Kafka; the one that reads has, and sees to it for both."""
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("delete from lineages")
        await connection.exec_driver_sql("insert into lineages (lineage, noted_at) values ('of another life', now())")
    whole = kafka.access("reporting").environment
    serves = starter.start("reporting", "serve", DATABASE_URL=database.dsn, **{**whole, "KAFKA_PASSWORD": None})
    await asyncio.to_thread(
        serves.until, lambda: serves.said("waits for the process of this service that mends what was restored"), "waiting"
    )
    assert serves.status("/readyz")[0] == 503
    reads = starter.start("reporting", "consume", DATABASE_URL=database.dsn, **whole)
    for each in (reads, serves):
        await asyncio.to_thread(each.until, lambda each=each: each.status("/readyz")[0] == 200, "ready")
    assert reads.said("restored")
    assert not serves.said("restored")
