"""What docker-compose.yml stores outlives its containers."""

import asyncio
import secrets

import asyncpg
import pytest

from deploy.containers.stack import Stack
from deploy.images.base import PYTHON
from deploy.images.build import build_part, image_of
from deploy.local.processes import free_ports

pytestmark = pytest.mark.timeout(600)
PART = "info-postgres"


@pytest.fixture
def stack(engine, tmp_path):
    """One database of docker-compose.yml, and nothing else of it."""
    assert engine.has(PYTHON)
    if not engine.has(image_of("postgres")):
        build_part(engine, "postgres")
    made = Stack(engine, tmp_path, f"stegvis-{secrets.token_hex(4)}", free_ports(1)[0], progress=print)
    made.prepare()
    yield made
    made.down()
    assert made.project not in engine.run("volume", "ls", "--quiet")


async def says(stack: Stack, statement: str) -> object:
    """The one value, as soon as the database answers."""
    for _ in range(120):
        try:
            connection = await asyncpg.connect(stack.dsn("info"), timeout=5)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.5)
        else:
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()
    raise AssertionError(f"{PART} doesn't answer")


async def test_down_loses_nothing_and_down_with_volumes_leaves_nothing(stack):
    """INVARIANT: an operator who takes it down, to start it anew or on other images, finds everything again."""
    await asyncio.to_thread(stack.up, PART)
    await says(stack, "create table kept (word text)")
    await says(stack, "insert into kept values ('still here')")
    before = stack.parts[PART].container
    await asyncio.to_thread(stack.down, stores=False)
    assert not stack.parts
    await asyncio.to_thread(stack.up, PART)
    assert stack.parts[PART].container != before
    assert await says(stack, "select word from kept") == "still here"
