"""Who may ask identity for a login, and how a request must look (OAuth 2.1, PKCE, OpenID Connect Core 3.1.2)."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from contracts.codes import LevelOfAssurance

MOST_CHARACTERS = 512
"""Of any one parameter of a client's."""
LANGUAGES = ("nb", "nn", "en", "se")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Scope(StrEnum):
    """On whose behalf a login is: a youth's own, or an organisation's."""

    YOUTH = "youth"
    STAFF = "staff"


RANKS: Mapping[str, int] = {level.value: rank for rank, level in enumerate(LevelOfAssurance)}
LOWEST: Mapping[Scope, LevelOfAssurance] = {Scope.YOUTH: LevelOfAssurance.SUBSTANTIAL, Scope.STAFF: LevelOfAssurance.HIGH}
"""The level below which no login is given, whatever a client asks. Owner: Digdir's role; valid from 2026-01-01.

Youths: contact with the school health service must work with MinID from 13 (journey, levels of assurance). Staff: Normen asks for
the highest level where health data are read.
"""


@dataclass(frozen=True, slots=True)
class Client:
    """A service that is a relying party of identity."""

    name: str
    url: str
    scopes: frozenset[Scope]

    @property
    def redirect_uri(self) -> str:
        """The only address that a code is sent to."""
        return f"{self.url}/logg-inn/tilbake"


def registered(urls: Mapping[str, str]) -> dict[str, Client]:
    """The clients, from the public addresses of the services. Youths log in at level 3 only."""
    both, staff = frozenset(Scope), frozenset({Scope.STAFF})
    return {name: Client(name, url.rstrip("/"), both if name == "helpjourney" else staff) for name, url in urls.items()}


class UnknownClientError(Exception):
    """Nobody to answer: the browser is told, and sent nowhere."""


class InvalidRequestError(Exception):
    """The client is known and is told so, by an error code of OAuth 2.0 (RFC 6749, 4.1.2.1)."""

    def __init__(self, code: str, client: Client, state: str) -> None:
        super().__init__(code)
        self.code, self.client, self.state = code, client, state


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """A client's valid wish that someone logs in."""

    client: Client
    scope: Scope
    state: str
    nonce: str
    challenge: str
    """S256 of the client's code verifier."""
    level: LevelOfAssurance
    fresh: bool
    """No live login will do: the person must prove who she is now."""
    language: str


def read_login_request(sent: Mapping[str, str], clients: Mapping[str, Client]) -> LoginRequest:
    """What an authorization request asks for. Raises UnknownClientError, InvalidRequestError."""
    client = clients.get(sent.get("client_id", ""))
    if client is None or sent.get("redirect_uri") != client.redirect_uri:
        raise UnknownClientError
    state = sent.get("state", "")
    if not state or any(len(value) > MOST_CHARACTERS for value in sent.values()):
        raise InvalidRequestError("invalid_request", client, state[:MOST_CHARACTERS])
    if error := _error(sent, client):
        raise InvalidRequestError(error, client, state)
    scope = Scope((set(sent["scope"].split()) & set(Scope)).pop())
    return LoginRequest(
        client=client,
        scope=scope,
        state=state,
        nonce=sent["nonce"],
        challenge=sent["code_challenge"],
        level=_level(sent.get("acr_values", ""), scope),
        fresh=sent.get("prompt") == "login" or sent.get("max_age") == "0",
        language=next((language for language in sent.get("ui_locales", "").split() if language in LANGUAGES), "nb"),
    )


def _error(sent: Mapping[str, str], client: Client) -> str | None:
    asked = set(sent.get("scope", "").split())
    if sent.get("response_type") != "code":
        return "unsupported_response_type"
    if "request" in sent or "request_uri" in sent:
        return "request_not_supported"
    if not sent.get("nonce") or sent.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(sent.get("code_challenge", "")):
        return "invalid_request"
    if "openid" not in asked or len(asked & client.scopes) != 1 or not asked <= {"openid", *client.scopes}:
        return "invalid_scope"
    if sent.get("prompt") == "none":
        return "login_required"
    known = set(sent.get("acr_values", "").split()) <= set(RANKS)
    plain = sent.get("prompt", "login") == "login" and sent.get("max_age", "0").isdigit() and sent.get("response_mode", "query") == "query"
    return None if known and plain else "invalid_request"


def _level(acr_values: str, scope: Scope) -> LevelOfAssurance:
    """The lowest of the wished levels, but never below what the scope needs."""
    wished = min((RANKS[level] for level in acr_values.split()), default=0)
    return list(LevelOfAssurance)[max(wished, RANKS[LOWEST[scope]])]


def proves(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier belongs to an S256 challenge (RFC 7636, 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(hashed, challenge)
