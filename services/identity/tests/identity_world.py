"""A world for identity's tests: its own server, two services that are its clients, the test provider, and people with browsers."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
import uvicorn
from contracts.identity import SessionEnded, sessions_topic
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse
from identity.domain.clients import read_login_request, registered
from identity.domain.providers import Accepted, Proof, Staff, judge
from identity.handlers.logins import LetIn, let_in
from identity.main import create_service
from identity.settings import Settings
from identity.store.people import PersonKeys
from joserfc import jwt
from joserfc.jwk import RSAKey
from servicekit.crypto import Vault, b64
from servicekit.delivery.inbox import apply
from servicekit.keys import Keys
from servicekit.migrations import upgrade
from servicekit.service import Service, create_app
from servicekit.settings import ServiceSettings
from servicekit.web import relying_party
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow, StaffSession, YouthSession, on_session_ended
from sqlalchemy import text
from webkit import Pages

from deploy.local.journey.browser import Browser, Page
from deploy.local.oidc.launcher import Client, LocalOidc
from deploy.local.oidc.persons import born_at, synthetic_number
from deploy.local.processes import free_ports
from deploy.testing import Database, record_of, told, until
from deploy.testing.databases import Templates
from deploy.testing.plumbing import prepare_plumbing

YOUTH_CLIENT, STAFF_CLIENT = "stegvis-identity", "stegvis-identity-ansatt"
PARENT, NO_NUMBER, TOO_LOW = "omtenksom-grevling", "langveisfarende-terne", "uheldig-hakkespett"
CLINICIAN, HELPER = "clinician-1", "helper-1"
"""People of the test login, as its page lists them."""
DAUGHTER_BORN = born_at(15, 17)
DAUGHTER = synthetic_number(DAUGHTER_BORN)
"""A youth of 15."""
UNIT = UUID("676ed505-5dd2-4467-9a79-2fb88d37fe9b")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TABLES = text("select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'")


@dataclass(frozen=True, slots=True)
class Ports:
    identity: int
    helpjourney: int
    dialog: int

    @property
    def urls(self) -> dict[str, str]:
        return {
            "identity_url": f"http://logg-inn.localhost:{self.identity}",
            "helpjourney_url": f"http://min.localhost:{self.helpjourney}",
            "dialog_url": f"http://snakk.localhost:{self.dialog}",
        }

    @property
    def identity_url(self) -> str:
        return self.urls["identity_url"]

    @property
    def min_url(self) -> str:
        return self.urls["helpjourney_url"]

    @property
    def snakk_url(self) -> str:
        return self.urls["dialog_url"]


def free() -> Ports:
    return Ports(*free_ports(3))


def provider(folder: Path, ports: Ports) -> LocalOidc:
    """The test provider in both dresses, with identity as its client."""
    jwks, url = folder / "trust" / "identity.json", ports.identity_url
    back = f"http://127.0.0.1:{ports.identity}/bakkanal/idporten"
    youths = Client(YOUTH_CLIENT, jwks, [f"{url}/tilbake/idporten"], [f"{url}/logget-ut"], back)
    staff = Client(STAFF_CLIENT, jwks, [f"{url}/tilbake/ansattporten"], [f"{url}/logget-ut"])
    return LocalOidc(folder / "oidc", youths, staff)


def settings_of(service: str, folder: Path, dsn: str, ports: Ports, oidc: LocalOidc) -> ServiceSettings:
    shared = {
        "database_url": dsn,
        "keys_dir": folder / "keys" / service,
        "trust_dir": folder / "trust",
        "identity_internal_url": f"http://127.0.0.1:{ports.identity}",
        "border_bucket_seconds": 2,
        **ports.urls,
    }
    if service != "identity":
        return ServiceSettings.model_validate(shared)
    upstream = {
        "idporten_issuer": oidc.idporten,
        "idporten_client_id": YOUTH_CLIENT,
        "ansattporten_issuer": oidc.ansattporten,
        "ansattporten_client_id": STAFF_CLIENT,
    }
    return Settings.model_validate({**shared, **upstream})


def client_service(name: str, settings: ServiceSettings, folder: Path) -> FastAPI:
    """A service with a page for youths and one for staff, and no more."""
    router = APIRouter()

    @router.get("/")
    async def front(session: SessionNow) -> HTMLResponse:
        return _way_out(session, "/logg-ut")

    @router.get("/ansatt")
    async def work(session: SessionNow) -> HTMLResponse:
        return _way_out(session, "/ansatt/logg-ut")

    @router.get("/meg")
    async def me(session: YouthSession) -> PlainTextResponse:
        return PlainTextResponse(f"{session.subject} {session.birthdate} {session.level} {session.sid}")

    @router.get("/ansatt/meg")
    async def staff(session: StaffSession) -> PlainTextResponse:
        said = (session.organisation, session.organisation_name, ",".join(session.roles), str(session.hpr_number), str(session.unit))
        return PlainTextResponse("|".join(said))

    pages = Pages(service=name, level="known", templates_dir=folder)
    return create_app(Service(name=name, settings=settings, routers=[router, relying_party.router], pages=pages))


def _way_out(session: BrowserSession, action: str) -> HTMLResponse:
    form = new_form(session)
    hidden = f'<input type="hidden" name="csrf" value="{form.csrf}"><input type="hidden" name="key" value="{form.key}">'
    return HTMLResponse(f'<form method="post" action="{action}">{hidden}<button>ut</button></form>')


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[FastAPI]:
    """The application on a real port of this machine."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    server = _Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await until(partial(_started, server, task))
        yield app
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        listening.close()


