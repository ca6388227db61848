"""Our copy of the register: the units that take appointments. And the dated rules of age."""

from dataclasses import dataclass
from uuid import UUID

from contracts.codes import LevelOfAssurance
from servicekit.upserts import put
from sqlalchemy import Boolean, Column, Date, Integer, Row, Select, Table, Text, Uuid, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.ages import AgeRule, Reception
from helpjourney.store import metadata

units = Table(
    "units",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner_name", Text, nullable=False),
    Column("owner_number", Text, nullable=False),
    Column("municipality", Text, index=True),
    Column("phone", Text),
    Column("age_from", Integer),
    Column("age_to", Integer),
    Column("takes_drop_in", Boolean, nullable=False),
    Column("is_listed", Boolean, nullable=False),
)
age_rules = Table(
    "age_rules",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("age_from", Integer, nullable=False),
    Column("age_to", Integer),
    Column("reception", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("owner", Text, nullable=False),
    Column("source", Text, nullable=False),
)


_LAST = str.maketrans("æøå", "{|}")


class UnitNotFoundError(Exception):
    """No such unit takes appointments."""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit as the register last told it."""

    service_id: UUID
    name: str
    owner_name: str
    owner_number: str
    municipality: str | None
    phone: str | None
    age_from: int | None
    age_to: int | None
    takes_drop_in: bool
    is_listed: bool


async def save_unit(connection: AsyncConnection, unit: UnitRow) -> None:
    await put(connection, units, {name: getattr(unit, name) for name in UnitRow.__slots__})


async def delist_unit(connection: AsyncConnection, service_id: UUID) -> None:
    """It takes no new wishes; appointments that it has are kept."""
    await connection.execute(update(units).where(units.c.service_id == service_id).values(is_listed=False))


async def unit_of(connection: AsyncConnection, service_id: UUID) -> UnitRow:
    """The unit, listed or not. Raises UnitNotFoundError."""
    row = (await connection.execute(select(units).where(units.c.service_id == service_id))).one_or_none()
    if row is None:
        raise UnitNotFoundError
    return _unit(row)


async def units_in(connection: AsyncConnection, municipality: str | None, age: int) -> list[UnitRow]:
    """Units of a municipality, and those for the whole country, that meet this age; sorted by name in Norwegian order."""
    query = _for_age(age).where((units.c.municipality == municipality) | units.c.municipality.is_(None))
    return sorted((_unit(row) for row in await connection.execute(query)), key=lambda unit: norwegian(unit.name))


async def municipalities(connection: AsyncConnection, age: int) -> list[tuple[str, str]]:
    """Number and owner's name of every municipality where a unit meets this age."""
    rows = await connection.execute(_for_age(age).where(units.c.municipality.is_not(None)))
    return sorted({row.municipality: row.owner_name for row in rows}.items(), key=lambda pair: norwegian(pair[1]))


def norwegian(name: str) -> str:
    """A key that sorts æ, ø and å last, whatever the database's collation is."""
    return name.casefold().translate(_LAST)


async def rules_of_age(connection: AsyncConnection) -> list[AgeRule]:
    """All rules, of all times; the domain picks by day."""
    rows = await connection.execute(select(age_rules).order_by(age_rules.c.valid_from.desc(), age_rules.c.age_from))
    return [
        AgeRule(row.age_from, row.age_to, Reception(row.reception), LevelOfAssurance(row.level), row.valid_from, row.valid_to)
        for row in rows
    ]


def _for_age(age: int) -> Select[tuple[object, ...]]:
    old_enough = (units.c.age_from.is_(None)) | (units.c.age_from <= age)
    young_enough = (units.c.age_to.is_(None)) | (units.c.age_to >= age)
    return select(units).where(units.c.is_listed, old_enough, young_enough)


def _unit(row: Row[tuple[object, ...]]) -> UnitRow:
    return UnitRow(**{name: row._mapping[name] for name in UnitRow.__slots__})
