"""The register of help services: entries, filters, and what is open at this moment."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from contracts.codes import ServiceKind
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import Live, ServiceNotFoundError, Shift, closes_at, is_fresh, is_open, norwegian_order, opens_next
from info.store import availability, help_services


@dataclass(frozen=True, slots=True)
class Entry:
    """A help service as it stands in the register, and how it is at the moment of asking."""

    service_id: UUID
    name: str
    kind: str
    owner_number: str
    owner_name: str
    topic_codes: tuple[str, ...]
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    age_from: int | None
    age_to: int | None
    municipality: str | None
    municipality_name: str | None
    phone: str | None
    url: str | None
    shifts: tuple[Shift, ...]
    always_open: bool
    assured_on: date | None
    about: dict[str, str]
    open_now: bool
    is_live: bool
    """`open_now` is what the service itself said, not its ordinary hours."""
    closes_at: datetime | None
    """By its ordinary hours, UTC; None = closed, or always open."""
    opens_next: datetime | None
    """By its ordinary hours, UTC; None = open, or no hours."""
    queue_length: int | None
    wait_minutes: int | None

    def about_in(self, language: str) -> tuple[str, str]:
        """The description and the language that it's in."""
        found = language if language in self.about else "nb"
        return self.about.get(found, ""), found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of services is narrowed to; None = no matter."""

    topic: str | None = None
    municipality: str | None = None
    """Local services of this municipality, and all that serve the whole country."""
    kind: str | None = None
    channel: str | None = None
    open_now: bool = False


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that has an entry of its own."""

    number: str
    name: str


async def services(connection: AsyncConnection, wanted: Wanted, instant: datetime) -> list[Entry]:
    """The entries that fit. With a municipality its own come first; then open before closed, then by name in Norwegian order."""
    query = _joined()
    column = help_services.c
    if wanted.topic:
        query = query.where(column.topic_codes.any(wanted.topic))
    if wanted.channel:
        query = query.where(column.channels.any(wanted.channel))
    if wanted.kind:
        query = query.where(column.kind == wanted.kind)
    if wanted.municipality:
        query = query.where((column.municipality == wanted.municipality) | column.municipality.is_(None))
    entries = [_entry(row, instant) for row in (await connection.execute(query)).all()]
    kept = [entry for entry in entries if entry.open_now or not wanted.open_now]

    def is_far(entry: Entry) -> bool:
        return wanted.municipality is not None and entry.municipality is None

    return sorted(kept, key=lambda entry: (is_far(entry), not entry.open_now, norwegian_order(entry.name)))


async def service(connection: AsyncConnection, service_id: UUID, instant: datetime) -> Entry:
    """Raises ServiceNotFoundError."""
    row = (await connection.execute(_joined().where(help_services.c.service_id == service_id))).one_or_none()
    if row is None:
        raise ServiceNotFoundError
    return _entry(row, instant)


async def municipalities(connection: AsyncConnection) -> list[Municipality]:
    """Those that the register has local services in, in Norwegian order."""
    column = help_services.c
    query = select(column.municipality, column.municipality_name).where(column.municipality.is_not(None), column.delisted_at.is_(None))
    rows = (await connection.execute(query.distinct())).all()
    return sorted((Municipality(*row) for row in rows), key=lambda found: norwegian_order(found.name))


def _joined() -> Any:
    live = availability.c
    columns = (live.open.label("live_open"), live.queue_length, live.wait_minutes, live.heard_at)
    both = help_services.outerjoin(availability, help_services.c.service_id == live.service_id)
    return select(help_services, *columns).select_from(both).where(help_services.c.delisted_at.is_(None))


def _entry(row: Row[Any], instant: datetime) -> Entry:
    shifts = tuple(Shift(day, time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in row.opening_hours)
    live = Live(row.live_open, row.heard_at) if row.live_open is not None and row.kind == ServiceKind.CHAT_SERVICE else None
    open_now = is_open(shifts, row.always_open, live, instant)
    copied = {name: getattr(row, name) for name in Entry.__slots__ if name in help_services.c}
    lists = {name: tuple(getattr(row, name)) for name in ("topic_codes", "channels", "languages")}
    return Entry(
        **{**copied, **lists},
        shifts=shifts,
        open_now=open_now,
        is_live=live is not None and is_fresh(live, instant),
        closes_at=closes_at(shifts, instant) if open_now and not row.always_open else None,
        opens_next=None if open_now or row.always_open else opens_next(shifts, instant),
        queue_length=row.queue_length if open_now else None,
        wait_minutes=row.wait_minutes if open_now else None,
    )
