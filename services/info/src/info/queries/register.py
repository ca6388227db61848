"""The register of help services: entries, filters, and what is open at this moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.codes import Channel, ServiceKind
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import (
    Hours,
    Live,
    ServiceGoneError,
    ServiceNotFoundError,
    Shift,
    State,
    closes_at,
    is_fresh,
    local_date,
    norwegian_order,
    opens_next,
    plain_words,
    state_of,
)
from info.store import availability, help_services, hours_of

AT_ONCE = (Channel.CHAT, Channel.PHONE, Channel.SMS)
"""Channels on which a human answers while one waits, wherever one is."""
SHORTEST_NAME = 3
"""Letters from which on a word of a search may be the beginning of a name in the register."""


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
    hours: Hours
    assured_on: date | None
    about: dict[str, str]
    state: State
    heard_at: datetime | None
    """When the service itself said so, UTC; None = `state` follows from its ordinary hours."""
    closes_at: datetime | None
    """By its ordinary hours, UTC; None = closed, not known, or always open."""
    opens_next: datetime | None
    """By its ordinary hours, UTC; None = open, or not known."""
    opens_in_days: int | None
    """Calendar days in Oslo until `opens_next`: 0 = today."""
    queue_length: int | None
    wait_minutes: int | None

    @property
    def open_now(self) -> bool:
        return self.state is State.OPEN

    @property
    def is_live(self) -> bool:
        return self.heard_at is not None

    @property
    def always_open(self) -> bool:
        return self.hours.always

    @property
    def shifts(self) -> tuple[Shift, ...]:
        return self.hours.shifts

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
    language: str | None = None
    age: int | None = None
    """Years: services that are for somebody of this age."""
    open_now: bool = False
    national: bool = False
    """Only those for the whole country."""


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that has an entry of its own."""

    number: str
    name: str


async def services(connection: AsyncConnection, wanted: Wanted, instant: datetime) -> list[Entry]:
    """The entries that fit. With a municipality its own come first; then open before closed, then by name in Norwegian order."""
    rows = (await connection.execute(_narrowed(wanted))).all()
    entries = [_entry(row, instant) for row in rows]
    kept = [entry for entry in entries if entry.open_now or not wanted.open_now]

    def is_far(entry: Entry) -> bool:
        return wanted.municipality is not None and entry.municipality is None

    order = {State.OPEN: 0, State.UNKNOWN: 1, State.CLOSED: 2}
    return sorted(kept, key=lambda entry: (is_far(entry), order[entry.state], norwegian_order(entry.name)))


def _narrowed(wanted: Wanted) -> Any:
    column = help_services.c
    conditions = [
        wanted.topic and column.topic_codes.any(wanted.topic),
        wanted.channel and column.channels.any(wanted.channel),
        wanted.language and column.languages.any(wanted.language),
        wanted.kind and column.kind == wanted.kind,
        wanted.municipality and (column.municipality == wanted.municipality) | column.municipality.is_(None),
        column.municipality.is_(None) if wanted.national else None,
        None if wanted.age is None else (column.age_from.is_(None) | (column.age_from <= wanted.age)),
        None if wanted.age is None else (column.age_to.is_(None) | (column.age_to >= wanted.age)),
    ]
    return _joined().where(column.delisted_at.is_(None), *(condition for condition in conditions if condition is not None))


async def answering_now(connection: AsyncConnection, topic: str | None, instant: datetime) -> list[Entry]:
    """Who in the whole country answers now, those for the topic first."""
    return answering(await services(connection, Wanted(national=True), instant), topic)


