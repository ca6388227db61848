"""Sessions of browsers on this service's own host: rows in `browser_sessions`, and the one cookie that names them."""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from contracts.identity import SessionEnded
from sqlalchemy import Row, delete, insert, select, update

from servicekit.crypto import b64, decrypt, encrypt, hkdf, unb64
from servicekit.delivery.outbox import UnitOfWork
from servicekit.delivery.tables import browser_sessions
from servicekit.idempotency import is_used, once
from servicekit.upserts import put

TOKEN_BYTES = 32
KNOWN_IDLE, KNOWN_ABSOLUTE = timedelta(minutes=15), timedelta(minutes=120)
"""How long a login may rest, and last at most."""
ANONYMOUS_IDLE, ANONYMOUS_ABSOLUTE = timedelta(minutes=120), timedelta(hours=12)
"""The same for a session that nobody has logged in to: an evening of waiting and chatting fits in."""
TOUCH_AFTER = timedelta(minutes=1)
"""A session that was seen less than this ago isn't written again."""
_LEFT = b"left"


class SessionGoneError(Exception):
    """The login that this request came with was ended meanwhile."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is here, as identity vouches for it."""

    subject: UUID
    """Random per person and service."""
    sid: UUID
    """Identity's name for this login, random per service."""
    level: str
    """acr, a `LevelOfAssurance`."""
    auth_time: datetime
    """When the person proved who she is, UTC."""
    birthdate: date | None = None
    organisation: str | None = None
    """Organisation number, 9 digits; staff only."""
    organisation_name: str | None = None
    roles: frozenset[str] = frozenset()
    hpr_number: str | None = None
    """Number in the register of health personnel (HPR); clinicians only."""
    unit: UUID | None = None
    """`service_id` of the help service that the person works at."""


@dataclass(slots=True)
class Record:
    """What a request knows of its session; shared by all views of it."""

    token: str
    state: dict[str, str] = field(default_factory=dict)
    login: Login | None = None
    tokens_sealed: bytes | None = None
    saved: bool = False
    in_browser: bool = False
    shown: bool = False
    ended: bool = False


def new_record() -> Record:
    """A session that nobody has seen yet."""
    return Record(b64(secrets.token_bytes(TOKEN_BYTES)))


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """One browser on this host. Anonymous and without a row until the first `save`."""

    record: Record = field(repr=False)

    @property
    def token(self) -> str:
        """The cookie's value. Never logged, never stored."""
        return self.record.token

    @property
    def id_hash(self) -> bytes:
        """SHA-256 of the cookie's value: the session's name in the database."""
        return sha256(self.token.encode()).digest()

    @property
    def csrf(self) -> str:
        """What a form of this session must carry. Asking for it makes the answer set the cookie."""
        self.record.shown = True
        return csrf_of(self.token)

    @property
    def state(self) -> dict[str, str]:
        """Small, ids only; kept by `save`, carried over a login."""
        return self.record.state

    @property
    def login(self) -> Login | None:
        return self.record.login

    @property
    def subject(self) -> UUID | None:
        return self.record.login.subject if self.record.login else None

    @property
    def sid(self) -> UUID | None:
        return self.record.login.sid if self.record.login else None

    @property
    def level(self) -> str | None:
        return self.record.login.level if self.record.login else None

    @property
    def auth_time(self) -> datetime | None:
        return self.record.login.auth_time if self.record.login else None

    @property
    def birthdate(self) -> date | None:
        return self.record.login.birthdate if self.record.login else None

    @property
    def organisation(self) -> str | None:
        return self.record.login.organisation if self.record.login else None

    @property
    def organisation_name(self) -> str | None:
        return self.record.login.organisation_name if self.record.login else None

    @property
    def roles(self) -> frozenset[str]:
        return self.record.login.roles if self.record.login else frozenset()

    @property
    def hpr_number(self) -> str | None:
        return self.record.login.hpr_number if self.record.login else None

    @property
    def unit(self) -> UUID | None:
        return self.record.login.unit if self.record.login else None


def csrf_of(token: str) -> str:
    """HMAC-SHA-256 under the session's secret."""
    return b64(hmac.digest(token.encode(), b"csrf", sha256))


