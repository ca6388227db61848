"""`python -m bench.pages_floor PORT`: the least that a page of this stack can be, served with the settings of every service."""

import asyncio
import sys

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from servicekit.process import server

PAGE = "<!doctype html><title>Side</title><p>" + "Hei. " * 1600
"""About as long as info's pages are over the wire."""


def app() -> FastAPI:
    """One page at every address, nothing looked up, nothing drawn."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @made.get("/{path:path}")
    async def page(path: str) -> HTMLResponse:  # noqa: ARG001 - whatever is asked for
        return HTMLResponse(PAGE)

    return made


if __name__ == "__main__":
    asyncio.run(server(app(), "127.0.0.1", int(sys.argv[1])).serve())
