"""Page requests at a fixed rate, whatever the answers take: time counts from when a request was due (no coordinated omission)."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench.results import percentile

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as a reader's browser sends it."""

    kind: str
    """What it counts as, e.g. `article`."""
    path: str
    host: str = "localhost"
    headers: str = ""
    """Lines of their own, each ended by CR LF."""
    body: bytes | None = None
    """A form to post; None: GET."""

    @property
    def raw(self) -> bytes:
        """Over the wire (RFC 9112)."""
        lines = f"{'GET' if self.body is None else 'POST'} {self.path} HTTP/1.1\r\nHost: {self.host}\r\n{self.headers}"
        if self.body is None:
            return f"{lines}\r\n".encode()
        form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return (lines + form).encode() + self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request went."""

    ask: Ask
    status: int
    """0: no answer, or not a whole one."""
    seconds: float
    """From when it was due to the last byte."""
    bytes: int = 0


@dataclass
class Connections:
    """Connections to one port, kept open and used again; a new one where none is idle, as many readers have."""

    port: int
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    opened: int = 0

    async def send(self, raw: bytes) -> tuple[int, int]:
        """Status and bytes of the answer; OSError, EOFError, ValueError or TimeoutError where there is none."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while self._idle:
                reader, writer = self._idle.pop()
                try:
                    return await self._exchange(reader, writer, raw)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    if getattr(error, "partial", b""):
                        raise
                    # The server had closed it for being idle: browsers ask again then (RFC 9112, 9.3.1).
            self.opened += 1
            return await self._exchange(*await asyncio.open_connection("127.0.0.1", self.port), raw)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> tuple[int, int]:
        try:
            if reader.at_eof():
                raise ConnectionResetError
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            status, body = int(head[9:12]), await _body(reader, head)
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return status, len(head) + body

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


async def _body(reader: asyncio.StreamReader, head: bytes) -> int:
    """Reads the body to its end; its length in bytes over the wire."""
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in fields:
        return len(await reader.readexactly(int(fields[b"content-length"])))
    if fields.get(b"transfer-encoding") != b"chunked":
        return 0
    total = 0
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        total += len(await reader.readexactly(size + 2)) - 2
    await reader.readuntil(b"\r\n")
    return total


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """When readers come, in seconds from the start: independently of each other (Poisson), `rate * seconds` of them in all."""
    chance = random.Random(seed)
    return sorted(chance.uniform(0, seconds) for _ in range(round(rate * seconds)))


async def at_rate(send: Callable[[bytes], Awaitable[tuple[int, int]]], asks: Sequence[Ask], due: Sequence[float]) -> list[Answer]:
    """Sends each request when it is due, waiting for none before; the answers in the order of their requests."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(ask: Ask, when: float) -> Answer:
        try:
            status, size = await send(ask.raw)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            status, size = 0, 0
        return Answer(ask, status, loop.time() - began - when, size)

    tasks = []
    for ask, when in zip(asks, due, strict=True):
        if (wait := began + when - loop.time()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(ask, when)))
    return await asyncio.gather(*tasks)


async def one_at_a_time(send: Callable[[bytes], Awaitable[tuple[int, int]]], ask: Ask, times: int) -> list[Answer]:
    """The same request again and again, each after the answer before."""
    answers = []
    for _ in range(times):
        began = time.perf_counter()
        status, size = await send(ask.raw)
        answers.append(Answer(ask, status, time.perf_counter() - began, size))
    return answers


def milliseconds(answers: Sequence[Answer], share: float) -> float:
    """A percentile of how long they took; an answer that failed counts with the time until it did."""
    return 1000 * percentile([answer.seconds for answer in answers], share)


def errors(answers: Sequence[Answer], expected: int = 200) -> int:
    """How many weren't what they should be."""
    return sum(answer.status != expected for answer in answers)
