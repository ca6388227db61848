"""The authority that signs for the containers of one machine: made once, trusted by them alone."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS, SERVER_DAYS = 1825, 397
"""How long the authority and what it signs are valid. Browsers take no server's certificate of more than 398 days."""
LAST_DAYS = 30
"""A certificate with fewer days left is signed anew."""
SKEW = timedelta(minutes=5)


class Authority:
    """A key of its own and the certificate that others trust."""

    def __init__(self, folder: Path, published: Path) -> None:
        """Made on the first call. `folder`: where the key lies, 0700. `published`: where the certificate lies for all to read."""
        self.file = published
        private = folder / "authority.key"
        if not (private.exists() and published.exists()):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            published.parent.mkdir(parents=True, exist_ok=True)
            made = ec.generate_private_key(ec.SECP256R1())
            published.write_bytes(_pem(_self_signed(made)))
            write_private(private, _key_pem(made))
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key, self._certificate = key, x509.load_pem_x509_certificate(published.read_bytes())

    def sign(self, certificate: Path, key: Path, hosts: Sequence[str]) -> None:
        """Writes a server's certificate for its names and addresses, and its key (PKCS #8), both PEM; the same file takes both.

        What is there stays, while it's valid, signed by this authority and for these hosts.
        """
        names = x509.SubjectAlternativeName([_name(host) for host in hosts])
        if certificate.exists() and self._holds(x509.load_pem_x509_certificate(certificate.read_bytes()), names):
            return
        private = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = _builder(hosts[0], SERVER_DAYS, private.public_key()).issuer_name(self._certificate.subject)
        builder = builder.add_extension(names, critical=False).add_extension(usage, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        signed = _pem(builder.sign(self._key, hashes.SHA256()))
        if key == certificate:
            write_private(key, _key_pem(private) + signed)
        else:
            write_private(key, _key_pem(private))
            certificate.write_bytes(signed)

    def _holds(self, certificate: x509.Certificate, names: x509.SubjectAlternativeName) -> bool:
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except Exception:  # InvalidSignature, or another issuer
            return False
        lasts = certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=LAST_DAYS)
        return lasts and certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names


def write_private(file: Path, content: bytes) -> None:
    """A file that its owner alone may read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = _builder("Stegvis containers", AUTHORITY_DAYS, key.public_key()).issuer_name(_called("Stegvis containers"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    forbidden = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **dict.fromkeys(forbidden, False))
    return builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def _builder(name: str, days: int, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_called(name)).public_key(public).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - SKEW).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
