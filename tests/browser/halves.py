"""A page that comes in two halves, as on a bad net: the first one can be painted before the second is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from deploy.local.loopback import client


@asynccontextmanager
async def in_halves(host: str, before: str, rest: asyncio.Event) -> AsyncIterator[str]:
    """Yields the address of a server that gives out what `host` does, but holds pages back from this piece of markup on until `rest`."""
    async with client(30) as upstream:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                asked = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                headers = {"accept": "text/html", "accept-language": asked.get("accept-language", "nb")}
                await _give(writer, await upstream.get(host + head[0].split(" ")[1], headers=headers), before.encode(), rest)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


async def _give(writer: asyncio.StreamWriter, got: httpx.Response, before: bytes, rest: asyncio.Event) -> None:
    writer.write(f"HTTP/1.0 {got.status_code} OK\r\nContent-Type: {got.headers.get('content-type', '')}\r\n\r\n".encode())
    first, piece, second = got.content.partition(before)
    writer.write(first)
    await writer.drain()
    if piece:
        await rest.wait()
        writer.write(piece + second)
        await writer.drain()
