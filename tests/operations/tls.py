"""A TLS server that shows a certificate which nobody has signed, for as many days as asked."""

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class TlsServer:
    """Takes connections on 127.0.0.1, shakes hands, says nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context: ssl.SSLContext | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"localhost:{self._listener.getsockname()[1]}"

    def start(self, days: float) -> None:
        """Begins to answer."""
        self.renew(days)
        threading.Thread(target=self._answer, daemon=True).start()

    def renew(self, days: float) -> None:
        """From now on shows a certificate that is valid for so many days."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self_signed(self._folder, days))
        self._context = context

    def stop(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            assert self._context is not None
            with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as shaken:
                shaken.settimeout(2)
                shaken.recv(1)


def self_signed(folder: Path, days: float) -> Path:
    """A key and a certificate for localhost, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=days))
    signed = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "server.pem"
    file.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return file
