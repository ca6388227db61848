"""The transaction that a door hands to a use case."""

from typing import Annotated

from fastapi import Depends, Request

from servicekit.delivery.outbox import Begin


async def begin_of(request: Request) -> Begin:
    """The way in which a door opens its transaction. Async: FastAPI runs plain functions in a thread, for each request."""
    begin: Begin = request.app.state.begin
    return begin


Transaction = Annotated[Begin, Depends(begin_of)]
