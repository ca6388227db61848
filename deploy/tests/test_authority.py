"""What the authority of the containers signs, and who is taken in by it."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest

from deploy.containers.authority import Authority

HOSTS = ("kafka", "localhost", "127.0.0.1")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority", tmp_path / "trust" / "authority.pem")


@asynccontextmanager
async def server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as listening:
        yield listening.sockets[0].getsockname()[1]


async def shakes_hands(port, name, trusted):
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # RFC 5280, as Python 3.13 has it by itself
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    writer.close()


async def test_its_servers_are_trusted_by_name_and_address_and_by_no_other(authority, tmp_path):
    file = tmp_path / "tls.pem"
    authority.sign(file, file, HOSTS)
    async with server(file) as port:
        for host in HOSTS:
            await shakes_hands(port, host, authority.file)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await shakes_hands(port, "dialog-postgres", authority.file)


async def test_another_authoritys_servers_are_not(authority, tmp_path):
    other, file = Authority(tmp_path / "other", tmp_path / "other.pem"), tmp_path / "tls.pem"
    other.sign(file, file, HOSTS)
    async with server(file) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shakes_hands(port, "kafka", authority.file)


def test_what_is_signed_stays_until_its_names_or_its_authority_change(authority, tmp_path):
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    authority.sign(certificate, key, HOSTS)
    first = certificate.read_bytes()
    authority.sign(certificate, key, HOSTS)
    assert certificate.read_bytes() == first
    assert key.stat().st_mode & 0o777 == 0o600
    authority.sign(certificate, key, (*HOSTS, "kafka-2"))
    second = certificate.read_bytes()
    assert second != first
    Authority(tmp_path / "new", tmp_path / "new.pem").sign(certificate, key, (*HOSTS, "kafka-2"))
    assert certificate.read_bytes() != second