def answering(entries: Iterable[Entry], topic: str | None, most: int = 3) -> list[Entry]:
    """Who answers at this moment, those for the topic first: one to write with and one to call before a second of a kind.

    112, 113 and the casualty clinic only where nobody else is there: they stand on every page anyway.
    """
    there = [entry for entry in entries if entry.open_now and not set(AT_ONCE).isdisjoint(entry.channels)]
    there.sort(key=lambda e: (e.kind == ServiceKind.EMERGENCY, topic not in e.topic_codes, e.wait_minutes or 0, norwegian_order(e.name)))
    first_of = {_way_in(entry): entry for entry in reversed(there) if entry.kind != ServiceKind.EMERGENCY}
    there.sort(key=lambda entry: entry is not first_of.get(_way_in(entry)))
    return there[:most]


@dataclass(frozen=True, slots=True)
class Way:
    """How one way to a human is at this moment, over all entries that have it."""

    state: State
    open: int
    """How many are open."""
    is_live: bool
    """Whether one of the open ones said so itself."""
    wait_minutes: int | None
    """The shortest that an open one has told."""
    opens_next: datetime | None
    """When the first of them opens; None where one is open, or none says."""
    opens_in_days: int | None


def way(entries: Iterable[Entry], channel: Channel) -> Way:
    """How it is with a channel. The emergency numbers don't count: they are always open, and for emergencies."""
    having = [entry for entry in entries if channel in entry.channels and entry.kind != ServiceKind.EMERGENCY]
    there = [entry for entry in having if entry.open_now]
    unknown = not having or any(entry.state is State.UNKNOWN for entry in having)
    waits = [entry.wait_minutes for entry in there if entry.wait_minutes is not None]
    opening = [(entry.opens_next, entry.opens_in_days) for entry in having if entry.opens_next is not None]
    opens, days = (None, None) if there or not opening else min(opening)
    state = State.OPEN if there else State.UNKNOWN if unknown else State.CLOSED
    return Way(state, len(there), any(entry.is_live for entry in there), min(waits, default=None), opens, days)


def _way_in(entry: Entry) -> Channel:
    return next(channel for channel in AT_ONCE if channel in entry.channels)


def named(entries: Iterable[Entry], query: str, most: int = 3) -> list[Entry]:
    """The entries that most words of a search begin a word of their name or place with, in the order given."""
    asked = [word for word in plain_words(query) if len(word) >= SHORTEST_NAME]

    def fit(entry: Entry) -> int:
        known = plain_words(f"{entry.name} {entry.municipality_name or ''}")
        return sum(any(name.startswith(word) for name in known) for word in asked)

    fits = [(fit(entry), entry) for entry in entries]
    best = max((found for found, _ in fits), default=0)
    return [entry for found, entry in fits if found == best][:most] if best else []


async def service(connection: AsyncConnection, service_id: UUID, instant: datetime) -> Entry:
    """Raises ServiceNotFoundError, or ServiceGoneError for one that was taken out of the register."""
    row = (await connection.execute(_joined().where(help_services.c.service_id == service_id))).one_or_none()
    if row is None:
        raise ServiceNotFoundError
    if row.delisted_at is not None:
        raise ServiceGoneError
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
    return select(help_services, *columns).select_from(both)


_COPIED: Sequence[str] = [name for name in Entry.__slots__ if name in help_services.c]


def _entry(row: Row[Any], instant: datetime) -> Entry:
    hours = hours_of(row)
    live = Live(row.live_open, row.heard_at) if row.live_open is not None and row.kind == ServiceKind.CHAT_SERVICE else None
    state = state_of(hours, live, instant)
    is_open = state is State.OPEN
    opens = None if is_open or hours.always else opens_next(hours, instant)
    copied = {name: getattr(row, name) for name in _COPIED}
    lists = {name: tuple(copied[name]) for name in ("topic_codes", "channels", "languages")}
    return Entry(
        **{**copied, **lists},
        hours=hours,
        state=state,
        heard_at=live.heard_at if live is not None and is_fresh(live, instant) else None,
        closes_at=closes_at(hours, instant) if is_open and not hours.always else None,
        opens_next=opens,
        opens_in_days=(local_date(opens) - local_date(instant)).days if opens else None,
        queue_length=row.queue_length if is_open else None,
        wait_minutes=row.wait_minutes if is_open else None,
    )
