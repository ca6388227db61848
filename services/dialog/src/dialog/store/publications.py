"""What dialog remembers of a published answer: enough to take it back, nothing of its text and no question's id."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Column, Integer, LargeBinary, Table, Uuid, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.publications import Publication
from dialog.store import metadata

publications = Table(
    "publications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("told", Integer, nullable=False),
    Column("receipt_hash", LargeBinary, nullable=False, index=True),
)


async def add_publication(connection: AsyncConnection, publication: Publication) -> None:
    values = {"id": publication.id, "told": publication.told, "receipt_hash": publication.receipt_hash}
    await connection.execute(insert(publications).values(values))


async def lock_publication_by_receipt(connection: AsyncConnection, receipt_hash: bytes) -> Publication | None:
    """The publication that a receipt code may take back, held until the transaction ends; None if there is none."""
    found = (
        await connection.execute(select(publications).where(publications.c.receipt_hash == receipt_hash).with_for_update())
    ).one_or_none()
    return None if found is None else Publication(found.id, found.told, found.receipt_hash)


async def publications_among(connection: AsyncConnection, ids: Collection[UUID]) -> list[Publication]:
    """Those of the given ids that stand, held until the transaction ends."""
    rows = await connection.execute(select(publications).where(publications.c.id.in_(ids)).order_by(publications.c.id).with_for_update())
    return [Publication(row.id, row.told, row.receipt_hash) for row in rows]


async def drop_publication(connection: AsyncConnection, publication_id: UUID) -> None:
    """After the recall was told there is nothing left to take back."""
    await connection.execute(delete(publications).where(publications.c.id == publication_id))
