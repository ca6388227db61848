"""A floor under load: per client and per browser, never per address, so that a school that shares one is never shut out."""

from collections.abc import Iterator

import pytest
from identity.domain.limits import MOST_ATTEMPTS, Allowance, Limits
from identity_world import DAUGHTER, RawClient, World

from deploy.local.journey.browser import Browser


@pytest.fixture
def limits(world: World) -> Iterator[Limits]:
    """What identity allows, put back afterwards."""
    found: Limits = world.running.apps["identity"].state.identity.limits
    before = {name: (getattr(found, name).burst, getattr(found, name).per_second) for name in ("logins", "tokens")}
    yield found
    for name, (burst, per_second) in before.items():
        allowance = getattr(found, name)
        allowance.burst, allowance.per_second = burst, per_second
        allowance._left.clear()


def shut(allowance: Allowance, burst: float) -> None:
    allowance.burst, allowance.per_second = burst, 0.01
    allowance._left.clear()


def test_an_allowance_is_used_up_and_comes_back() -> None:
    allowance = Allowance(burst=3, per_second=2)
    assert [allowance.take("a", 10.0) for _ in range(3)] == [0, 0, 0]
    assert allowance.take("a", 10.0) == pytest.approx(0.5)
    assert allowance.take("b", 10.0) == 0
    assert allowance.take("a", 10.6) == 0
    assert allowance.take("a", 10.6) > 0
    assert [allowance.take("a", 1000.0) for _ in range(4)][-1] > 0, "no more than the burst is ever saved up"


async def test_one_browser_begins_only_so_many_logins_and_is_told_what_else_there_is(world: World, browser: Browser) -> None:
    link = RawClient(world).request()
    for _ in range(MOST_ATTEMPTS):
        assert (await browser.get(link)).status == 200
    page = await browser.get(link)
    assert page.status == 429
    assert int(page.headers["retry-after"]) == 600
    assert "Du har begynt på innloggingen mange ganger" in page.text
    assert "116 111" in page.text
    assert world.ports.snakk_url + "/" in page.links


async def test_a_whole_school_behind_one_address_logs_in(world: World) -> None:
    """INVARIANT: what one browser did counts for no other, although all of these come from one address."""
    for _ in range(MOST_ATTEMPTS * 3):
        async with Browser() as pupil:
            assert (await pupil.get(RawClient(world).request())).status == 200


async def test_staff_who_begin_too_often_are_led_to_their_work(world: World, browser: Browser) -> None:
    for _ in range(MOST_ATTEMPTS):
        await browser.get(RawClient(world, scope="staff").request())
    page = await browser.get(RawClient(world, scope="staff").request())
    assert page.status == 429
    assert [link for link in page.links if link == world.ports.min_url + "/ansatt"]
    assert "Til arbeidssiden" in page.text
    assert "uten å logge inn" not in page.text


async def test_a_login_that_was_finished_does_not_count(world: World, browser: Browser) -> None:
    for _ in range(MOST_ATTEMPTS + 1):
        page = await browser.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
        page = await world.choose(browser, page, DAUGHTER, "substantial")
        assert (page.status, page.url) == (200, world.ports.min_url + "/meg")


async def test_a_client_that_begins_too_many_logins_stops_none_of_another(world: World, browser: Browser, limits: Limits) -> None:
    """INVARIANT: a flood through one service leaves the others open."""
    shut(limits.logins, 1)
    async with Browser() as first, Browser() as other:
        assert (await first.get(RawClient(world).request())).status == 200
        page = await browser.get(RawClient(world).request())
        assert page.status == 429
        assert int(page.headers["retry-after"]) > 0
        assert "Mange logger inn akkurat nå" in page.text
        assert any(link.startswith(world.ports.min_url + "/logg-inn/tilbake?error=temporarily_unavailable") for link in page.links)
        assert (await other.get(RawClient(world, "dialog", "staff").request())).status == 200


async def test_token_requests_of_a_client_are_limited_and_nothing_is_used_up(world: World, limits: Limits) -> None:
    """INVARIANT: who is told to wait has lost neither code nor login; who doesn't prove who it is uses up nobody's allowance."""
    client = RawClient(world)
    code = await client.code()
    shut(limits.tokens, 0.5)
    refused = await client.exchange(code)
    assert (refused.status_code, refused.json()) == (429, {"error": "temporarily_unavailable"})
    assert int(refused.headers["retry-after"]) > 0
    shut(limits.tokens, 1)
    for _ in range(3):
        assert (await client.exchange(code, assertion="forged")).status_code == 401
    assert (await client.exchange(code)).status_code == 200
