"""A login at a service is vouched for anew every five minutes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from identity_world import World, client_service, settings_of
from servicekit.web.cookie import COOKIE
from sqlalchemy import text

from deploy.local.journey.browser import Browser as Visitor
from deploy.testing import until
from deploy.testing.browser import Browser


@asynccontextmanager
async def later(world: World, visitor: Visitor, minutes: float, **settings: str) -> AsyncIterator[Browser]:
    """The same browser at the same service, some minutes later."""
    own = settings_of("helpjourney", world.running.folder, world.min.dsn, world.ports, world.oidc)
    moved = own.model_copy(update={"clock_offset_seconds": minutes * 60, **settings})
    app = client_service("helpjourney", moved, world.running.folder)
    async with Browser(app) as browser:
        browser.cookies = {name: value for (host, name, _), value in visitor.cookies.items() if host == "min.localhost" and name == COOKIE}
        yield browser
    await app.state.engine.dispose()


async def refresh_tokens(world: World) -> int:
    async with world.identity.begin() as uow:
        return int(await uow.connection.scalar(text("select count(*) from refresh_tokens")))


async def test_a_young_token_is_not_renewed_an_old_one_is(world: World, browser: Visitor) -> None:
    await world.log_in(browser)
    async with later(world, browser, 4) as soon:
        assert (await soon.get("/meg")).status_code == 200
    assert await refresh_tokens(world) == 1
    async with later(world, browser, 6) as then:
        assert (await then.get("/meg")).status_code == 200
        assert (await then.get("/meg")).status_code == 200
    assert await refresh_tokens(world) == 2


async def test_two_requests_at_once_renew_once(world: World, browser: Visitor) -> None:
    """INVARIANT: a refresh token is good once, so a page with two requests must not look like a thief."""
    await world.log_in(browser)
    async with later(world, browser, 6) as then:
        answers = await asyncio.gather(*(then.request("GET", "/meg") for _ in range(4)))
        assert [answer.status_code for answer in answers] == [200] * 4
    assert await refresh_tokens(world) == 2
    assert await world.told() == []


async def test_a_login_that_identity_ended_can_not_go_on_even_if_nobody_told(world: World, browser: Visitor) -> None:
    """INVARIANT: with Kafka away an ended login lasts five minutes at most."""
    await world.log_in(browser)
    page = await browser.get(world.ports.identity_url + "/mine-innlogginger")
    await browser.submit(page.form(button="Avslutt alle"), button="Avslutt alle")
    async with later(world, browser, 6) as then:
        answer = await then.request("GET", "/meg")
        assert answer.headers["location"] == "/logg-inn?neste=/meg"
        assert COOKIE not in then.cookies


async def test_while_identity_is_away_a_login_goes_on_for_a_while_and_then_stops(world: World, browser: Visitor) -> None:
    """INVARIANT: we'd rather say that we're down than act for a login that nobody vouches for."""
    await world.log_in(browser)
    nobody = {"identity_internal_url": "http://127.0.0.1:9"}
    async with later(world, browser, 10, **nobody) as then:
        assert (await then.get("/meg")).status_code == 200
    async with later(world, browser, 16, **nobody) as at_last:
        answer = await at_last.get("/meg")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    async with later(world, browser, 17) as again:
        assert (await again.get("/meg")).status_code == 200


async def test_the_quick_exit_ends_the_login_at_identity_too(world: World, browser: Visitor) -> None:
    """INVARIANT: whoever comes to the machine after her finds nothing open."""
    await world.log_in(browser)
    async with later(world, browser, 0) as now:
        left = await now.post("/forlat", {})
        assert (left.status_code, COOKIE in now.cookies) == (303, False)
        await until(world.told)
    assert "/logg-inn?" in (await browser.get(world.ports.min_url + "/meg")).url
