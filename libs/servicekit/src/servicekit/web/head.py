"""HEAD is answered as GET without the body (RFC 9110, 9.3.2), on every route that answers GET."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: the application sees GET, the client gets the headers. A stream is ended once its headers are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        streams = asyncio.Event()

        async def without_body(message: Message) -> None:
            if message["type"] != "http.response.start":
                return
            scope["method"] = "HEAD"  # the server, which counts the bytes of a body, must know that there is none
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream"):
                streams.set()

        scope["method"] = "GET"
        answer = asyncio.ensure_future(self._app(scope, receive, without_body))
        endless = asyncio.create_task(streams.wait())
        try:
            await asyncio.wait({answer, endless}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                answer.cancel()
            with suppress(asyncio.CancelledError):
                await answer
        finally:
            scope["method"] = "HEAD"
            answer.cancel()
            endless.cancel()
