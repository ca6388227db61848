"""A wire on loopback between a client and a server: cut at the worst moment, dead in one direction, or slow."""

import asyncio
import random
from contextlib import suppress

COMMIT = b"COMMIT;\0"
"""As asyncpg ends a transaction: a simple query."""


class Wire:
    """Listens on `port`, passes everything on to the server."""

    def __init__(self, host: str, port: int) -> None:
        self._server_at = host, port
        self.cut_each = 0
        """After so many commits one is passed on and its reply is lost, with the connection; 0: never."""
        self.mute = asyncio.Event()
        """Set: nothing that the server says arrives."""
        self.deaf = asyncio.Event()
        """Set: nothing that the client says arrives."""
        self.delay = 0.0
        """Seconds that a piece needs in either direction, on average; each a random time up to twice as long."""
        self.commits = self.cuts = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Wire":
        self._listening = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Ends every connection: the network has noticed at last."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def _joined(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(*self._server_at)
        lost = asyncio.Event()
        self._ends += [to_client, to_server]
        for work in (self._up(client, to_server, lost), self._down(server, to_client, lost)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _travel(self) -> None:
        if self.delay:
            await asyncio.sleep(random.uniform(0, 2 * self.delay))

    async def _up(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await client.read(65_536):
                await self._travel()
                if self.deaf.is_set():
                    continue
                if COMMIT in data:
                    self.commits += 1
                    if self.cut_each and self.commits % self.cut_each == 0:
                        self.cuts += 1
                        lost.set()
                to_server.write(data)
                await to_server.drain()
        to_server.close()

    async def _down(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await server.read(65_536):
                await self._travel()
                if lost.is_set():  # the server has answered, so it has committed
                    break
                if not self.mute.is_set():
                    to_client.write(data)
                    await to_client.drain()
        to_client.close()
