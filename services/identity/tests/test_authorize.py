"""The front channel: requests that are sent back, requests that go nowhere, answers that come to the wrong browser."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from identity_world import DAUGHTER, VERIFIER, RawClient, World, query_of, settings_of
from servicekit.keys import Trust
from servicekit.web.identity_client import IdentityClient, RefusedByIdentityError

from deploy.local.journey.browser import Browser


async def test_discovery_and_keys_are_what_a_client_library_expects(world: World, browser: Browser) -> None:
    url = world.ports.identity_url
    found = json.loads((await browser.get(f"{url}/.well-known/openid-configuration")).html)
    assert found["issuer"] == url
    assert found["code_challenge_methods_supported"] == ["S256"]
    keys = json.loads((await browser.get(found["jwks_uri"])).html)["keys"]
    assert [key["use"] for key in keys] == ["sig"]
    assert not {"d", "p", "q"} & keys[0].keys()


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "someone"}, {"redirect_uri": "http://evil.example/"}, {"redirect_uri": "http://min.localhost/logg-inn/tilbake"}],
)
async def test_a_browser_is_never_sent_to_an_unknown_address(world: World, browser: Browser, changed: dict[str, str]) -> None:
    """INVARIANT: identity is no open redirector."""
    page = await browser.get(RawClient(world).request(**changed))
    assert (page.status, page.redirects) == (400, ())
    assert not any("evil.example" in link.partition("?")[0] for link in page.links)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_known_client_gets_the_error_with_our_name_on_it(
    world: World, browser: Browser, changed: dict[str, str], error: str
) -> None:
    page = await browser.get(RawClient(world).request(**changed))
    assert query_of(page.url) == {"error": error, "state": "s" * 43, "iss": world.ports.identity_url}


async def test_a_parameter_that_comes_twice_is_refused(world: World, browser: Browser) -> None:
    page = await browser.get(RawClient(world).request() + "&scope=openid+staff")
    assert (page.status, page.redirects) == (400, ())


async def test_a_login_can_not_be_finished_in_another_browser(world: World) -> None:
    """INVARIANT: an attacker can't have a victim's browser log in as the attacker, at identity or at the service."""
    async with Browser() as attacker, Browser() as victim:
        page = await attacker.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
        form = page.form(button="Logg inn")
        await attacker.submit(form, {"other": DAUGHTER, "level": "substantial"}, button="Logg inn")
        assert attacker.page
        passed = [url for url in attacker.page.redirects if "/tilbake" in url]
        assert len(passed) == 2  # identity's return and the service's: both addresses are the attacker's to send
        for url in passed:
            page = await victim.get(url)
            assert page.status == 400
        assert (await victim.get(world.ports.min_url + "/meg")).url.startswith(world.ports.min_url + "/logg-inn?")


async def state_of_a_started_login(world: World, browser: Browser) -> str:
    """The service's own state, as it stands in the request to identity."""
    page = await browser.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
    return next(query_of(url)["state"] for url in page.redirects if url.startswith(f"{world.ports.identity_url}/authorize"))


@pytest.mark.parametrize("changed", [{"state": "x" * 43}, {"iss": "http://evil.example"}, {"iss": ""}])
async def test_the_service_takes_no_answer_to_a_question_it_did_not_ask(world: World, browser: Browser, changed: dict[str, str]) -> None:
    """INVARIANT: wrong state or issuer (mix-up) lets nobody in."""
    raw = RawClient(world)
    answer = {"code": await raw.code(), "state": await state_of_a_started_login(world, browser), "iss": world.ports.identity_url}
    page = await browser.get(f"{raw.redirect_uri}?{urlencode(answer | changed)}")
    assert page.status == 400
    assert "Begynn på nytt" in page.text


async def test_a_code_of_another_login_does_not_fit_the_services_verifier(world: World, browser: Browser) -> None:
    """INVARIANT: a stolen code can't be put into one's own login (code injection)."""
    raw = RawClient(world)
    answer = {"code": await raw.code(), "state": await state_of_a_started_login(world, browser), "iss": world.ports.identity_url}
    page = await browser.get(f"{raw.redirect_uri}?{urlencode(answer)}")
    assert page.status == 400
    assert (await browser.get(world.ports.min_url + "/meg")).url.startswith(world.ports.min_url + "/logg-inn?")


async def test_an_id_token_with_another_nonce_is_refused(world: World) -> None:
    """INVARIANT: a token that was made for another login is not taken, even with the right verifier."""
    raw = RawClient(world)
    settings = settings_of("helpjourney", world.running.folder, world.min.dsn, world.ports, world.oidc)
    client = IdentityClient("helpjourney", settings, raw.keys, Trust(settings.trust_dir))
    with pytest.raises(RefusedByIdentityError):
        await client.exchange(await raw.code(), VERIFIER, "m" * 43)
    assert (await client.exchange(await raw.code(), VERIFIER, "n" * 43)).claims["nonce"] == "n" * 43


class Halted(Browser):
    """Doesn't open identity's return address, so that the test can."""

    async def _once(self, method: str, url: str, *rest: Any) -> httpx.Response:
        if "/tilbake/idporten" in url:
            return httpx.Response(200, request=httpx.Request(method, url))
        return await super()._once(method, url, *rest)


@pytest.mark.parametrize(("name", "status"), [(None, 400), ("http://evil.example", 502), ("", 502)])
async def test_identity_takes_no_answer_with_another_issuers_name(world: World, name: str | None, status: int) -> None:
    """INVARIANT: the same at the upstream border (RFC 9207): a good code with another name on it lets nobody in."""
    async with Halted() as halted:
        page = await world.choose(halted, await halted.get(RawClient(world).request()), DAUGHTER, "substantial")
        answer = query_of(page.url)
    assert answer["iss"] == world.oidc.idporten
    async with Browser(cookies=halted.cookies) as browser:
        page = await browser.get(f"{page.url.partition('?')[0]}?{urlencode(answer | ({} if name is None else {'iss': name}))}")
    assert (page.status, await world.people()) == (status, 1 if name is None else 0)  # 400: the service didn't ask for this login


async def test_a_return_that_is_sent_again_lets_nobody_in_and_says_to_begin_anew(world: World) -> None:
    """On a bad line a browser may ask twice before it gets the first answer: the provider's code is spent by then."""
    async with Halted() as halted:
        page = await world.choose(halted, await halted.get(RawClient(world).request()), DAUGHTER, "substantial")
    statuses = []
    for _ in range(2):
        async with Browser(cookies=halted.cookies) as browser:
            last = await browser.get(page.url)
            statuses.append((last.status, "Innloggingen kan ikke brukes lenger" in last.html))
    assert statuses == [(400, False), (400, True)]  # the first: the service didn't ask for this login
    assert await world.people() == 1


async def test_an_answer_at_the_other_providers_address_is_refused(world: World) -> None:
    """INVARIANT: each provider has a return address of its own, so that one can't answer for another."""
    async with Halted() as halted:
        page = await world.choose(halted, await halted.get(RawClient(world).request()), DAUGHTER, "substantial")
    async with Browser(cookies=halted.cookies) as browser:
        page = await browser.get(page.url.replace("/tilbake/idporten", "/tilbake/ansattporten"))
    assert (page.status, await world.people()) == (400, 0)
    assert page.url.startswith(world.ports.identity_url)
