"""The load generator: it keeps its rate whatever the answers take, and counts from when a request was due."""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from bench.pages_load import Ask, Connections, arrivals, at_rate, errors, milliseconds
from bench.pages_mix import SHARES, asks


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[int]:
    """A server on loopback that gives each connection these answers in turn, then closes it; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_readers_come_independently_at_the_rate_and_the_same_each_time() -> None:
    due = arrivals(300, 10, seed=1)
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert len(due) == 3000
    assert due == sorted(due) == arrivals(300, 10, seed=1) != arrivals(300, 10, seed=2)
    assert due[0] >= 0
    assert due[-1] < 10
    assert 0.8 < statistics.pstdev(gaps) / statistics.mean(gaps) < 1.2  # 1 for Poisson, 0 for a clock


async def test_a_slow_answer_delays_no_request_and_counts_for_all_that_waited() -> None:
    """A client that waits for each answer would see one slow request; the readers of the meantime waited too."""
    busy, asked, all_asked = asyncio.Lock(), [], asyncio.Event()

    async def one_at_a_time(raw: bytes) -> tuple[int, int]:
        asked.append(raw)
        if len(asked) == len(asks):
            all_asked.set()
        async with busy:
            if raw.startswith(b"GET /slow "):
                await all_asked.wait()
                await asyncio.sleep(0.1)
        return 200, 0

    asks = [Ask("a", "/slow"), *[Ask("a", f"/{number}") for number in range(9)]]
    answers = await asyncio.wait_for(at_rate(one_at_a_time, asks, [number * 0.01 for number in range(10)]), 30)
    assert [answer.ask for answer in answers] == asks
    assert min(answer.seconds for answer in answers) > 0.05
    assert milliseconds(answers, 0.5) > 100


async def test_what_comes_back_is_read_whole_and_connections_are_used_again() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    pieces = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    unchanged = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
    async with answering(whole, pieces, unchanged) as port:
        connections = Connections(port)
        raw = Ask("a", "/").raw
        seen = [await connections.send(raw) for _ in range(3)]
        await connections.close()
    head = len(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert seen == [(200, len(whole)), (404, head + 4), (304, len(unchanged))]
    assert connections.opened == 1


async def test_a_connection_that_was_closed_for_being_idle_is_no_error() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        connections = Connections(port)
        seen = [(await connections.send(Ask("a", "/").raw))[0] for _ in range(3)]
        await connections.close()
    assert (seen, connections.opened) == ([200] * 3, 3)


async def test_broken_answers_and_closed_doors_are_errors() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") as port:
        connections = Connections(port)
        answers = await at_rate(connections.send, [Ask("a", "/")], [0])
        await connections.close()
    refused = await at_rate(Connections(port).send, [Ask("a", "/")], [0])
    assert [answer.status for answer in (*answers, *refused)] == [0, 0]
    assert errors([*answers, *refused]) == 2


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    raw = Ask("form", "/spor", "snakk.localhost:8080", "Cookie: a=b\r\n", b"text=hei").raw
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /spor HTTP/1.1",
        b"Host: snakk.localhost:8080",
        b"Cookie: a=b",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: 8",
    ]
    assert body == b"text=hei"


def test_the_mix_holds_its_shares_and_favours_what_is_popular() -> None:
    known = {"front": ["/"], "article": [f"/artikkel/{n}" for n in range(40)], "search": ["/sok?q=a"], "register": ["/hjelp"]}
    made = asks(known, 10_000, "localhost", seed=3)
    for kind, share in SHARES.items():
        assert abs(sum(ask.kind == kind for ask in made) / 10_000 - share) < 0.02
    assert sum(ask.path == "/artikkel/0" for ask in made) > 5 * sum(ask.path == "/artikkel/20" for ask in made)
    assert made == asks(known, 10_000, "localhost", seed=3)
