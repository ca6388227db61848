"""An unclaimed summary, with all that helpjourney and dialog have in hand: key files, databases and the Kafka record."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from contracts.dialog import HandoffOffered
from contracts.event import Envelope
from joserfc.jwk import ECKey
from servicekit.claim_secret import TypedCode, lookup_hash, open_summary, read_secret
from servicekit.crypto import CannotOpenError, Vault, decrypt, hkdf, open_sealed, unb64

from deploy.local.platform import Platform
from tests.privacy.sinks import Sinks
from tests.privacy.walk import Unclaimed, Walk

AGENCIES = ("helpjourney", "dialog")
LABELS = ("summary", "lookup", "holder", "claim secret", "claim code", "claim code salt")


def private_key(platform: Platform) -> ECKey:
    return ECKey.import_key(json.loads((platform.folder / "keys" / "helpjourney" / "enc.jwk").read_text()))


def sealed_summaries(sinks: Sinks) -> dict[str, str]:
    """Hash of the secret -> what travelled, from the records."""
    offered = [json.loads(record.value) for record in sinks.records if Envelope.of(record.headers).type == HandoffOffered.type]
    return {data["lookup_hash"]: data["sealed_summary"] for data in offered if data["sealed_summary"]}


def secret_of(unclaimed: Unclaimed, sinks: Sinks) -> bytes:
    """What the youth alone has, as the 256 bits that it stands for."""
    if len(unclaimed.shown) > 40:
        return read_secret(unclaimed.shown)
    code = TypedCode.read(unclaimed.shown)
    salts = [row["salt"] for row in sinks.databases["helpjourney"]["offers"] if row["locator"] == code.locator]
    known = sealed_summaries(sinks)
    return next(secret for secret in (code.stretched(salt) for salt in salts if isinstance(salt, bytes)) if lookup_hash(secret) in known)


def all_keys_in_hand(platform: Platform, sinks: Sinks) -> Iterator[bytes]:
    """Every key file, every value of every table of both sides that could be a key, and what is derived from them."""
    files = [path for agency in AGENCIES for path in (platform.folder / "keys" / agency).iterdir()]
    found = {raw for path in files for raw in _pieces(path.read_bytes())}
    for agency in AGENCIES:
        for rows in sinks.databases[agency].values():
            found |= {piece for row in rows for value in row.values() for piece in _pieces(value)}
    found |= {piece for record in sinks.records if "handoff" in record.topic for _, value in record.headers for piece in _pieces(value)}
    yield from found
    yield from (hkdf(raw, label) for raw, label in product(found, LABELS))


def _pieces(value: object) -> Iterator[bytes]:
    """The 32 bytes that a value could be, or begins or ends with, also where it's written as text."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    texts = [raw, *_decoded(raw.decode("latin-1"))]
    for text in texts:
        if len(text) >= 32:
            yield from (text[:32], text[-32:])


def _decoded(text: str) -> Iterator[bytes]:
    for read in (bytes.fromhex, unb64):
        try:
            yield read(text)
        except ValueError:
            continue


def test_an_unclaimed_summary_can_not_be_read_with_all_that_both_agencies_have(platform: Platform, walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: JWE opens with helpjourney's key; the layer inside opens with nothing but the secret, which only the youth has."""
    own, sealed = private_key(platform), sealed_summaries(sinks)
    keys = set(all_keys_in_hand(platform, sinks))
    assert len(keys) > 1000
    assert len(walk.unclaimed) == 3
    for unclaimed in walk.unclaimed:
        token = sealed[lookup_hash(secret_of(unclaimed, sinks))]
        inner = open_sealed(token, own)
        assert unclaimed.sentence.encode() not in inner
        assert [key for key in keys if _opens(key, inner)] == []


def _opens(key: bytes, inner: bytes) -> bool:
    try:
        decrypt(key, inner, b"summary")
    except CannotOpenError:
        return False
    return True


def test_with_the_secret_it_can_be_read(platform: Platform, walk: Walk, sinks: Sinks) -> None:
    """So the test above could fail: the same record, the same key, and what the youth carries."""
    own, sealed = private_key(platform), sealed_summaries(sinks)
    for unclaimed in walk.unclaimed:
        secret = secret_of(unclaimed, sinks)
        assert unclaimed.sentence in open_summary(sealed[lookup_hash(secret)], secret, own)
        assert _opens(hkdf(secret, "summary"), open_sealed(sealed[lookup_hash(secret)], own))


def test_with_the_secret_alone_it_can_not_be_read(platform: Platform, walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: dialog, which made the secret, can't read what travelled either: it takes the receiver's private key."""
    sealed = sealed_summaries(sinks)
    others = json.loads((platform.folder / "keys" / "dialog" / "enc.jwk").read_text())
    for unclaimed in walk.unclaimed:
        secret = secret_of(unclaimed, sinks)
        with pytest.raises(CannotOpenError):
            open_summary(sealed[lookup_hash(secret)], secret, ECKey.import_key(others))


def test_what_a_browser_presented_opens_only_with_its_cookie(platform: Platform, walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: a presented secret lies sealed under a key that no database and no key file holds."""
    (presented,) = (unclaimed for unclaimed in walk.unclaimed if unclaimed.holder)
    secret = secret_of(presented, sinks)
    (held,) = (row["sealed_secret"] for row in sinks.databases["helpjourney"]["holders"] if row["lookup_hash"] == lookup_hash(secret))
    assert isinstance(held, bytes)
    assert [key for key in all_keys_in_hand(platform, sinks) if _opens_holder(key, held)] == []
    assert presented.holder is not None
    assert decrypt(hkdf(unb64(presented.holder), "holder"), held, b"holders") == secret
    vault = Vault((platform.folder / "keys" / "helpjourney" / "vault.key").read_bytes())
    assert not _opens_holder(vault.wrapping_key, held)


def _opens_holder(key: bytes, held: bytes) -> bool:
    try:
        decrypt(key, held, b"holders")
    except CannotOpenError:
        return False
    return True


def test_private_keys_are_their_agencys_alone(platform: Platform) -> None:
    """INVARIANT: nobody but the agency's own user reads its folder of keys."""
    for folder in (platform.folder / "keys").iterdir():
        assert folder.stat().st_mode & 0o077 == 0
        assert [path.name for path in Path(folder).iterdir() if path.stat().st_mode & 0o077] == []
