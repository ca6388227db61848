"""The token endpoint as an attacker, a careless client and a good one meet it."""

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from identity.domain.clients import registered
from identity.handlers.tokens import ExchangeCode, Renew, exchange_code, renew
from identity_world import VERIFIER, RawClient, World
from joserfc import jwt
from joserfc.jwk import RSAKey
from servicekit.keys import Keys


def refused(answer: httpx.Response, code: str = "invalid_grant", status: int = 400) -> bool:
    return (answer.status_code, answer.json()) == (status, {"error": code}) and answer.headers["cache-control"] == "no-store"


def read(world: World, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    key = Keys(world.running.folder / "keys" / "identity").signing
    decoded = jwt.decode(token, key, algorithms=["RS256"])
    return dict(decoded.header), dict(decoded.claims)


async def test_a_code_gives_tokens_that_say_no_more_than_needed(world: World) -> None:
    """INVARIANT: the access token carries no birth date; neither carries a number or a name."""
    client = RawClient(world)
    answer = await client.exchange(await client.code())
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    header, identity = read(world, body["id_token"])
    assert identity.keys() == {"iss", "aud", "sub", "sid", "acr", "auth_time", "nonce", "birthdate", "iat", "exp"}
    assert (identity["iss"], identity["aud"], identity["nonce"]) == (world.ports.identity_url, "helpjourney", "n" * 43)
    assert header["typ"] == "JWT"
    header, access = read(world, body["access_token"])
    assert access.keys() == {"iss", "aud", "sub", "sid", "acr", "auth_time", "client_id", "scope", "jti", "iat", "exp"}
    assert (header["typ"], access["aud"], access["exp"] - access["iat"]) == ("at+jwt", "helpjourney", 300)
    assert (access["sub"], access["sid"]) == (identity["sub"], identity["sid"])


async def test_staff_tokens_say_on_whose_behalf(world: World) -> None:
    client = RawClient(world, "helpjourney", "staff")
    body = (await client.exchange(await client.code())).json()
    for token in ("id_token", "access_token"):
        _, claims = read(world, body[token])
        said = {name: claims.get(name) for name in ("organisation", "roles", "hpr_number", "unit")}
        assert said == {
            "organisation": "300000107",
            "roles": ["clinician"],
            "hpr_number": "990000018",
            "unit": "676ed505-5dd2-4467-9a79-2fb88d37fe9b",
        }
        assert "birthdate" not in claims


async def test_a_code_that_comes_twice_ends_the_login(world: World) -> None:
    """INVARIANT: whoever copied a code gets nothing, and what it had given is worth nothing any more."""
    client = RawClient(world)
    code = await client.code()
    first = (await client.exchange(code)).json()
    assert refused(await client.exchange(code))
    assert refused(await client.renew(first["refresh_token"]))
    assert [topic for topic, _ in await world.told()] == ["identity.sessions-helpjourney.v1"]


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "http://min.localhost/elsewhere"},
        {"code": "A" * 43},
        {"code": ""},
    ],
)
async def test_a_code_is_bound_to_its_verifier_and_address(world: World, changed: dict[str, str]) -> None:
    """INVARIANT: a code alone is worth nothing, and a try with the wrong verifier uses it up."""
    client = RawClient(world)
    code = await client.code()
    assert refused(await client.exchange(changed.get("code", code), changed=changed))
    if "code" not in changed:
        assert refused(await client.exchange(code))


async def test_another_service_can_not_use_a_code_or_a_token(world: World) -> None:
    """INVARIANT: a code or refresh token works for the service that it was made for; a stranger's try doesn't end the login."""
    mine, other = RawClient(world), RawClient(world, "dialog", "staff")
    code = await mine.code()
    assert refused(await other.exchange(code))
    fresh = await RawClient(world).code()
    token = (await mine.exchange(fresh)).json()["refresh_token"]
    assert refused(await other.renew(token))
    assert (await other.post("/revoke", {"token": token})).status_code == 200
    assert (await mine.renew(token)).status_code == 200


async def test_a_code_lives_for_a_minute_and_a_login_for_two_hours(world: World) -> None:
    """INVARIANT: late codes and old logins give nothing."""
    client = registered({"helpjourney": world.ports.min_url})["helpjourney"]
    raw = RawClient(world)
    code, token = await raw.code(), (await raw.exchange(await raw.code())).json()["refresh_token"]
    command = ExchangeCode(client, code, client.redirect_uri, VERIFIER)
    async with world.identity.begin_at(timedelta(seconds=61))() as uow:
        assert await exchange_code(command, uow) is None
    async with world.identity.begin_at(timedelta(minutes=121))() as uow:
        assert await renew(Renew(client, token), uow) is None
    async with world.identity.begin_at(timedelta(minutes=119))() as uow:
        assert await renew(Renew(client, token), uow) is not None