async def _started(server: uvicorn.Server, task: "asyncio.Task[None]") -> bool:
    return server.started or task.done()


@dataclass(frozen=True, slots=True)
class Running:
    """Identity and two services that are its clients, on real ports, in a thread of their own; one for the whole session."""

    ports: Ports
    oidc: LocalOidc
    folder: Path
    dsns: dict[str, str]
    apps: dict[str, FastAPI]


@contextmanager
def running(templates: Templates, folder: Path, ports: Ports, oidc: LocalOidc) -> Iterator[Running]:
    """Starts the three and stops them."""
    started: Future[Running] = Future()
    stop = threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            dsns, apps = {}, {}
            for name in ("identity", "helpjourney", "dialog"):
                prepare = _migrate if name == "identity" else prepare_plumbing
                dsns[name] = await stack.enter_async_context(templates.copy("identity" if name == "identity" else "plumbing", prepare))
                settings = settings_of(name, folder, dsns[name], ports, oidc)
                made = create_app(create_service(settings)) if isinstance(settings, Settings) else client_service(name, settings, folder)
                apps[name] = await stack.enter_async_context(serving(made, getattr(ports, name)))
            started.set_result(Running(ports, oidc, folder, dsns, apps))
            await asyncio.to_thread(stop.wait)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="services")
    thread.start()
    try:
        yield started.result(timeout=120)
    finally:
        stop.set()
        thread.join(timeout=30)


async def _migrate(dsn: str) -> None:
    await asyncio.to_thread(upgrade, "identity", dsn)


