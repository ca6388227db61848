"""A login ends everywhere: at the service, at identity, at the provider; and by whoever may end it."""

import time
from typing import Any
from uuid import uuid4

import httpx
from identity_world import DAUGHTER, PARENT, RawClient, World
from joserfc import jwt
from joserfc.jwk import RSAKey

from deploy.local.journey.browser import Browser


async def log_out(world: World, browser: Browser) -> str:
    """As she does it: the button on the service's page, then the link that the page follows by itself."""
    page = await browser.get(world.ports.min_url + "/")
    page = await browser.submit(page.form("/logg-ut"))
    assert page.url == world.ports.min_url + "/logg-ut"
    everywhere = page.link("/end_session")
    assert page.headers["refresh"] == f"0; url={everywhere}"
    return everywhere


async def test_logout_ends_the_login_everywhere(world: World, browser: Browser) -> None:
    """INVARIANT: after logout nobody can go on in this browser: not at the service, not at identity, not at the provider."""
    page = await world.log_in(browser)
    sid = page.text.split()[3]
    everywhere = await log_out(world, browser)
    assert await world.told() == [("identity.sessions-helpjourney.v1", {"session_id": sid})]
    page = await browser.get(everywhere)
    assert page.url.startswith(world.ports.identity_url + "/logget-ut")
    assert any(url.startswith(world.oidc.idporten) for url in page.redirects)
    assert "Du er logget ut" in page.text
    assert world.ports.min_url + "/" in page.links
    assert (await browser.get(world.ports.min_url + "/meg")).url.startswith(world.ports.min_url + "/logg-inn?")
    page = await browser.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
    assert page.url.startswith(world.oidc.idporten)


async def test_the_fact_ends_the_session_at_its_reader_only(world: World) -> None:
    """INVARIANT: each service hears of its own logins, on its own topic."""
    async with Browser() as at_min, Browser() as at_snakk:
        await world.log_in_at_work(at_min, "clinician-1")
        await world.log_in_at_work(at_snakk, "helper-1", world.ports.snakk_url)
        page = await at_min.get(world.ports.identity_url + "/mine-innlogginger")
        await at_min.submit(page.form(button="Avslutt alle"), button="Avslutt alle")
        assert [topic for topic, _ in await world.told()] == ["identity.sessions-helpjourney.v1"]
        assert "300000107" in (await at_min.get(world.ports.min_url + "/ansatt/meg")).text
        await world.deliver(world.min)
        await world.deliver(world.snakk)
        assert "/ansatt/logg-inn" in (await at_min.get(world.ports.min_url + "/ansatt/meg")).url
        assert "300000026" in (await at_snakk.get(world.ports.snakk_url + "/ansatt/meg")).text


async def test_a_link_alone_logs_nobody_out(world: World, browser: Browser) -> None:
    """INVARIANT: no state-changing GET: a login that still holds is ended by a yes on identity's own page."""
    sid = (await world.log_in(browser)).text.split()[3]
    link = f"{world.ports.identity_url}/end_session?client_id=helpjourney&logout_hint={sid}"
    page = await browser.get(link)
    assert "Vil du logge ut?" in page.text
    assert await world.told() == []
    assert (await browser.get(world.ports.min_url + "/meg")).status == 200
    page = await browser.get(link)
    page = await browser.submit(page.form("/end_session"))
    assert page.url.startswith(world.ports.identity_url + "/logget-ut")
    assert len(await world.told()) == 1


async def test_a_strangers_link_ends_nothing(world: World, browser: Browser) -> None:
    await world.log_in(browser)
    for query in ("", "?client_id=helpjourney", f"?client_id=helpjourney&logout_hint={uuid4()}", "?client_id=x&logout_hint=y"):
        page = await browser.get(world.ports.identity_url + "/end_session" + query)
        assert "Her er det ingenting å logge ut av" in page.text
    assert await world.told() == []
    assert (await browser.get(world.ports.min_url + "/meg")).status == 200


async def test_she_sees_her_logins_and_ends_one_in_another_browser(world: World, browser: Browser) -> None:
    async with Browser() as library:
        forgotten = (await world.log_in(library)).text.split()[3]
        await world.log_in(browser)
        page = await browser.get(world.ports.identity_url + "/mine-innlogginger")
        forms = [form for form in page.forms if form.has_button("Avslutt denne")]
        assert len(forms) == 2
        assert page.text.count("Denne nettleseren") == 1
        await browser.submit(forms[1], button="Avslutt denne")
        assert await world.told() == [("identity.sessions-helpjourney.v1", {"session_id": forgotten})]
        await world.deliver(world.min)
        assert "/logg-inn?" in (await library.get(world.ports.min_url + "/meg")).url
        assert (await browser.get(world.ports.min_url + "/meg")).url.endswith("/meg")
        page = await library.get(world.ports.identity_url + "/mine-innlogginger")
        assert "Du er ikke logget inn i denne nettleseren" in page.text


async def test_another_persons_login_is_not_hers_to_end(world: World) -> None:
    """INVARIANT: a guessed or seen id ends nothing of anyone else's."""
    async with Browser() as mother, Browser() as daughter:
        await world.log_in(daughter, DAUGHTER)
        page = await daughter.get(world.ports.identity_url + "/mine-innlogginger")
        hers = page.form(button="Avslutt denne").fields["login"]
        await world.log_in(mother, PARENT)
        page = await mother.get(world.ports.identity_url + "/mine-innlogginger")
        form = page.form(button="Avslutt denne")
        await mother.submit(form, {"login": hers}, button="Avslutt denne")
        assert await world.told() == []


async def test_a_session_that_ends_at_the_provider_ends_here(world: World, browser: Browser) -> None:
    """INVARIANT: back-channel logout: who logs out of another service of ID-porten's is logged out of ours."""
    sid = (await world.log_in(browser)).text.split()[3]
    await browser.get(f"{world.oidc.idporten}/session/end?client_id=stegvis-identity")
    assert await world.told() == [("identity.sessions-helpjourney.v1", {"session_id": sid})]


async def test_a_forged_logout_token_ends_nothing(world: World, browser: Browser) -> None:
    """INVARIANT: only the provider's signature ends sessions."""
    await world.log_in(browser)
    key = RSAKey.generate_key(2048, {"kid": "forged"})
    event: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims: dict[str, Any] = {"iss": world.oidc.idporten, "aud": "stegvis-identity", "iat": int(time.time()), "jti": "1", "sid": "x"}
    forged = jwt.encode({"alg": "RS256", "kid": "forged", "typ": "logout+jwt"}, claims | {"events": event}, key)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.ports.identity}") as client:
        for token in (forged, "", "x.y.z"):
            answer = await client.post("/bakkanal/idporten", data={"logout_token": token})
            assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
        assert (await client.post("/bakkanal/unknown", data={"logout_token": forged})).status_code == 400
    assert await world.told() == []


async def test_the_end_is_told_once_however_many_ask(world: World) -> None:
    """INVARIANT: nothing is doubled, and the sequence of a session's facts is 1."""
    client = RawClient(world)
    token = (await client.exchange(await client.code())).json()["refresh_token"]
    for _ in range(3):
        await client.post("/revoke", {"token": token})
    assert len(await world.told()) == 1
