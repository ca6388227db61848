"""Offers that wait to be claimed, browsers that hold a secret, wrong codes, and what is left of a spent secret."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.dialog import HANDOFFS
from servicekit.delivery.tables import inbox_keys
from servicekit.upserts import add_if_new
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    delete,
    exists,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.claims import CLOSED, OfferState, Tries
from helpjourney.store import metadata

offers = Table(
    "offers",
    metadata,
    Column("handoff_id", Uuid, primary_key=True),
    Column("lookup_hash", Text, nullable=False, unique=True),
    Column("need", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("locator", Text),
    Column("salt", LargeBinary),
    Column("sealed_summary", Text),
    Column("state", Text, nullable=False),
    Column("delete_after", DateTime(timezone=True), nullable=False),
    Index("offers_by_locator", "locator"),
    Index("offers_by_delete_after", "delete_after"),
)
withdrawn_early = Table(
    "withdrawn_early",
    metadata,
    Column("handoff_id", Uuid, primary_key=True),
    Column("delete_after", DateTime(timezone=True), nullable=False),
)
spent_secrets = Table(
    "spent_secrets",
    metadata,
    Column("lookup_hash", Text, primary_key=True),
    Column("settled", Boolean, nullable=False, server_default="false"),
)
holders = Table(
    "holders",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("lookup_hash", Text, index=True),
    Column("locator", Text, index=True),
    Column("tried", ARRAY(Uuid), nullable=False, server_default="{}"),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("presented_at", DateTime(timezone=True), nullable=False),
    Column("delete_after", DateTime(timezone=True), nullable=False, index=True),
)
tries = Table(
    "tries",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("closed_until", DateTime(timezone=True)),
    Column("delete_after", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer as it was told, and what became of it."""

    handoff_id: UUID
    lookup_hash: str
    need: str
    urgency: str
    expires_at: datetime
    locator: str | None
    salt: bytes | None
    sealed_summary: str | None
    state: OfferState


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A browser that presented a secret. `lookup_hash` is None while a typed code has met no offer that it opens."""

    id_hash: bytes
    lookup_hash: str | None
    locator: str | None
    tried: tuple[UUID, ...]
    sealed_secret: bytes
    presented_at: datetime


_IS_OVER = text(
    """select exists (select from withdrawn_early where handoff_id = :handoff_id)
      or exists (select from spent_secrets where lookup_hash = :lookup_hash)"""
)


async def add_offer(connection: AsyncConnection, offer: OfferRow, delete_after: datetime) -> None:
    """A second offer with the same id or hash changes nothing: the first stands."""
    values = {name: getattr(offer, name) for name in OfferRow.__slots__} | {"state": offer.state.value, "delete_after": delete_after}
    await add_if_new(connection, offers, values)


async def close_offer(connection: AsyncConnection, handoff_id: UUID, state: OfferState, delete_after: datetime) -> bool:
    """Destroy what travels and keep why, so that the page can say so. False if no such offer stands."""
    closed = update(offers).where(offers.c.handoff_id == handoff_id, offers.c.state == OfferState.OPEN.value)
    found = await connection.execute(closed.values(state=state.value, sealed_summary=None, delete_after=delete_after))
    return found.rowcount == 1


async def offer_of(connection: AsyncConnection, lookup_hash: str, *, lock: bool = False) -> OfferRow | None:
    """The offer that a secret opens; locked, only one transaction at a time sees it until it is decided."""
    query = select(offers).where(offers.c.lookup_hash == lookup_hash)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return _offer(row) if row else None


async def offers_at(connection: AsyncConnection, locator: str) -> list[OfferRow]:
    """The offers whose typed code begins with these three characters."""
    rows = await connection.execute(select(offers).where(offers.c.locator == locator).order_by(offers.c.handoff_id))
    return [_offer(row) for row in rows]


def _offer(row: Row[tuple[object, ...]]) -> OfferRow:
    return OfferRow(**{name: row._mapping[name] for name in OfferRow.__slots__} | {"state": OfferState(row._mapping["state"])})


async def spend(connection: AsyncConnection, offer: OfferRow) -> None:
    """Delete the offer, and what the inbox noted under its id; only the hash of its secret stays, without journey or time."""
    await connection.execute(delete(offers).where(offers.c.handoff_id == offer.handoff_id))
    noted = (inbox_keys.c.topic == HANDOFFS) & (inbox_keys.c.key == str(offer.handoff_id))
    await connection.execute(delete(inbox_keys).where(noted))
    await add_if_new(connection, spent_secrets, {"lookup_hash": offer.lookup_hash})


async def is_spent(connection: AsyncConnection, lookup_hash: str) -> bool:
    """Whether a secret was used."""
    return bool(await connection.scalar(select(exists().where(spent_secrets.c.lookup_hash == lookup_hash))))


async def settle_spent(connection: AsyncConnection) -> None:
    """Write the newly spent hashes anew, together and in the order of the hash.

    Rows written by one transaction share a transaction number (xmin): what the claim wrote would otherwise point to its secret.
    """
    hashes = await connection.scalars(delete(spent_secrets).where(~spent_secrets.c.settled).returning(spent_secrets.c.lookup_hash))
    if rows := [{"lookup_hash": value, "settled": True} for value in sorted(hashes)]:
        await connection.execute(insert(spent_secrets), rows)


async def is_over(connection: AsyncConnection, handoff_id: UUID, lookup_hash: str) -> bool:
    """Whether the withdrawal came before the offer, or its secret was used."""
    return bool(await connection.scalar(_IS_OVER, {"handoff_id": handoff_id, "lookup_hash": lookup_hash}))


async def remember_withdrawal(connection: AsyncConnection, handoff_id: UUID, delete_after: datetime) -> None:
    await add_if_new(connection, withdrawn_early, {"handoff_id": handoff_id, "delete_after": delete_after})


async def add_holder(connection: AsyncConnection, holder: HolderRow, delete_after: datetime) -> None:
    values = {name: getattr(holder, name) for name in HolderRow.__slots__} | {"tried": list(holder.tried), "delete_after": delete_after}
    await connection.execute(insert(holders), values)


async def holder_of(connection: AsyncConnection, id_hash: bytes, now: datetime, *, lock: bool = False) -> HolderRow | None:
    """The holder whose time isn't up."""
    query = select(holders).where(holders.c.id_hash == id_hash, holders.c.delete_after > now)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    return HolderRow(row.id_hash, row.lookup_hash, row.locator, tuple(row.tried), row.sealed_secret, row.presented_at)


