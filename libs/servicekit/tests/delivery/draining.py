"""A service with open streams and slow handlers: `python draining.py DSN PORT INTERNAL_PORT GROUP`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from contracts.info import ArticleWithdrawn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from servicekit.delivery import consumer
from servicekit.delivery.outbox import UnitOfWork
from servicekit.process import Part, run
from servicekit.service import Service
from servicekit.settings import ServiceSettings
from slow_reader import COUNT

router = APIRouter()


class Plain:
    """Pages without a look."""

    def install(self, app: FastAPI) -> None:
        """Nothing to install."""

    def share(self, app: FastAPI) -> None:
        """Nothing to share."""

    def error(self, *_: Any, **__: Any) -> Response:
        return HTMLResponse("error", 500)


@router.get("/polite")
async def polite(request: Request) -> StreamingResponse:
    async def words() -> AsyncIterator[str]:
        yield "hello "
        await request.app.state.stopping.wait()
        yield "bye"

    return StreamingResponse(words(), media_type="text/event-stream")


@router.get("/stubborn")
async def stubborn() -> StreamingResponse:
    async def words() -> AsyncIterator[str]:
        while True:
            yield "still here "
            await asyncio.sleep(0.2)

    return StreamingResponse(words(), media_type="text/event-stream")


async def count(event: Any, uow: UnitOfWork) -> None:
    assert uow.received is not None
    await uow.connection.execute(COUNT, {"id": event.publication_id, "sequence": uow.received.sequence})
    await asyncio.sleep(0.05)


def main(dsn: str, port: str, internal: str, group: str) -> None:
    settings = ServiceSettings(database_url=dsn, port=int(port), internal_port=int(internal))
    consumer.Consumer = partial(consumer.Consumer, group=group)  # a group of this test's own
    asyncio.run(run(Service("reporting", settings, [router], Plain(), {ArticleWithdrawn: count}), frozenset(Part)))


if __name__ == "__main__":
    main(*sys.argv[1:])
