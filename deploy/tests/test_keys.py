"""The generated keys: who can read them, and what the others are told."""

import json
import time

from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from deploy.local.keys import make_keys


def test_private_keys_are_readable_by_their_agency_alone_and_never_published(tmp_path):
    """INVARIANT: no private key leaves its folder."""
    make_keys(tmp_path, ["dialog", "identity"])
    assert {(tmp_path / "keys" / name).stat().st_mode & 0o777 for name in (".", "dialog", "identity")} == {0o700}
    files = [file for file in (tmp_path / "keys").rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    for published in (tmp_path / "trust").iterdir():
        for key in json.loads(published.read_text())["keys"]:
            assert not {"d", "p", "q"} & set(key)


def test_published_keys_say_their_use_and_how_long_they_are_valid(tmp_path):
    make_keys(tmp_path, ["dialog"])
    keys = json.loads((tmp_path / "trust" / "dialog.json").read_text())["keys"]
    assert {(key["use"], key["alg"], key["kty"]) for key in keys} == {("sig", "RS256", "RSA"), ("enc", "ECDH-ES", "EC")}
    assert len({key["kid"] for key in keys}) == 2
    assert all(key["nbf"] < time.time() < key["exp"] for key in keys)


def test_what_one_half_makes_the_other_half_reads(tmp_path):
    make_keys(tmp_path, ["dialog"])
    public = KeySet.import_key_set(json.loads((tmp_path / "trust" / "dialog.json").read_text()))
    private = tmp_path / "keys" / "dialog"
    signing = RSAKey.import_key(json.loads((private / "sig.jwk").read_text()))
    token = jwt.encode({"alg": "RS256", "kid": signing.kid}, {"a": 1}, signing)
    assert jwt.decode(token, public, algorithms=["RS256"]).claims == {"a": 1}
    encryption = ECKey.import_key(json.loads((private / "enc.jwk").read_text()))
    sealed = jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, b"x", next(key for key in public.keys if key.kid == encryption.kid))
    assert jwe.decrypt_compact(sealed, encryption).plaintext == b"x"
    assert [len((private / name).read_bytes()) for name in ("service.key", "vault.key")] == [32, 32]


def test_a_second_start_keeps_the_keys(tmp_path):
    make_keys(tmp_path, ["dialog"])
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    make_keys(tmp_path, ["dialog"])
    assert before == {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
