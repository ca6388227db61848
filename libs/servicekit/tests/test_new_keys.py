"""The keys that an agency makes for itself, and their rotation."""

import json
import os
import subprocess
import sys
import time

import pytest
from joserfc import jwt
from servicekit.claim_secret import open_summary, seal_summary
from servicekit.keys import Keys, MissingKeyError, Trust
from servicekit.new_keys import FolderInUseError, keys, parse


def made(folder, *words: str) -> str:
    return keys("helpjourney", parse("helpjourney", [str(folder), *words]))


@pytest.fixture
def agency(tmp_path):
    """KEYS_DIR and TRUST_DIR, filled by the first set."""
    own, trust = tmp_path / "keys", tmp_path / "trust"
    made(own)
    trust.mkdir()
    (own / "helpjourney.json").rename(trust / "helpjourney.json")
    return own, trust


def test_the_first_set_is_whole_and_nobody_elses_to_read(agency):
    own, trust = agency
    for name in ("sig.jwk", "enc.jwk", "service.key", "vault.key"):
        Keys(own).check(name)
        assert (own / name).stat().st_mode & 0o777 == 0o600
    assert own.stat().st_mode & 0o777 == 0o700
    published = json.loads((trust / "helpjourney.json").read_text())["keys"]
    assert [key["use"] for key in published] == ["sig", "enc"]
    assert not any({"d", "p", "q"} & set(key) for key in published)
    assert not (own / "GENERATED").exists(), "production takes them"


def test_a_rotation_loses_nothing_that_is_on_its_way(agency, tmp_path):
    """INVARIANT: what was sealed or signed before it, in the middle and after it is read; the vault is left alone."""
    own, trust = agency
    secret = os.urandom(32)

    def sealed() -> str:
        return seal_summary("Jeg får ikke sove", secret, Trust(trust).keys("helpjourney", "enc"))

    def opens(token: str) -> bool:
        return open_summary(token, secret, *Keys(own).encryption) == "Jeg får ikke sove"

    before, vault = sealed(), Keys(own).vault
    token = jwt.encode({"alg": "RS256", "kid": Keys(own).signing.kid}, {"a": 1}, Keys(own).signing)
    made(tmp_path / "new", "--beside", str(trust / "helpjourney.json"))
    [new] = (tmp_path / "new").glob("enc-*.jwk")
    assert not [file for file in (tmp_path / "new").iterdir() if file.suffix == ".key"]

    new.rename(own / new.name)  # as the runbook says: what opens first ...
    assert opens(before)
    (tmp_path / "new" / "helpjourney.json").replace(trust / "helpjourney.json")  # ... then all are told ...
    after = sealed()
    assert opens(before)
    assert opens(after)
    (tmp_path / "new" / "sig.jwk").replace(own / "sig.jwk")  # ... then it signs
    known = Trust(trust).keys("helpjourney", "sig")
    assert jwt.decode(token, known, algorithms=["RS256"]).claims == {"a": 1}
    fresh = jwt.encode({"alg": "RS256", "kid": Keys(own).signing.kid}, {"a": 2}, Keys(own).signing)
    assert jwt.decode(fresh, known, algorithms=["RS256"]).claims == {"a": 2}
    (own / new.name).replace(own / "enc.jwk")  # weeks later
    assert opens(after)
    assert Keys(own).vault == vault


def test_what_has_expired_is_published_no_longer(agency, tmp_path):
    _, trust = agency
    file = trust / "helpjourney.json"
    file.write_text(json.dumps({"keys": [{"use": "sig", "kid": "old", "exp": time.time() - 1}, {"use": "sig", "kid": "lasting"}]}))
    made(tmp_path / "new", "--beside", str(file))
    published = json.loads((tmp_path / "new" / "helpjourney.json").read_text())["keys"]
    assert [key["kid"].partition("-")[0] for key in published] == ["lasting", "helpjourney", "helpjourney"]


def test_a_key_beside_it_that_is_none_is_named(agency):
    own, _ = agency
    (own / "enc-before.jwk").write_text("half a fi")
    with pytest.raises(MissingKeyError, match=r"enc-before\.jwk: expected a private JWK"):
        Keys(own).check("enc.jwk")


def test_nothing_is_written_over(agency):
    """INVARIANT: a vault key that is lost takes every text with it."""
    own, _ = agency
    held = {file.name: file.read_bytes() for file in own.iterdir()}
    with pytest.raises(FolderInUseError):
        made(own)
    assert held == {file.name: file.read_bytes() for file in own.iterdir()}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{}/new", "--beside", "{}/nothing.json"], "nothing.json: No such file"),
        (["{}/new", "--beside", "{}/odd"], "expected a JWK set"),
        (["{}"], "isn't empty"),
    ],
)
def test_the_verb_needs_no_setting_and_says_in_one_line_what_is_wrong(tmp_path, words, said):
    (tmp_path / "odd").write_text("[]")
    command = [sys.executable, "-m", "identity", "keys", *(word.format(tmp_path) for word in words)]
    ended = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
    assert not list(tmp_path.glob("new/*"))


def test_the_verb_of_a_service_makes_them(tmp_path):
    command = [sys.executable, "-m", "identity", "keys", str(tmp_path / "new")]
    ended = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("identity: sig.jwk, enc.jwk, service.key and vault.key for KEYS_DIR alone")
    assert set(Trust(tmp_path / "new").expiries("identity")) == {"sig", "enc"}