@dataclass(frozen=True, slots=True)
class World:
    """Everything runs, and nobody has been here yet. `identity`, `min` (helpjourney's place) and `snakk` (dialog's) are databases."""

    running: Running
    identity: Database
    min: Database
    snakk: Database

    @property
    def ports(self) -> Ports:
        return self.running.ports

    @property
    def oidc(self) -> LocalOidc:
        return self.running.oidc

    async def clear(self) -> None:
        """Forget what earlier tests did."""
        for database in (self.identity, self.min, self.snakk):
            async with database.begin() as uow:
                names = await uow.connection.scalars(_TABLES)
                await uow.connection.execute(text(f"truncate {', '.join(names)} cascade"))

    async def log_in(self, browser: Browser, person: str = DAUGHTER, level: str = "substantial", query: str = "?neste=/meg") -> Page:
        """As a youth does it: the service's page, the link, the provider's page, and back."""
        page = await browser.get(self.ports.min_url + "/logg-inn" + query)
        page = await browser.get(page.link("/logg-inn/start"))
        return await self.choose(browser, page, person, level)

    async def log_in_at_work(self, browser: Browser, person: str, base: str | None = None) -> Page:
        page = await browser.get((base or self.ports.min_url) + "/ansatt/logg-inn?neste=/ansatt/meg")
        page = await browser.get(page.link("/ansatt/logg-inn/start"))
        return await self.choose(browser, page, person, "high")

    async def choose(self, browser: Browser, page: Page, person: str, level: str) -> Page:
        """On the provider's own page."""
        form = page.form(button="Logg inn")
        field = "pid" if person in form.choices["pid"] else "other"
        return await browser.submit(form, {field: person, "level": level}, button="Logg inn")

    async def people(self) -> int:
        async with self.identity.begin() as uow:
            return int(await uow.connection.scalar(text("select count(*) from people")))

    async def everything_kept(self) -> str:
        """Every row of every table of identity, as text."""
        async with self.identity.begin() as uow:
            names = await uow.connection.scalars(_TABLES)
            rows = [await uow.connection.execute(text(f'select t::text from "{name}" t')) for name in names]
            return "\n".join(row for result in rows for (row,) in result)

    async def told(self) -> list[tuple[str, dict[str, str]]]:
        """What identity has told so far about ended sessions: topic and data."""
        async with self.identity.begin() as uow:
            return [(fact.topic, dict(fact.data)) for fact in await told(uow.connection)]

    async def deliver(self, reader: Database) -> None:
        """The facts of identity reach a client, as Kafka would bring them."""
        async with self.identity.begin() as uow:
            facts = await told(uow.connection)
        ended = [(fact, SessionEnded.model_validate(fact.data)) for fact in facts if fact.topic == sessions_topic(reader.service)]
        records = [record_of(event, key=fact.key, sequence=fact.sequence, topic=fact.topic) for fact, event in ended]
        await apply(reader.begin, reader.service, records, {SessionEnded: on_session_ended})


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


VERIFIER = "v" * 64


@dataclass(frozen=True, slots=True)
class RawClient:
    """A client that speaks the protocol by hand, so that it can speak it wrongly."""

    world: "World"
    name: str = "helpjourney"
    scope: str = "youth"

    @property
    def keys(self) -> Keys:
        return Keys(self.world.running.folder / "keys" / self.name)

    @property
    def redirect_uri(self) -> str:
        return self.world.ports.urls[f"{self.name}_url"] + "/logg-inn/tilbake"

    def request(self, **changed: str) -> str:
        """An authorization request."""
        sent = {
            "client_id": self.name,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": f"openid {self.scope}",
            "state": "s" * 43,
            "nonce": "n" * 43,
            "code_challenge": b64(sha256(VERIFIER.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return f"{self.world.ports.identity_url}/authorize?{urlencode(sent | changed)}"

    async def code(self, number: str = DAUGHTER) -> str:
        """A code that nobody has exchanged yet, given by the use case itself."""
        sent = query_of(self.request())
        asked = read_login_request(sent, registered({self.name: self.redirect_uri.removesuffix("/logg-inn/tilbake")}))
        keys = Keys(self.world.running.folder / "keys" / "identity")
        staff = Staff("300000107", "Nordlys bydel", ("clinician",), "990000018", UNIT) if self.scope == "staff" else None
        proof = Proof(number, asked.level.value, datetime.now(UTC), None, None if staff else number, staff)
        judged = judge(proof, asked, datetime.now(UTC), synthetic=True)
        assert isinstance(judged, Accepted)
        async with self.world.identity.begin() as uow:
            welcome = await let_in(LetIn(asked, judged, uuid4(), 2), uow, PersonKeys(keys.service, Vault(keys.vault)))
        return welcome.code

    def assertion(self, key: RSAKey | None = None, typ: str = "JWT", **changed: Any) -> str:
        """private_key_jwt; a claim changed to None is left out."""
        now, signing = int(time.time()), key or self.keys.signing
        claims = {
            "iss": self.name,
            "sub": self.name,
            "aud": self.world.ports.identity_url,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 60,
        }
        kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": signing.kid, "typ": typ}, kept, signing)

    async def post(self, path: str, fields: dict[str, str], assertion: str | None = None) -> httpx.Response:
        """To identity's back channel."""
        proof = {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion or self.assertion()}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.world.ports.identity}", timeout=30) as client:
            return await client.post(path, data={**proof, **fields})

    async def exchange(self, code: str, assertion: str | None = None, changed: Mapping[str, str] | None = None) -> httpx.Response:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER}
        return await self.post("/token", asked | dict(changed or {}), assertion)

    async def renew(self, token: str) -> httpx.Response:
        return await self.post("/token", {"grant_type": "refresh_token", "refresh_token": token})
