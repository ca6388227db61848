"""A login ends everywhere: at the service, at identity, at the provider; and by whoever may end it."""

import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from identity_world import CLINICIAN, DAUGHTER, PARENT, RawClient, World
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import text

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


@pytest.mark.parametrize("form_on", ["/ansatt", "/"])
async def test_staff_who_log_out_are_led_back_to_work_all_the_way(world: World, browser: Browser, form_on: str) -> None:
    """Also from a page that was open before staff had an address of their own for it."""
    await world.log_in_at_work(browser, CLINICIAN)
    page = await browser.submit((await browser.get(world.ports.min_url + form_on)).form("/logg-ut"))
    assert page.url == world.ports.min_url + "/ansatt/logg-ut"
    assert "Ansattporten" in page.text
    assert "ID-porten" not in page.text
    assert page.has_link("/ansatt/logg-inn")
    assert world.ports.min_url + "/" not in page.links
    page = await browser.get(page.link("/end_session"))
    assert page.url.startswith(world.ports.identity_url + "/logget-ut")
    assert any(url.startswith(world.oidc.ansattporten) for url in page.redirects)
    assert "Du er logget ut" in page.text
    assert page.has_link(world.ports.min_url + "/ansatt")
    assert world.ports.min_url + "/" not in page.links
    assert "Les og finn hjelp" not in page.text
    assert "/ansatt/logg-inn" in (await browser.get(world.ports.min_url + "/ansatt/meg")).url


async def test_a_logout_at_work_that_fails_is_told_in_words_for_staff(world: World, browser: Browser) -> None:
    await world.log_in_at_work(browser, CLINICIAN)
    page = await browser.post(world.ports.min_url + "/ansatt/logg-ut", {"csrf": "another page's", "key": "k" * 43})
    assert page.status == 403
    assert "Til arbeidssiden" in page.text
    assert "Spør eller chat anonymt" not in page.text
    assert page.has_link("/ansatt/logg-ut")


@pytest.mark.parametrize(("path", "front"), [("/logg-ut", "/"), ("/ansatt/logg-ut", "/ansatt")])
async def test_nobody_who_is_logged_in_is_told_that_she_is_out(world: World, browser: Browser, path: str, front: str) -> None:
    """INVARIANT: who opens the page, or tries again after a form that failed, is led to where she logs out."""
    await (world.log_in(browser) if front == "/" else world.log_in_at_work(browser, CLINICIAN))
    page = await browser.get(world.ports.min_url + path)
    assert page.url == world.ports.min_url + front
    page = await browser.submit(page.form("/logg-ut"))
    assert "Du er logget ut her" in page.text


async def test_staff_who_only_follow_a_link_are_asked_in_words_for_staff(world: World, browser: Browser) -> None:
    await world.log_in_at_work(browser, CLINICIAN)
    async with world.min.begin() as uow:
        sid = await uow.connection.scalar(text("select sid from browser_sessions where sid is not null"))
    page = await browser.get(f"{world.ports.identity_url}/end_session?client_id=helpjourney&logout_hint={sid}")
    assert "Ansattporten" in page.text
    assert "ID-porten" not in page.text
    assert page.has_link(world.ports.min_url + "/ansatt")
    page = await browser.submit(page.form("/end_session"))
    assert page.has_link(world.ports.min_url + "/ansatt")


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
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.ports.identity}", timeout=30) as client:
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
