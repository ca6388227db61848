"""A small relying party and a small browser, for talking to the test issuers as identity and a person do."""

import base64
import hashlib
import json
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

REDIRECT = "http://logg-inn.localhost:8080/tilbake"
GOODBYE = "http://logg-inn.localhost:8080/farvel"


@dataclass
class RelyingParty:
    """Speaks to one issuer with PAR, PKCE and private_key_jwt."""

    issuer: str
    client_id: str
    key: RSAKey
    http: httpx.AsyncClient
    verifier: str = ""
    nonce: str = ""

    def assertion(self) -> dict[str, str]:
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": now + 30, "jti": str(uuid.uuid4())}
        signed = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {"client_id": self.client_id, "client_assertion_type": kind, "client_assertion": signed}

    def parameters(self, **more: str) -> dict[str, str]:
        self.verifier, self.nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": "openid",
            "state": secrets.token_urlsafe(16),
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }

    async def push(self, **more: str) -> str:
        """Pushes a request; returns the address to send the browser to."""
        pushed = await self.http.post(f"{self.issuer}/request", data=self.parameters(**more) | self.assertion())
        assert pushed.status_code == 201, pushed.text
        return f"{self.issuer}/auth?{urlencode({'client_id': self.client_id, 'request_uri': pushed.json()['request_uri']})}"

    async def exchange(self, code: str) -> httpx.Response:
        data = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier}
        return await self.http.post(f"{self.issuer}/token", data=data | self.assertion())

    async def claims(self, code: str) -> dict:
        answer = await self.exchange(code)
        assert answer.status_code == 200, answer.text
        return await self.read(answer.json()["id_token"])

    async def read(self, token: str) -> dict:
        keys = KeySet.import_key_set((await self.http.get(f"{self.issuer}/jwks")).json())
        return jwt.decode(token, keys, algorithms=["RS256"]).claims


@dataclass
class Person:
    """Somebody's browser at the issuer."""

    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=30))
    html: str = ""
    status: int = 0
    url: str = ""

    async def follow(self, response: httpx.Response) -> dict[str, str] | None:
        """Goes on until a page comes or the way leads back to the relying party: then its parameters."""
        while response.is_redirect:
            self.url = urljoin(str(response.url), response.headers["location"])
            if self.url.startswith("http://logg-inn.localhost"):
                return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
            response = await self.http.get(self.url)
        self.html, self.status, self.url = response.text, response.status_code, str(response.url)
        return None

    async def open(self, url: str) -> dict[str, str] | None:
        return await self.follow(await self.http.get(url))

    async def submit(self, **fields: str) -> dict[str, str] | None:
        action = re.search(r'<form method="post" action="([^"]+)"', self.html)
        assert action, self.html
        return await self.follow(await self.http.post(urljoin(self.url, action[1]), data=fields))


def write_jwks(path, *keys: RSAKey) -> None:
    """The public halves, as an agency publishes them."""
    path.write_text(json.dumps({"keys": [key.as_dict(private=False) | {"nbf": 0, "exp": 2**31} for key in keys]}))
