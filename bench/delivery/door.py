"""The same command through a JSON door: a real process of info with one more route, and keep-alive clients."""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID

from bench.delivery.articles import prepare
from bench.delivery.commands import UNIT, bare, bare_row
from bench.delivery.parts import Parts, connected
from bench.delivery.timing import compared, in_turns, rate
from bench.results import Progress, Result
from deploy.local.processes import Child, free_ports
from deploy.local.services import status

CLIENTS = 8
NAME = f"command through the JSON door, {CLIENTS} connections"
SHARE = 0.15
SECONDS, ROUNDS = 0.5, 8


class Client:
    """One connection that is kept; parses no more than it must, since its processor time is the server's too."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def withdraw(self, article: UUID) -> None:
        """RuntimeError for any answer but 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = f'{{"article":"{article}"}}'.encode()
        writer.write(
            b"POST /bench/withdrawals HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        said = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.split(b"\r\n")[0].decode() + ": " + said.decode()[:200])

    def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()


def _server(parts: Parts, dsn: str, port: int, internal: int) -> Child:
    data = parts.folder / "door"
    data.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": dsn, "PORT": str(port), "INTERNAL_PORT": str(internal)}
    environment |= {"KEYS_DIR": str(data), "TRUST_DIR": str(data), "DATA_DIR": str(data), "PYTHONPATH": os.getcwd()}
    return Child("door", [sys.executable, "-m", "bench.delivery.door_server"], data / "door.log", env=environment, cwd=data)


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """HTTP requests with a durable command each, beside bare asyncpg with as many connections."""
    dsn = await parts.dsn("info")
    articles = await prepare(dsn)
    port, internal = free_ports(2)
    server = await asyncio.to_thread(_server(parts, dsn, port, internal).start)
    clients = [Client(port) for _ in range(CLIENTS)]
    try:
        await asyncio.to_thread(server.wait_until, lambda: status(internal, "/readyz") == 200, 60.0, "ready")
        ours = [partial(client.withdraw, article) for client, article in zip(clients, articles, strict=False)]
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(connected(dsn)) for _ in clients]
            floor = [partial(bare, each, article, bare_row(article)) for each, article in zip(connections, articles, strict=False)]
            await rate(ours, 0.5)
            found = await in_turns({"floor": partial(rate, floor, SECONDS), "ours": partial(rate, ours, SECONDS)}, ROUNDS)
    finally:
        for client in clients:
            client.close()
        await asyncio.to_thread(server.stop)
    result = compared(NAME, UNIT, found["ours"], found["floor"], at_least=SHARE)
    progress(f"{NAME}: {result.figure:.0f}/s, bare {result.floor:.0f}/s")
    return [result]
