"""`python -m bench.delivery.door_server`: info as it is, with one more route that takes a command as JSON."""

import asyncio
from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from info.main import create_service
from info.settings import Settings
from pydantic import BaseModel
from servicekit import logs, telemetry
from servicekit.process import Part, run
from servicekit.web.transaction import Transaction

from bench.delivery.articles import withdraw

router = APIRouter()


class Withdrawal(BaseModel):
    """What is asked for."""

    article: UUID


class Withdrawn(BaseModel):
    """What came of it."""

    told: int


@router.post("/bench/withdrawals")
async def withdrawal(asked: Withdrawal, begin: Transaction) -> Withdrawn:
    """The door opens the transaction, the handler does the work."""
    async with begin() as uow:
        told = await withdraw(asked.article, uow)
    return Withdrawn(told=told)


if __name__ == "__main__":
    service = create_service(Settings())
    logs.configure("info", "WARNING")
    telemetry.configure("info", "bench", None, None)
    asyncio.run(run(replace(service, routers=[*service.routers, router]), frozenset({Part.SERVE})))
