"""Logins: one row per login of a person at one reader, its codes and refresh tokens (hashed), and assertions that were used."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from servicekit.crypto import decrypt, encrypt, hkdf
from servicekit.delivery.tables import browser_sessions
from servicekit.upserts import add_if_new
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Row, Table, Text, Uuid, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from identity.store import MOMENT, metadata

LOGIN_LIFE = timedelta(minutes=120)
CODE_LIFE = timedelta(seconds=60)
KEPT_AFTER_END = timedelta(hours=24)
"""How long an ended login is remembered, so that its codes and tokens are known when someone tries them again."""

logins = Table(
    "logins",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("upstream", LargeBinary, index=True),
    Column("reader", Text, nullable=False),
    Column("sid", Uuid, nullable=False, unique=True),
    Column("subject", Uuid, nullable=False),
    Column("scope", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("auth_time", MOMENT, nullable=False),
    Column("claims", LargeBinary, nullable=False),
    Column("browser", Uuid, nullable=False, index=True),
    Column("told", Integer, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False, index=True),
    Column("ended_at", MOMENT),
)
"""`upstream`: SHA-256 of the provider and its own session's name. `sid`: what the reader calls the login; random per login.
`claims`: what else the reader is told, sealed. `told`: facts told about the login."""

codes = Table(
    "codes",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("login_id", Uuid, ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("used_at", MOMENT),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("login_id", Uuid, ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("used_at", MOMENT),
)

used_assertions = Table(
    "used_assertions",
    metadata,
    Column("jti_hash", LargeBinary, primary_key=True),
    Column("expires_at", MOMENT, nullable=False, index=True),
)
"""Names of client assertions and logout tokens that were taken once."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a reader is told about a person, beside its own subject."""

    birthdate: date | None = None
    organisation: str | None = None
    organisation_name: str | None = None
    roles: tuple[str, ...] = ()
    hpr_number: str | None = None
    unit: UUID | None = None

    def told(self) -> dict[str, Any]:
        """As JSON; what there isn't is left out."""
        plain = asdict(self)
        written = {name: str(value) if isinstance(value, date | UUID) else value for name, value in plain.items() if value}
        return {**written, "roles": list(self.roles)} if self.roles else written


@dataclass(frozen=True, slots=True)
class Login:
    """One login as its row says."""

    id: UUID
    person_id: UUID
    provider: str
    reader: str
    sid: UUID
    subject: UUID
    scope: str
    level: str
    auth_time: datetime
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    claims: bytes

    def lives(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


def hashed(secret: str) -> bytes:
    """Codes and tokens are random: a plain hash hides them."""
    return sha256(secret.encode()).digest()


def upstream_name(provider: str, session: str) -> bytes:
    """How a provider's session is found again."""
    return sha256(f"{provider}\x00{session}".encode()).digest()


def seal_claims(vault_key: bytes, login_id: UUID, claims: Claims) -> bytes:
    """Birth dates and numbers of health personnel don't lie in clear."""
    return encrypt(_claims_key(vault_key), json.dumps(claims.told()).encode(), login_id.bytes)


def open_claims(vault_key: bytes, login: Login) -> dict[str, Any]:
    """What `seal_claims` sealed, as JSON."""
    opened: dict[str, Any] = json.loads(decrypt(_claims_key(vault_key), login.claims, login.id.bytes))
    return opened


def _claims_key(vault_key: bytes) -> bytes:
    return hkdf(vault_key, "login claims")


_LOGIN = [logins.c[name] for name in Login.__slots__]


def _login(row: Row[Any]) -> Login:
    return Login(**{name: getattr(row, name) for name in Login.__slots__})


async def add_login(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(insert(logins).values(told=0, **row))


async def login_by_sid(connection: AsyncConnection, reader: str, sid: UUID) -> Login | None:
    """The login that a reader calls `sid`."""
    row = (await connection.execute(select(*_LOGIN).where(logins.c.reader == reader, logins.c.sid == sid))).first()
    return _login(row) if row else None


async def live_logins(connection: AsyncConnection, now: datetime, **where: Any) -> list[Login]:
    """Logins that still hold, newest first, by the columns given."""
    matches = [logins.c[name] == value for name, value in where.items()]
    query = select(*_LOGIN).where(*matches, logins.c.ended_at.is_(None), logins.c.expires_at > now).order_by(logins.c.created_at.desc())
    return [_login(row) for row in await connection.execute(query)]


async def end(connection: AsyncConnection, login_id: UUID, now: datetime) -> int | None:
    """Marks the login as ended, and forgets the browser session here that it made; the number of the fact to tell, or None if
    another was first."""
    query = (
        update(logins)
        .where(logins.c.id == login_id, logins.c.ended_at.is_(None))
        .values(ended_at=now, told=logins.c.told + 1)
        .returning(logins.c.told)
    )
    told: int | None = await connection.scalar(query)
    await connection.execute(delete(browser_sessions).where(browser_sessions.c.sid == login_id))
    return told


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """What a code is bound to."""

    redirect_uri: str
    challenge: str
    nonce: str


async def add_code(connection: AsyncConnection, code: str, login_id: UUID, terms: CodeTerms, now: datetime) -> None:
    row = {"code_hash": hashed(code), "login_id": login_id, "expires_at": now + CODE_LIFE}
    await connection.execute(insert(codes).values(**row, **asdict(terms)))


async def take_code(connection: AsyncConnection, code: str, now: datetime) -> tuple[Row[Any], Login] | None:
    """The code and its login, locked; the row says if the code was used before. It's used now."""
    row = (await connection.execute(select(codes).where(codes.c.code_hash == hashed(code)).with_for_update())).first()
    if row is None:
        return None
    await connection.execute(update(codes).where(codes.c.code_hash == row.code_hash, codes.c.used_at.is_(None)).values(used_at=now))
    return row, await _locked(connection, row.login_id)


async def add_refresh_token(connection: AsyncConnection, token: str, login_id: UUID) -> None:
    await connection.execute(insert(refresh_tokens).values(token_hash=hashed(token), login_id=login_id))


async def find_refresh_token(connection: AsyncConnection, token: str) -> tuple[bool, Login] | None:
    """Whether the token was used before, and its login, locked."""
    query = select(refresh_tokens).where(refresh_tokens.c.token_hash == hashed(token)).with_for_update()
    row = (await connection.execute(query)).first()
    return (row.used_at is not None, await _locked(connection, row.login_id)) if row else None


async def mark_used(connection: AsyncConnection, token: str, now: datetime) -> None:
    await connection.execute(update(refresh_tokens).where(refresh_tokens.c.token_hash == hashed(token)).values(used_at=now))


async def _locked(connection: AsyncConnection, login_id: UUID) -> Login:
    return _login((await connection.execute(select(*_LOGIN).where(logins.c.id == login_id).with_for_update())).one())


async def take_assertion(connection: AsyncConnection, issuer: str, jti: str, expires_at: datetime) -> bool:
    """Whether this is the first time that the assertion is seen."""
    row = {"jti_hash": sha256(f"{issuer}\x00{jti}".encode()).digest(), "expires_at": expires_at}
    return await add_if_new(connection, used_assertions, row)


async def delete_old(connection: AsyncConnection, now: datetime) -> None:
    """Logins that are over for a day, with their codes and tokens; assertions that could not be used again anyway."""
    await connection.execute(delete(logins).where(logins.c.expires_at <= now - KEPT_AFTER_END))
    await connection.execute(delete(used_assertions).where(used_assertions.c.expires_at <= now))
