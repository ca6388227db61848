"""Which chat services are open over HTTP: numbers that anyone may see, nothing else."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from servicekit.web.transaction import Transaction

from dialog.queries.availability import chat_services

router = APIRouter(prefix="/api")


class ChatDoor(BaseModel):
    """One chat service now."""

    service_id: UUID = Field(description="Id in the register of help services")
    name: str
    open: bool = Field(description="A helper is on duty")
    takes_chats: bool = Field(description="Open, and the queue isn't full")
    waiting: int = Field(description="Chats in the queue")
    wait_minutes: int | None = Field(description="Honest estimate for the next one who asks, minutes; null = closed")


@router.get("/chats/state")
async def state(begin: Transaction) -> list[ChatDoor]:
    async with begin() as uow:
        found = await chat_services(uow.connection)
    return [
        ChatDoor(
            service_id=each.entry.service_id,
            name=each.entry.name,
            open=each.provider.is_open,
            takes_chats=each.takes_chats,
            waiting=each.load.waiting,
            wait_minutes=each.wait_minutes,
        )
        for each in found
    ]
