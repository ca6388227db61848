"""Makes each agency's private keys on first start, and publishes the public halves, as every agency does for itself in production."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from contracts.catalogue import SERVICES
from servicekit.new_keys import make

from deploy.kafka.principals import PASSWORD_FILE

GENERATED = "GENERATED"
"""A file of this name beside the keys makes production refuse them."""


def make_keys(folder: Path, agencies: Iterable[str] = SERVICES) -> None:
    """Fills `folder`/keys/<agency> (0700, files 0600) and `folder`/trust/<agency>.json; what is there already stays.

    They are those of `python -m <service> keys`, and `kafka.password` (of its principal).
    """
    trust = folder / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    for agency in agencies:
        private = folder / "keys" / agency
        private.mkdir(parents=True, exist_ok=True)
        private.parent.chmod(0o700)
        private.chmod(0o700)
        if not (private / PASSWORD_FILE).exists():
            _write(private / PASSWORD_FILE, secrets.token_urlsafe(32).encode())
        published = trust / f"{agency}.json"
        if (private / GENERATED).exists() and published.exists():
            continue
        _make(agency, private, published)


def kafka_passwords(folder: Path, agencies: Iterable[str] = SERVICES) -> dict[str, str]:
    """The password of each agency's principal, as `make_keys` made it."""
    return {agency: (folder / "keys" / agency / PASSWORD_FILE).read_text() for agency in agencies}


def _make(agency: str, private: Path, published: Path) -> None:
    make(agency, private, published)
    _write(private / GENERATED, b"Made for a demonstration or a test. Production refuses these keys.\n")


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)
