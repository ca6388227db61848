"""Requests that no page of ours makes: unknown addresses, methods, bodies, cookies and parameters, at every service."""

from deploy.local.journey.people import Youth
from tests.privacy.walk import Walk
from tests.privacy.witness import Witness


async def knocks_everywhere(walk: Walk) -> None:
    """At each host, through the gateway and past it."""
    for past_gateway in (False, True):
        browser = walk.browser(past_gateway=past_gateway)
        for service, base in walk.urls.items():
            await _unknown_addresses(walk, browser, base)
            await _strange_bodies(walk, browser, base)
            await _strange_headers(walk, browser, base)
            await browser.raw("POST", base + "/forlat", {"sec-fetch-site": "same-origin"}, data={"x": walk.word(f"form to {service}")})
        await _identity(walk, browser)
        await browser.get(f"{walk.urls['reporting']}/api/journey?from={walk.word('wrong date')}&to={walk.word('wrong date')}")
        await browser.__aexit__(None, None, None)


async def _unknown_addresses(walk: Walk, browser: Witness, base: str) -> None:
    for path in (
        f"/{walk.word('unknown address')}?q={walk.word('query')}&x={walk.word('query')}",
        f"/ansatt/{walk.word('unknown address')}",
        f"/api/{walk.word('unknown address')}",
        f"/reise/{walk.word('unknown address')}/time",
        f"/ansatt/samtaler/{walk.word('unknown address')}",
        f"/static/{walk.word('unknown address')}",
        f"/logg-inn?neste=//{walk.word('query')}.example&fersk={walk.word('query')}",
        f"/logg-inn/start?niva={walk.word('query')}",
        f"/logg-inn/tilbake?error={walk.word('query')}&error_description={walk.word('query')}&state={walk.word('query')}",
    ):
        await browser.get(base + path)


async def _strange_bodies(walk: Walk, browser: Witness, base: str) -> None:
    word = walk.word("body that nobody asked for")
    for path in ("/", "/spor", "/inn", "/inn/kode", "/logg-ut", "/token"):
        await browser.raw("POST", base + path, data={"text": word, word: "x", "csrf": word, "key": word, "code": word, "secret": word})
        await browser.raw("POST", base + path, json={"text": word, "nested": [{word: word}]})
    await browser.raw("POST", base + "/spor", {"content-type": "application/x-www-form-urlencoded"}, content=f"text=%ff{word}&%00".encode())
    await browser.raw("POST", base + "/spor", {"content-type": f"text/{word}; boundary={word}"}, content=word.encode())
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", walk.word("method").upper()):
        await browser.raw(method, f"{base}/spor?x={walk.word('query')}", content=word.encode())


async def _strange_headers(walk: Walk, browser: Witness, base: str) -> None:
    cookie = walk.word("foreign cookie")
    names = ("__Host-stegvis", "__Host-spraak", "__Host-inn", "__Host-logg-inn", cookie)
    headers = {
        "cookie": "; ".join(f"{name}={cookie}" for name in names),
        "accept-language": f"{walk.word('Accept-Language')}, nb;q={walk.word('Accept-Language')}",
        "authorization": f"Bearer {walk.word('Authorization')}",
        "idempotency-key": walk.word("Idempotency-Key"),
        "origin": f"https://{walk.word('Origin')}.example",
        "range": walk.word("Range"),
        "if-none-match": walk.word("If-None-Match"),
        "last-event-id": walk.word("Last-Event-ID"),
        "x-http-method-override": walk.word("X-HTTP-Method-Override"),
    }
    for path in ("/", "/spor", "/inn"):
        await browser.raw("GET", base + path, headers)
        await browser.raw("POST", base + path, headers)


async def _identity(walk: Walk, browser: Witness) -> None:
    """Its doors as a provider, with parameters that aren't right."""
    base, word = walk.urls["identity"], walk.word("parameter of a login")
    back = f"{walk.urls['dialog']}/logg-inn/tilbake"
    for path in (
        f"/authorize?client_id={word}&redirect_uri=https://{word}.example&state={word}",
        f"/authorize?client_id=dialog&redirect_uri={back}&response_type={word}&state={word}&nonce={word}&scope={word}",
        f"/tilbake/idporten?code={word}&state={word}&iss={word}",
        f"/tilbake/{word}?error={word}&error_description={word}",
        f"/end_session?client_id={word}&logout_hint={word}&id_token_hint={word}&state={word}",
        f"/logget-ut?state={word}",
    ):
        await browser.raw("GET", base + path)
    for path in ("/token", "/revoke", "/bakkanal/idporten"):
        fields = ("grant_type", "code", "token", "refresh_token", "logout_token", "client_id", "client_assertion", "username", "password")
        await browser.raw("POST", base + path, data=dict.fromkeys(fields, word))


async def logs_out(walk: Walk, youth: Youth) -> None:
    """The end of her login, and the quick exit."""
    page = await youth.opens("helpjourney", "/")
    await youth.browser.submit(page.form("/logg-ut"))
    form = (await youth.opens("dialog", "/spor")).form("/forlat")
    browser = walk.browser()
    browser.cookies = youth.browser.cookies
    await browser.raw("POST", form.action, {"sec-fetch-site": "same-origin"}, data=form.fields)
    await browser.__aexit__(None, None, None)
