"""The runbooks can be followed: every page has what it must have, every command in it is known, and those that mend something mend it."""

import asyncio
import importlib.util
import json
import re
import shlex
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from contracts.info import ArticleWithdrawn
from prometheus_client import REGISTRY
from servicekit import new_keys
from servicekit.cli import PARTS
from servicekit.delivery.inbox import apply
from servicekit.delivery.record import Record
from servicekit.parked import parse
from sqlalchemy import text

from deploy.observability.alerts import ALERTS
from deploy.testing import service_database, until
from tests.operations.books import FOLDER, Block, BookError, blocks, follow

OF_NO_ALERT = {"README.md", "restore.md"}
"""What a restore asks for is done by `make drill`."""
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name not in OF_NO_ALERT)
INTERNAL = {"/livez", "/readyz", "/metrics"}
TOOLS = {"grep", "date", "df", "du", "sort", "tail", "openssl", "curl"}
"""What every machine of an agency has."""
database = service_database("reporting")
info = service_database("info")


def test_there_is_a_page_for_each_alert_and_no_other():
    assert {page.name for page in PAGES} == {alert.runbook for alert in ALERTS}
    told = (FOLDER / "README.md").read_text()
    assert all(f"[{alert.name}]({alert.runbook})" in told for alert in ALERTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_symptom_for_whom_next_step_and_how_to_verify(page):
    told = page.read_text()
    for part in ("**Symptom.**", "**For whom.**", "## Next step", "## Verify"):
        assert part in told
    assert blocks(page.name)[-1].kind == "sh"
    assert 'query=ALERTS{alertname="' in told
    for linked in re.findall(r"\]\(([\w-]+\.md)\)", told):
        assert (FOLDER / linked).is_file()
    for module in re.findall(r"`python -m (deploy[\w.]*)", told):
        assert importlib.util.find_spec(module)


def metrics() -> set[str]:
    """Names of all that servicekit and the services measure."""
    importlib.import_module("servicekit.cli")
    for service in ("dialog", "helpjourney", "identity", "reporting"):
        importlib.import_module(f"{service}.main")
    return {name for metric in REGISTRY.collect() for name in (metric.name, f"{metric.name}_total")}


def known(command: list[str]) -> bool:
    """Whether a command of a page exists and takes these words."""
    match command:
        case ["python", "-m", "$SERVICE", "parked", *words]:
            return bool(parse("reporting", words).action)
        case ["python", "-m", "$SERVICE", "keys", *words]:
            return bool(new_keys.parse("reporting", words).folder)
        case ["python", "-m", "$SERVICE", verb]:
            return verb in PARTS
        case ["curl", *words]:
            [url] = [word for word in words if "://" in word or word.startswith(("$INTERNAL", "$PROMETHEUS", "$IDPORTEN_ISSUER"))]
            base, _, path = url.partition("/")
            return base != "$INTERNAL" or f"/{path}" in INTERNAL
        case ["grep", *words] if "stegvis" in words[-1]:
            asked = re.findall(r"stegvis_\w+", words[-1])
            return bool(asked) and all(any(name.startswith(prefix) for name in metrics()) for prefix in asked)
        case [tool, *_]:
            return tool in TOOLS
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_known(page):
    for block in blocks(page.name):
        for line in block.lines.splitlines():
            for command in re.split(r" \| (?=[a-z])", line):
                assert known(shlex.split(command)), command


@pytest.mark.parametrize("line", ["python -m $SERVICE praked list", "curl $INTERNAL/ready", "grep ^stegvis_outbx", "reboot"])
def test_an_unknown_command_is_noticed(line):
    assert not known(shlex.split(line))


def test_an_unknown_act_on_parked_keys_is_noticed():
    with pytest.raises(SystemExit):
        known(shlex.split("python -m $SERVICE parked lst"))


def environment(starter, database, **more: str) -> dict[str, str]:
    made = starter.environment(database.service, {"DATABASE_URL": database.dsn, **more})
    return made | {"PATH": f"{Path(sys.executable).parent}:{made['PATH']}", "SERVICE": database.service}


async def test_a_parked_key_is_listed_shown_tried_again_and_skipped_by_the_pages_commands(starter, database):
    key = str(uuid4())
    await apply(database.begin, "reporting", [Record.of(_unreadable(key))], {})
    here = environment(starter, database, KEY=key)
    look, retry, skip, verify = blocks("key-parked.md")
    listed, shown = (json.loads(line) for line in (await asyncio.to_thread(follow, look, here)).splitlines())
    assert (listed["key"], listed["events"]) == (key, 1)
    assert shown["reason"] == listed["reason"]
    assert json.loads(await asyncio.to_thread(follow, retry, here))["left"] == 1
    assert json.loads(await asyncio.to_thread(follow, skip, here))["left"] == 0
    again = Block(verify.lines.splitlines()[0], verify.kind)
    assert await asyncio.to_thread(follow, again, here) == ""
    with pytest.raises(BookError, match=r"reporting: "):
        await asyncio.to_thread(follow, retry, here)


def _unreadable(key: str):
    from aiokafka.structs import ConsumerRecord

    return ConsumerRecord("dialog.questions.v1", 0, 0, 0, 0, key.encode(), b"?", None, 0, 1, [("ce_type", b"?")])


async def test_a_relay_that_is_started_as_the_page_says_moves_what_waits(starter, info, kafka):
    article = uuid4()
    async with info.begin() as uow:
        uow.tell(ArticleWithdrawn(publication_id=article), key=article, sequence=1)
    here = environment(starter, info, **kafka.access("info").environment)
    [start] = [block for block in blocks("relay-idle.md") if block.kind == "sh start"]
    running = await asyncio.create_subprocess_exec("bash", "-c", f"exec {start.lines}", env=here, stdout=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: _is_empty(info), seconds=60)
    finally:
        running.terminate()
        assert await asyncio.wait_for(running.wait(), 20) == 0


def test_new_keys_are_made_beside_the_published_ones_by_the_pages_command(starter, tmp_path):
    here = starter.environment("reporting", {"SERVICE": "reporting"})
    here |= {"PATH": f"{Path(sys.executable).parent}:{here['PATH']}"}
    [make] = [block for block in blocks("key-expires.md") if block.kind == "sh run"]
    follow(make, here, tmp_path)
    published = [
        json.loads(file.read_text())["keys"]
        for file in (starter.folder / "trust" / "reporting.json", tmp_path / "new-keys" / "reporting.json")
    ]
    assert published[1][:2] == published[0]
    assert [key["use"] for key in published[1]] == ["sig", "enc"] * 2


async def _is_empty(database) -> bool:
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select count(*) from outbox")) == 0
