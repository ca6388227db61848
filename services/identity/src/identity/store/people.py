"""Who has been here: a random id per person, the number sealed, and a random subject per person and reader."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from servicekit.crypto import Vault, hkdf, keyed_hash
from servicekit.upserts import add_if_new
from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from identity.store import MOMENT, metadata

people = Table(
    "people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lookup", LargeBinary, nullable=False, unique=True),
    Column("data_key", LargeBinary, nullable=False),
    Column("known_as", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)
"""`lookup`: HMAC under a service key, so that the table can't be searched without it. `known_as`: the number, or a provider's
name for someone at work, sealed under a key of its own: without `data_key` it's gone."""

subjects = Table(
    "subjects",
    metadata,
    Column("person_id", Uuid, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("subject", Uuid, nullable=False, unique=True),
)
"""Random, so that no two services can compare whom they know."""


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """What opens and finds people; made from the key files in `main`."""

    service: bytes
    vault: Vault

    def lookup(self, *parts: str) -> bytes:
        return keyed_hash(hkdf(self.service, "people lookup"), *(part.encode() for part in parts))


async def find_or_add(connection: AsyncConnection, keys: PersonKeys, kind: str, name: str, now: datetime) -> UUID:
    """The person that a provider knows by `name` (`kind`: number, or the provider). Two first logins at once give one person."""
    lookup, fresh = keys.lookup(kind, name), uuid4()
    found: UUID | None = await connection.scalar(select(people.c.id).where(people.c.lookup == lookup))
    if found is not None:
        return found
    context = fresh.bytes
    wrapped = keys.vault.new_key(context)
    row = {
        "id": fresh,
        "lookup": lookup,
        "data_key": wrapped,
        "known_as": keys.vault.encrypt(wrapped, name, context),
        "created_at": now,
    }
    await add_if_new(connection, people, row, "lookup")
    person: UUID = (await connection.execute(select(people.c.id).where(people.c.lookup == lookup))).scalar_one()
    return person


async def subject_of(connection: AsyncConnection, person_id: UUID, reader: str) -> UUID:
    """The person's name at one reader; made at the first login there."""
    row = {"person_id": person_id, "reader": reader, "subject": uuid4()}
    await add_if_new(connection, subjects, row, "person_id", "reader")
    mine = (subjects.c.person_id == person_id) & (subjects.c.reader == reader)
    subject: UUID = (await connection.execute(select(subjects.c.subject).where(mine))).scalar_one()
    return subject
