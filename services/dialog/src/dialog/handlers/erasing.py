"""After a restore: what the ledger of deletions says is deleted again, and told as any deletion is."""

from collections.abc import Collection
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork

from dialog.handlers.chats import CHAT, DeleteChat, delete_chat_now
from dialog.handlers.handoffs import HANDOFF
from dialog.handlers.handoffs import take_back as take_back_handoff
from dialog.handlers.questions import PUBLICATION, QUESTION, destroy, take_back
from dialog.store.chats import chats_among
from dialog.store.handoffs import handoffs_among
from dialog.store.publications import publications_among
from dialog.store.questions import questions_among


async def erase_questions(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    found = await questions_among(uow.connection, ids)
    for question in found:
        await destroy(question, uow)
    return len(found)


async def erase_publications(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    found = await publications_among(uow.connection, ids)
    for publication in found:
        await take_back(publication, uow)
    return len(found)


async def erase_chats(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    found = await chats_among(uow.connection, ids)
    for chat_id in found:
        await delete_chat_now(DeleteChat(chat_id), uow)
    return len(found)


async def erase_handoffs(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    """Not counted as withdrawn: the count of its bucket was told."""
    found = await handoffs_among(uow.connection, ids)
    for handoff in found:
        await take_back_handoff(handoff, uow)
    return len(found)


ERASERS = {QUESTION: erase_questions, PUBLICATION: erase_publications, CHAT: erase_chats, HANDOFF: erase_handoffs}
"""By kind in the ledger."""
