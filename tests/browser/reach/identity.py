"""Logins: on their way, refused, over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg
from servicekit.web.cookie import COOKIE

from deploy.local.environment import HOSTS
from deploy.local.journey.browser import Browser as Walker
from deploy.local.oidc.persons import born_at, synthetic_number
from tests.browser.scene import Scene
from tests.browser.visits import LoginVisit, Reach, Visit, by_link

ALWAYS_SUBSTANTIAL = "uheldig-hakkespett"
WITHOUT_NUMBER = "langveisfarende-terne"
TWELVE = "rask-bever"
GUARDIAN = "omtenksom-grevling"
"""People of the test login."""
TOO_YOUNG = synthetic_number(born_at(8, 14))
"""Not on its list."""
HIGH = "/logg-inn/start?niva=idporten-loa-high"


def refused(person: str, level: str = "substantial", path: str = "/logg-inn/start") -> Reach:
    """Identity turns this person away."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        yield LoginVisit(scene.urls["helpjourney"] + path, person=person, level=level)

    return reach


@asynccontextmanager
async def aborted(scene: Scene) -> AsyncIterator[Visit]:
    """She pressed the provider's way out; its answer is opened in the browser that was sent there."""
    async with Walker() as walker:
        page = await walker.get(scene.urls["helpjourney"] + "/logg-inn/start")
        before = dict(walker.cookies)
        page = await walker.submit(page.form(field="level"), button="Avbryt")
        yield Visit(page.url, before)


@asynccontextmanager
async def my_logins(scene: Scene) -> AsyncIterator[Visit]:
    """Logged in at one service."""
    async with scene.known_youth() as youth:
        yield by_link(youth.browser, scene.urls["identity"] + "/mine-innlogginger")


@asynccontextmanager
async def really_out(scene: Scene) -> AsyncIterator[Visit]:
    """A link asks for a logout that the service hasn't begun."""
    async with scene.known_youth() as youth:
        database = await asyncpg.connect(scene.platform.dsn("helpjourney"))
        try:
            name = sha256(youth.browser.cookies[HOSTS["helpjourney"], COOKIE, "/"].encode()).digest()  # others log in beside
            sid = await database.fetchval("select sid from browser_sessions where id_hash = $1", name)
        finally:
            await database.close()
        yield by_link(youth.browser, f"{scene.urls['identity']}/end_session?client_id=helpjourney&logout_hint={sid}")
