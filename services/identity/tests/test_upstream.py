"""What identity makes of a provider that is away, or isn't the one it should be."""

import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from identity.clients import BadAnswerError, ProviderAwayError, Upstream
from identity.domain.providers import IDPORTEN
from identity_world import DAUGHTER, RawClient, World, serving
from joserfc import jwt
from joserfc.jwk import RSAKey
from servicekit.keys import Keys

from deploy.local.journey.browser import Browser
from deploy.local.processes import free_ports

EVENT: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}


class Provider:
    """A provider that answers as a test tells it to: what the certified one never does."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.key = RSAKey.generate_key(2048, {"kid": "p1", "use": "sig"})
        self.metadata: Any = {
            "issuer": self.url,
            **{f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorization", "token", "pushed_authorization_request")},
            "jwks_uri": f"{self.url}/jwks",
        }
        self.claims: dict[str, Any] = {}
        self.typ = "JWT"
        self.app = FastAPI()
        self.app.add_api_route("/.well-known/openid-configuration", self._discovery)
        self.app.add_api_route("/jwks", self._jwks)
        self.app.add_api_route("/token", self._token, methods=["POST"])
        self.app.add_api_route("/pushed_authorization_request", self._push, methods=["POST"])

    def signed(self, claims: dict[str, Any], typ: str) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid, "typ": typ}, claims, self.key)

    async def _discovery(self) -> Response:
        return JSONResponse(self.metadata) if isinstance(self.metadata, dict) else Response(self.metadata)

    async def _jwks(self) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _token(self) -> Response:
        return JSONResponse({"id_token": self.signed(self.claims, self.typ)})

    async def _push(self) -> Response:
        return Response("no", 400)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider(free_ports(1)[0])
    async with serving(made.app, made.port):
        yield made


@pytest.fixture
def upstream(agencies: Path, provider: Provider) -> Upstream:
    return Upstream(IDPORTEN, provider.url, "client", "http://logg-inn.localhost", Keys(agencies / "keys" / "identity"))


def good_claims(provider: Provider) -> dict[str, Any]:
    now = int(time.time())
    whose = {"iss": provider.url, "aud": "client", "sub": "x", "pid": DAUGHTER, "sid": "s", "nonce": "n"}
    return {**whose, "acr": "idporten-loa-high", "auth_time": now, "iat": now, "exp": now + 120}


async def test_a_good_answer_is_taken(provider: Provider, upstream: Upstream) -> None:
    provider.claims = good_claims(provider)
    proof = await upstream.finish("code", "verifier", "n")
    assert (proof.number, proof.level, proof.auth_time.date() >= date(2026, 1, 1)) == (DAUGHTER, "idporten-loa-high", True)


WRONG_CLAIMS: tuple[dict[str, Any], ...] = (
    {"nonce": "m"},
    {"nonce": None},
    {"aud": "another-client"},
    {"aud": None},
    {"iss": "http://evil.example"},
    {"exp": 1},
    {"exp": None},
    {"iat": None},
    {"auth_time": None},
    {"auth_time": "yesterday"},
    {"sub": None},
)


async def test_a_token_that_does_not_hold_lets_nobody_in(provider: Provider, upstream: Upstream) -> None:
    """INVARIANT: nonce, audience, issuer and times of the provider's ID token are checked here, whatever the provider does."""
    for changed in WRONG_CLAIMS:
        provider.claims = {name: value for name, value in {**good_claims(provider), **changed}.items() if value is not None}
        with pytest.raises(BadAnswerError):
            pytest.fail(f"{changed}: {await upstream.finish('code', 'verifier', 'n')}")


async def test_a_token_of_another_kind_or_key_lets_nobody_in(provider: Provider, upstream: Upstream) -> None:
    """INVARIANT: a logout token is no ID token, and the provider's published key signs both."""
    provider.claims, provider.typ = good_claims(provider), "logout+jwt"
    with pytest.raises(BadAnswerError):
        await upstream.finish("code", "verifier", "n")
    provider.typ = "JWT"
    await upstream.finish("code", "verifier", "n")
    provider.key = RSAKey.generate_key(2048, {"kid": "p1", "use": "sig"})  # the same name, another key: not what was published
    with pytest.raises(BadAnswerError):
        await upstream.finish("code", "verifier", "n")


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_first_seen(provider: Provider, upstream: Upstream) -> None:
    provider.claims = good_claims(provider)
    await upstream.finish("code", "verifier", "n")
    assert upstream._jwks is not None
    upstream._jwks = (upstream._jwks[0] - 60, upstream._jwks[1])
    provider.key = RSAKey.generate_key(2048, {"kid": "p2", "use": "sig"})
    assert (await upstream.finish("code", "verifier", "n")).number == DAUGHTER


NO_LOGOUT_TOKEN: tuple[dict[str, Any], ...] = (
    {"nonce": "n"},
    {"events": {}},
    {"events": None},
    {"sid": None},
    {"jti": None},
    {"aud": "x"},
    {"iss": "x"},
    {"iat": 1},
)


async def test_a_logout_token_must_be_one(provider: Provider, upstream: Upstream) -> None:
    """OpenID Connect Back-Channel Logout 1.0, 2.6."""
    whole = {"iss": provider.url, "aud": "client", "iat": int(time.time()), "jti": "j", "sid": "s", "events": EVENT}
    assert (await upstream.logged_out_session(provider.signed(whole, "logout+jwt")))[0] == "s"
    for changed in NO_LOGOUT_TOKEN:
        broken = {name: value for name, value in {**whole, **changed}.items() if value is not None}
        with pytest.raises(BadAnswerError):
            pytest.fail(f"{changed}: {await upstream.logged_out_session(provider.signed(broken, 'logout+jwt'))}")
    with pytest.raises(BadAnswerError):
        await upstream.logged_out_session(provider.signed(whole, "JWT"))


async def test_a_stranger_at_the_providers_address_is_nobody(provider: Provider, upstream: Upstream) -> None:
    for metadata in ("<html>", {}, {"issuer": "http://evil.example"}):
        provider.metadata = metadata
        with pytest.raises(ProviderAwayError):
            await upstream.metadata()


async def test_a_refused_push_counts_as_away(provider: Provider, upstream: Upstream) -> None:
    with pytest.raises(ProviderAwayError):
        await upstream.login_url(state="s", nonce="n", challenge="c", level="idporten-loa-high", fresh=False, language="nb")


async def test_with_the_provider_away_she_is_told_what_else_there_is(world: World, browser: Browser) -> None:
    """INVARIANT: a dead provider ends in a page with a next human option, not in an error of ours."""
    upstream = world.running.apps["identity"].state.identity.upstreams["idporten"]
    upstream._metadata, issuer = None, upstream.issuer
    upstream.issuer = "http://127.0.0.1:9"
    try:
        page = await browser.get(RawClient(world).request())
    finally:
        upstream.issuer = issuer
    assert page.status == 503
    assert "ID-porten svarer ikke" in page.text
    assert world.ports.snakk_url + "/" in page.links
    assert "116 111" in page.text
