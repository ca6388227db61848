"""What no log, fact, table or metric may tell: a sentence is planted in every input and looked for everywhere."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from io import StringIO

import pytest
import structlog
from prometheus_client import generate_latest
from servicekit import logs
from sqlalchemy import text

from deploy.local.journey.browser import Browser
from deploy.testing import Database

HOME = "http://snakk.localhost:8080"
QUEUE = f"{HOME}/ansatt/sporsmal"
CANARY = "Kanarifugl Solveig 30108299939 tlf 99887766"
WORDS = ("Kanarifugl", "Solveig", "30108299939", "99887766")
Browse = Callable[..., Browser]
StaffBrowser = Callable[..., Awaitable[Browser]]


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything logged so far, by the configuration of a running service, with nothing held back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    logs.configure("dialog", "DEBUG")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    handler.setStream(written)
    yield written
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


async def everything(database: Database) -> list[str]:
    """Every row of every table, as text; bytes as hex."""
    async with database.engine.connect() as connection:
        tables = list(await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
        return [row for table in tables for row in await connection.scalars(text(f'select t::text from "{table}" t'))]


def traces_of(words: tuple[str, ...], texts: list[str]) -> list[str]:
    return [word for word in words for found in texts if word in found or word.encode().hex() in found]


async def test_a_planted_sentence_appears_nowhere_but_on_its_readers_pages(
    browse: Browse, staff_browser: StaffBrowser, database: Database, logged: StringIO
) -> None:
    """INVARIANT: what she and the panel write is read by each other only."""
    youth, staff = browse(), await staff_browser()
    page = await youth.get(f"{HOME}/spor")
    for name in ("text", "topic", "age", "publish", CANARY):
        await youth.post(f"{HOME}/spor", page.form("/spor").fields | {"text": CANARY, "topic": "bogus"} | {name: CANARY})
    warned = await youth.submit(page.form("/spor"), {"text": CANARY})
    asked = await youth.submit(warned.form("/spor"), {"seen": "yes"})
    assert (warned.status, asked.status) == (422, 200)
    await youth.submit(asked.form("/spor/sjekk"), {"code": CANARY})
    field = await youth.get(f"{HOME}/svar?code={CANARY}")
    await youth.submit(field.form("/svar"), {"code": CANARY})
    await youth.get(f"{HOME}/{CANARY}")
    queue = await staff.get(QUEUE)
    question = await staff.submit((await staff.get(queue.link("/ansatt/sporsmal/"))).form("/ta"))
    draft = await staff.submit(question.form("/svar"), {"answer": CANARY}, button="Be en kollega lese først")
    colleague = await staff_browser()
    noted = await colleague.get(draft.url)
    await colleague.submit(noted.form("/kommentar"), {"note": CANARY})
    last = await staff.get(draft.url)
    assert "Kanarifugl" in last.text
    await staff.submit(last.form("/svar"), {"answer": CANARY, "profession": "Lege"}, button="Send svaret")
    structlog.get_logger("test").debug("still listening")
    assert "still listening" in logged.getvalue()
    assert traces_of(WORDS, await everything(database)) == []
    assert traces_of(WORDS, [logged.getvalue()]) == []
    assert traces_of(WORDS, [generate_latest().decode()]) == []


async def test_a_request_that_fails_tells_no_more(browse: Browse, database: Database, logged: StringIO) -> None:
    """INVARIANT: an error names its place, not what was sent; the page has the crisis numbers."""
    youth = browse(raises=False)
    page = await youth.get(f"{HOME}/spor")
    async with database.begin() as uow:
        await uow.connection.execute(text("alter table questions add constraint never check (false) not valid"))
    failed = await youth.post(f"{HOME}/spor", page.form("/spor").fields | {"text": CANARY, "seen": "yes"})
    assert failed.status == 500
    assert "116 111" in failed.text
    output = logged.getvalue()
    assert "request failed" in output
    assert traces_of(WORDS, [output, failed.html, *(await everything(database))]) == []
