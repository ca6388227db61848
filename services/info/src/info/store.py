"""All that info knows of its database: tables, and the rows that a change must hold."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    delete,
    false,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import Hours, Shift, folded

metadata = MetaData()

articles = Table(
    "articles",
    metadata,
    Column("publication_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False, comment="facts told about this row"),
    Column("slug", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False, comment="one or two sentences, plain text"),
    Column("body", Text, nullable=False, comment="Markdown"),
    Column("topic_code", Text, nullable=False),
    Column("owner_number", Text, nullable=False),
    Column("owner_name", Text, nullable=False),
    Column("sources", JSONB, nullable=False, comment="[[title, url]]"),
    Column("related", ARRAY(Text), nullable=False, comment="slugs"),
    Column("search_words", ARRAY(Text), nullable=False, comment="what youths write when they mean this"),
    Column("hard_topic", Boolean, nullable=False, comment="shows the full crisis block"),
    Column("reviewed_on", Date, nullable=False),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("withheld", Boolean, nullable=False, server_default=false(), comment="an editor withdrew it: only an editor brings it back"),
    UniqueConstraint("slug", "language"),
)

answers = Table(
    "answers",
    metadata,
    Column("publication_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False, comment="facts told about this row; 0 = recalled before it was approved"),
    Column("title", Text, comment="null once withdrawn, like every text here"),
    Column("question", Text),
    Column("answer", Text),
    Column("topic_code", Text),
    Column("language", Text),
    Column("age_band", Text),
    Column("answered_on", Date),
    Column("answered_by", Text),
    Column("sources", JSONB, comment="[[title, url]]"),
    Column("related", ARRAY(Text), comment="slugs of articles"),
    Column("search_words", ARRAY(Text), comment="what youths write when they mean this"),
    Column("hard_topic", Boolean, comment="shows the full crisis block"),
    Column("withdrawn_at", DateTime(timezone=True), comment="a withdrawn answer never comes back"),
)

help_services = Table(
    "help_services",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False, comment="facts told about this row"),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("owner_number", Text, nullable=False),
    Column("owner_name", Text, nullable=False),
    Column("topic_codes", ARRAY(Text), nullable=False),
    Column("channels", ARRAY(Text), nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("age_from", SmallInteger, comment="years, inclusive"),
    Column("age_to", SmallInteger, comment="years, inclusive"),
    Column("municipality", Text, comment="4 digits; null = the whole country"),
    Column("municipality_name", Text),
    Column("phone", Text),
    Column("url", Text),
    Column("opening_hours", JSONB, nullable=False, comment="[[weekday, opens, closes]], local time in Oslo"),
    Column("always_open", Boolean, nullable=False),
    Column("on_holidays", Text, comment="closed | usual; null = not known"),
    Column("special_days", JSONB, comment="date -> [[opens, closes]], in place of the week's hours; [] = closed"),
    Column("assured_on", Date),
    Column("about", JSONB, nullable=False, comment="language -> text"),
    Column("delisted_at", DateTime(timezone=True)),
)

availability = Table(
    "availability",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("open", Boolean, comment="null = only its queue was heard of"),
    Column("queue_length", Integer),
    Column("wait_minutes", Integer, comment="estimate; null = not known"),
    Column("heard_at", DateTime(timezone=True), comment="when the network last said open or closed"),
)

usage_counts = Table(
    "usage_counts",
    metadata,
    Column("bucket_start", DateTime(timezone=True), primary_key=True),
    Column("page_class", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)

search_texts = Table(
    "search_texts",
    metadata,
    Column("publication_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, comment="article | answer"),
    Column("work", Text, nullable=False, comment="the same for all translations of one text"),
    Column("language", Text, nullable=False),
    Column("topic_code", Text, nullable=False),
    Column("age_band", Text, comment="of who asked; null for articles"),
    Column("title", Text, nullable=False),
    Column("plain", Text, nullable=False, comment="the text without markup, for snippets"),
    Column("folded", Text, nullable=False, comment="title and key words without case and accents: misspellings, compounds"),
    Column("vector", TSVECTOR, nullable=False),
    Index("search_texts_vector", "vector", postgresql_using="gin"),
    Index("search_texts_folded", "folded", postgresql_using="gin", postgresql_ops={"folded": "gin_trgm_ops"}),
)


@dataclass(frozen=True, slots=True)
class SearchText:
    """What the search knows of one published text."""

    publication_id: UUID
    kind: str
    work: str
    language: str
    topic_code: str
    title: str
    summary: str
    plain: str
    search_words: Sequence[str] = ()
    age_band: str | None = None


def hours_to_columns(hours: Hours) -> dict[str, Any]:
    """The columns of a help service that hold its hours."""
    return {
        "opening_hours": [[shift.weekday, *_clocks(shift)] for shift in hours.shifts],
        "always_open": hours.always,
        "on_holidays": hours.on_holidays,
        "special_days": {day.isoformat(): [_clocks(shift) for shift in shifts] for day, shifts in hours.special_days.items()},
    }


def hours_of(row: Row[Any]) -> Hours:
    """The hours that a row of `help_services` holds."""
    special = {date.fromisoformat(day): shifts for day, shifts in (row.special_days or {}).items()}

    def shift(weekday: int, opens: str, closes: str) -> Shift:
        return Shift(weekday, time.fromisoformat(opens), time.fromisoformat(closes))

    return Hours(
        shifts=tuple(shift(*columns) for columns in row.opening_hours),
        always=row.always_open,
        on_holidays=row.on_holidays,
        special_days={day: tuple(shift(day.isoweekday(), *clocks) for clocks in shifts) for day, shifts in special.items()},
    )


def _clocks(shift: Shift) -> list[str]:
    return [shift.opens.isoformat("minutes"), shift.closes.isoformat("minutes")]


def text_configuration(language: str) -> str:
    """The text search configuration of a language: Norwegian stemming serves both written forms."""
    return "info_english" if language == "en" else "info_norwegian"


async def hold(connection: AsyncConnection, table: Table, key: UUID) -> Row[Any] | None:
    """The row with this primary key, held until the transaction ends, so that its facts are told in order.

    Where there is no row yet its place is held, so that two cannot both be the first.
    """
    (column,) = table.primary_key.columns
    query = select(table).where(column == key).with_for_update()
    if (row := (await connection.execute(query)).one_or_none()) is not None:
        return row
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(key), 0))))
    return (await connection.execute(query)).one_or_none()


_INDEX = text(
    """insert into search_texts (publication_id, kind, work, language, topic_code, age_band, title, plain, folded, vector)
    select :publication_id, :kind, :work, :language, :topic_code, :age_band, cast(:title as text), cast(:plain as text), :folded,
      setweight(to_tsvector(configuration, cast(:title as text)), 'A') || setweight(to_tsvector(configuration, :near), 'B')
      || setweight(to_tsvector(configuration, cast(:plain as text)), 'C')
    from cast(cast(:configuration as text) as regconfig) configuration
    on conflict (publication_id) do update set language = excluded.language, topic_code = excluded.topic_code, work = excluded.work,
      age_band = excluded.age_band,
      title = excluded.title, plain = excluded.plain, folded = excluded.folded, vector = excluded.vector"""
)


async def index(connection: AsyncConnection, found: SearchText) -> None:
    """Make a text findable, in place of what was indexed under its id."""
    values = asdict(found)
    near = " ".join([values.pop("summary"), *values.pop("search_words")])
    values |= {"near": near, "folded": folded(f"{found.title} {near}"), "configuration": text_configuration(found.language)}
    await connection.execute(_INDEX, values)


async def unindex(connection: AsyncConnection, publication_id: UUID) -> None:
    """Make a text impossible to find, title and all."""
    await connection.execute(delete(search_texts).where(search_texts.c.publication_id == publication_id))