async def save_holder(connection: AsyncConnection, holder: HolderRow) -> None:
    values = {"lookup_hash": holder.lookup_hash, "tried": list(holder.tried), "sealed_secret": holder.sealed_secret}
    await connection.execute(update(holders).where(holders.c.id_hash == holder.id_hash).values(values))


async def drop_holder(connection: AsyncConnection, id_hash: bytes) -> None:
    await connection.execute(delete(holders).where(holders.c.id_hash == id_hash))


async def lock_tries(connection: AsyncConnection, subject: str, now: datetime) -> Tries:
    """The wrong codes of a locator or a login, held until the transaction ends so that parallel tries are counted."""
    fresh = upsert(tries).values(subject=subject, wrong=0, delete_after=now + CLOSED)
    held = fresh.on_conflict_do_update(index_elements=["subject"], set_={"subject": subject})
    row = (await connection.execute(held.returning(tries.c.wrong, tries.c.closed_until, tries.c.delete_after))).one()
    return Tries(row.wrong, row.closed_until) if row.delete_after > now else Tries(0, None)


async def save_tries(connection: AsyncConnection, subject: str, counted: Tries, now: datetime) -> None:
    values = {"wrong": counted.wrong, "closed_until": counted.closed_until, "delete_after": now + CLOSED}
    await connection.execute(update(tries).where(tries.c.subject == subject).values(values))


async def expired_offers(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """Open offers whose time is up and that no browser presented in time and may still bind."""
    in_time = exists().where(
        holders.c.delete_after > now,
        holders.c.presented_at < offers.c.expires_at,
        (holders.c.lookup_hash == offers.c.lookup_hash) | (holders.c.lookup_hash.is_(None) & (holders.c.locator == offers.c.locator)),
    )
    query = select(offers.c.handoff_id).where(offers.c.state == OfferState.OPEN.value, offers.c.expires_at <= now, ~in_time)
    return list(await connection.scalars(query.with_for_update(skip_locked=True)))


async def delete_overdue_claims(connection: AsyncConnection, now: datetime) -> None:
    """Forget what has served: closed offers, early withdrawals, holders and wrong codes."""
    await connection.execute(delete(offers).where(offers.c.delete_after <= now, offers.c.state != OfferState.OPEN.value))
    for table in (withdrawn_early, holders, tries):
        await connection.execute(delete(table).where(table.c.delete_after <= now))
