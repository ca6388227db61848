"""Her session is over when she presses "send": what she wrote waits for her, and for nobody else."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from helpjourney.handlers.retention import delete_overdue
from helpjourney_givens import count, youth_login
from sqlalchemy import text
from test_appointment_pages import NOTE, Walk

from deploy.testing import Database
from deploy.testing.browser import Browser

Browsers = Callable[[], Browser]
COOKIE = "__Host-kladd"


@pytest.fixture
async def walk(database: Database, browsers: Browsers) -> Walk:
    return await Walk(database, browsers(), browsers(), uuid4()).enter(with_summary=False)


async def sends_too_late(walk: Walk) -> None:
    """She fills the form in, is logged out meanwhile, and presses "send"."""
    path = f"/reise/{walk.journey}"
    await walk.youth.submit(await walk.youth.get(f"{path}/time"), f"{path}/sted", {"municipality": "0301"})
    page = await walk.youth.get(f"{path}/time")
    async with walk.database.engine.begin() as connection:
        await connection.execute(text("delete from browser_sessions where organisation is null"))
    sent = {"unit": str(walk.unit), "suits": ["mon", "soon"], "note": NOTE, "reminds": "overview", "contact": "message"}
    answer = await walk.youth.submit(page, f"{path}/time", sent)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{path}/kladd"
    kept = await walk.youth.get(f"{path}/kladd")
    assert "er tatt vare på" in kept.text
    assert f"/logg-inn?neste={path}/time" in kept.text
    assert NOTE not in kept.text


async def subject_of(walk: Walk):  # type: ignore[no-untyped-def]
    async with walk.database.engine.connect() as connection:
        return await connection.scalar(text("select subject from journeys"))


async def comes_back(walk: Walk, browser: Browser, *, as_herself: bool = True) -> None:
    await browser.log_in(youth_login(15, subject=await subject_of(walk) if as_herself else uuid4()))
    await browser.submit(await browser.get("/er-det-deg"), "/er-det-deg")


async def test_she_finds_what_she_wrote_after_the_next_login(walk: Walk) -> None:
    await sends_too_late(walk)
    assert await count(walk.database, "appointments") == 0
    await comes_back(walk, walk.youth)
    overview = await walk.youth.get("/")
    assert "Du var i gang med et ønske" in overview.text
    path = f"/reise/{walk.journey}/time"
    page = await walk.youth.get(path)
    assert NOTE in page.text
    for value in (str(walk.unit), "mon", "soon", "overview", "message"):
        assert re.search(rf'value="{value}"[^>]* checked', page.text), value
    answer = await walk.youth.submit(page, path, {"unit": str(walk.unit), "note": NOTE})
    assert answer.headers["location"].startswith("/time/")
    assert COOKIE not in walk.youth.cookies
    assert await count(walk.database, "drafts") == 0
    assert "Du var i gang" not in (await walk.youth.get("/")).text


async def test_nobody_else_at_the_same_machine_sees_it(walk: Walk) -> None:
    """INVARIANT: the browser's key opens nothing without a login that owns the journey."""
    await sends_too_late(walk)
    await comes_back(walk, walk.youth, as_herself=False)
    assert (await walk.youth.get(f"/reise/{walk.journey}/time")).status_code == 404
    assert "Du var i gang" not in (await walk.youth.get("/")).text


async def test_her_login_on_another_machine_has_no_key(walk: Walk, browsers: Browsers) -> None:
    await sends_too_late(walk)
    other = browsers()
    await comes_back(walk, other)
    assert NOTE not in (await other.get(f"/reise/{walk.journey}/time")).text


async def test_the_database_alone_reads_nothing_and_forgets_after_two_hours(walk: Walk) -> None:
    """INVARIANT: neither text nor journey nor person stands in the row."""
    await sends_too_late(walk)
    async with walk.database.engine.connect() as connection:
        row = (await connection.execute(text("select * from drafts"))).one()
    assert NOTE.encode() not in row.sealed
    assert {len(row.id_hash), len(row)} == {32, 3}
    async with walk.database.begin_at(timedelta(hours=2, minutes=1))() as uow:
        await delete_overdue(uow)
    assert await count(walk.database, "drafts") == 0


@pytest.mark.parametrize("key", ["", "x", "x" * 43, "!" * 43])
async def test_a_key_that_is_none_opens_nothing(walk: Walk, key: str) -> None:
    walk.youth.cookies[COOKIE] = key
    assert (await walk.youth.get(f"/reise/{walk.journey}/time")).status_code == 200
