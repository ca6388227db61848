"""The socket that a service answers on."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
from servicekit.process import listening


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_answer_in_two_pieces_is_not_held_back(host):
    """Nagle's delay is off: with it the second piece waits for the first one's acknowledgement, 40 ms on Linux (RFC 896, RFC 1122)."""
    seen: list[int] = []

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    port = listening(SimpleNamespace(bind_host=host, public_port=0), "public_port")
    async with await asyncio.start_server(answer, sock=port):
        reader, writer = await asyncio.open_connection(*port.getsockname()[:2])
        assert await reader.read() == b""
        writer.close()
    assert seen == [1]