async def test_each_refresh_token_is_good_once_and_a_copy_ends_the_login(world: World) -> None:
    """INVARIANT: a stolen refresh token is found out at its second use."""
    client = RawClient(world)
    first = (await client.exchange(await client.code())).json()
    second = (await client.renew(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = (read(world, answer["id_token"])[1] for answer in (first, second))
    assert "nonce" not in after
    assert all(before[name] == after[name] for name in ("sub", "sid", "auth_time", "acr"))
    assert refused(await client.renew(first["refresh_token"]))
    assert refused(await client.renew(second["refresh_token"]))
    assert len(await world.told()) == 1


async def test_a_revoked_login_is_over(world: World) -> None:
    client = RawClient(world)
    token = (await client.exchange(await client.code())).json()["refresh_token"]
    assert (await client.post("/revoke", {"token": token})).status_code == 200
    assert refused(await client.renew(token))
    assert (await client.post("/revoke", {"token": token})).status_code == 200
    assert len(await world.told()) == 1


WRONG_ASSERTIONS: tuple[dict[str, Any], ...] = (
    {"aud": "http://evil.example"},
    {"aud": ["http://evil.example"]},
    {"aud": None},
    {"sub": "dialog"},
    {"iss": "nobody", "sub": "nobody"},
    {"iss": None},
    {"exp": 1},
    {"exp": int(time.time()) + 86_400},
    {"exp": None},
    {"jti": None},
    {"iat": None},
)


async def test_a_client_must_prove_who_it_is(world: World) -> None:
    """INVARIANT: private_key_jwt is addressed to us, short-lived and complete."""
    client = RawClient(world)
    for changed in WRONG_ASSERTIONS:
        assert refused(await client.exchange("x", client.assertion(**changed)), "invalid_client", 401), changed


async def test_an_assertion_for_several_audiences_is_refused(world: World) -> None:
    """INVARIANT: an assertion made for another server can't be passed on to us."""
    client = RawClient(world)
    both = client.assertion(aud=[world.ports.identity_url, "http://evil.example"])
    assert refused(await client.exchange("x", both), "invalid_client", 401)


async def test_an_assertion_of_another_key_or_used_before_is_refused(world: World) -> None:
    """INVARIANT: one service can't act as another, and an overheard assertion is worth nothing."""
    client = RawClient(world)
    foreign = client.assertion(RawClient(world, "dialog").keys.signing)
    same_name = client.assertion(RSAKey.generate_key(2048, {"kid": "helpjourney-sig-1"}))
    for assertion in (foreign, same_name, "x.y.z", "x", " "):
        assert refused(await client.exchange("x", assertion), "invalid_client", 401)
    once = client.assertion()
    assert refused(await client.exchange("x", once))
    assert refused(await client.exchange("x", once), "invalid_client", 401)


async def test_the_token_endpoint_takes_nothing_but_small_forms(world: World) -> None:
    base = f"http://127.0.0.1:{world.ports.identity}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        assert refused(await client.post("/token", data={"grant_type": "authorization_code"}), "invalid_client", 401)
        assert (await client.post("/token", json={"grant_type": "x"})).status_code == 415
        assert (await client.post("/token", data={"code": "x" * 30_000})).status_code == 413
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await client.post("/token", content=b"a=1&a=2", headers=form)).status_code == 400
        assert (await client.get("/token")).status_code == 405
    raw = RawClient(world)
    assert refused(await raw.post("/token", {"grant_type": "password"}), "unsupported_grant_type")


async def test_refused_requests_never_echo_what_was_sent(world: World) -> None:
    canary = "canary-17861156893"
    raw = RawClient(world)
    for answer in (
        await raw.exchange(canary),
        await raw.exchange(canary, canary),
        await raw.post("/token", {"grant_type": canary}),
        await raw.post("/revoke", {"token": canary}),
    ):
        assert canary not in answer.text + str(answer.headers)


async def test_a_staff_login_at_dialog_gives_nothing_at_helpjourney(world: World) -> None:
    """INVARIANT: each service's tokens are for itself."""
    dialog = RawClient(world, "dialog", "staff")
    body = (await dialog.exchange(await dialog.code())).json()
    assert read(world, body["access_token"])[1]["aud"] == "dialog"
    assert refused(await RawClient(world).renew(body["refresh_token"]))