async def load(uow: UnitOfWork, token: str) -> Record:
    """The session of a cookie; an empty one where it has no row (yet)."""
    now = await uow.now()
    columns = browser_sessions.c
    found = (
        await uow.connection.execute(
            select(browser_sessions).where(columns.id_hash == sha256(token.encode()).digest(), columns.expires_at > now)
        )
    ).first()
    if found is None:
        return Record(token, in_browser=True)
    if now - found.seen_at >= TOUCH_AFTER:
        await uow.connection.execute(
            update(browser_sessions)
            .where(columns.id_hash == found.id_hash)
            .values(seen_at=now, expires_at=_expiry(found.created_at, now, known=found.subject is not None))
        )
    return Record(token, dict(found.state), _login_of(found), found.tokens_sealed, saved=True, in_browser=True)


async def save(uow: UnitOfWork, session: BrowserSession) -> None:
    """Keep `state`. Raises SessionGoneError if the login was ended meanwhile."""
    now = await uow.now()
    kept = {"state": dict(session.state), "seen_at": now}
    if session.login is not None:
        changed = await uow.connection.execute(update(browser_sessions).where(browser_sessions.c.id_hash == session.id_hash).values(**kept))
        if changed.rowcount != 1:
            raise SessionGoneError
    else:
        row = {**kept, "id_hash": session.id_hash, "created_at": now, "expires_at": _expiry(now, now, known=False)}
        await put(uow.connection, browser_sessions, row, keep=("created_at", "expires_at"))
    session.record.saved = True


async def log_in(uow: UnitOfWork, session: BrowserSession, login: Login, tokens: Mapping[str, Any] | None = None) -> None:
    """Make the session that of a person. It gets a new name: what was known before the login opens nothing after it."""
    now = await uow.now()
    await uow.connection.execute(delete(browser_sessions).where(browser_sessions.c.id_hash == session.id_hash))
    record = session.record
    record.token, record.in_browser, record.ended = new_record().token, False, False
    record.login, record.tokens_sealed = login, seal_tokens(record.token, tokens) if tokens else None
    await uow.connection.execute(
        insert(browser_sessions).values(
            id_hash=session.id_hash,
            state=dict(record.state),
            tokens_sealed=record.tokens_sealed,
            created_at=now,
            seen_at=now,
            expires_at=_expiry(now, now, known=True),
            **_columns_of(login),
        )
    )
    record.saved = True


async def end(uow: UnitOfWork, session: BrowserSession) -> None:
    """Forget the session and all that it held; the browser starts anew, and forms of this session show nothing any more."""
    await uow.connection.execute(delete(browser_sessions).where(browser_sessions.c.id_hash == session.id_hash))
    record = session.record
    if record.in_browser:
        await once(uow, _left(csrf_of(record.token)), _LEFT, _nothing)
    record.token, record.state, record.login, record.tokens_sealed = new_record().token, {}, None, None
    record.saved = record.shown = False
    record.ended, record.in_browser = record.in_browser or record.ended, False


async def is_left(uow: UnitOfWork, csrf: str) -> bool:
    """Whether the form that carries this is of a session that its reader ended herself, in the last 24 hours."""
    return await is_used(uow, _left(csrf), _LEFT)


def _left(csrf: str) -> bytes:
    return b"left " + csrf.encode()


async def _nothing() -> dict[str, str]:
    return {}


async def on_session_ended(event: SessionEnded, uow: UnitOfWork) -> None:
    """Identity says that a login is over. Every relying party has this in its table of event handlers."""
    await uow.connection.execute(delete(browser_sessions).where(browser_sessions.c.sid == event.session_id))


def seal_tokens(token: str, tokens: Mapping[str, Any]) -> bytes:
    """Identity's tokens under a key that only the browser's cookie opens."""
    return encrypt(_tokens_key(token), json.dumps(dict(tokens)).encode(), b"tokens")


def open_tokens(token: str, sealed: bytes) -> dict[str, Any]:
    """The inverse of `seal_tokens`. Raises CannotOpenError."""
    opened: dict[str, Any] = json.loads(decrypt(_tokens_key(token), sealed, b"tokens"))
    return opened


def _tokens_key(token: str) -> bytes:
    return hkdf(unb64(token), "session tokens")


def _expiry(created: datetime, seen: datetime, *, known: bool) -> datetime:
    idle, absolute = (KNOWN_IDLE, KNOWN_ABSOLUTE) if known else (ANONYMOUS_IDLE, ANONYMOUS_ABSOLUTE)
    return min(seen + idle, created + absolute)


def _columns_of(login: Login) -> dict[str, Any]:
    columns = {name: getattr(login, name) for name in Login.__slots__}
    return {**columns, "roles": sorted(login.roles)}


def _login_of(row: Row[Any]) -> Login | None:
    if row.subject is None:
        return None
    fields = {name: getattr(row, name) for name in Login.__slots__}
    return Login(**{**fields, "roles": frozenset(row.roles)})
