"""Keys, codes and sealed text."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, KeySet
from servicekit.claim_secret import (
    MOST_SUMMARY,
    MalformedSecretError,
    TypedCode,
    lookup_hash,
    open_summary,
    read_secret,
    seal_summary,
    write_secret,
)
from servicekit.crypto import CROCKFORD, CannotOpenError, Vault, derive, keyed_hash, pad, unpad


def receiver() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "k1", "use": "enc"})


def test_a_summary_needs_the_secret_and_the_receivers_key():
    """INVARIANT: with either key alone an unclaimed summary can't be read."""
    secret, key = os.urandom(32), receiver()
    sealed = seal_summary("Jeg får ikke sove. æøå", secret, KeySet([key]))
    assert open_summary(sealed, secret, key) == "Jeg får ikke sove. æøå"
    with pytest.raises(CannotOpenError):
        open_summary(sealed, os.urandom(32), key)
    with pytest.raises(CannotOpenError):
        open_summary(sealed, secret, receiver())


def test_sealed_summaries_are_equally_long():
    """INVARIANT: the length says nothing."""
    secret, key = os.urandom(32), KeySet([receiver()])
    assert len(seal_summary("", secret, key)) == len(seal_summary("x" * MOST_SUMMARY, secret, key))
    with pytest.raises(ValueError, match="too long"):
        seal_summary("x" * (MOST_SUMMARY + 1), secret, key)


def test_what_a_request_shows_is_the_same_for_the_same_key_and_no_other():
    service_key, request_key = os.urandom(32), os.urandom(32)
    assert derive(service_key, request_key, "receipt") == derive(service_key, request_key, "receipt")
    others = [
        derive(os.urandom(32), request_key, "receipt"),
        derive(service_key, os.urandom(32), "receipt"),
        derive(service_key, request_key, "claim"),
    ]
    assert derive(service_key, request_key, "receipt") not in others


@given(st.binary(min_size=16, max_size=16))
def test_a_typed_code_is_read_as_people_type_it(random):
    code = TypedCode.from_random(random)
    shown = str(code)
    assert len(shown) == 19
    assert TypedCode.read(shown.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == code


@given(st.binary(min_size=16, max_size=16), st.integers(0, 15), st.sampled_from(CROCKFORD))
def test_one_wrong_character_is_noticed(random, place, letter):
    shown = str(TypedCode.from_random(random)).replace("-", "")
    wrong = shown[:place] + letter + shown[place + 1 :]
    if wrong == shown or {letter, shown[place]} == {"0", "Z"}:
        return
    with pytest.raises(MalformedSecretError):
        TypedCode.read(wrong)


@pytest.mark.parametrize("typed", ["", "M5JW", "M5JW-WHBM-6668-852", "!" * 16, "M5JW-WHBM-6668-8528-0", "æ" * 16, "0" * 100_000])
def test_what_is_no_code_is_refused(typed):
    with pytest.raises(MalformedSecretError):
        TypedCode.read(typed)


@pytest.mark.parametrize("text", ["", "x", "æ", "A" * 42, "A" * 44, "*" * 43, "A" * 100_000])
def test_what_is_no_secret_is_refused(text):
    with pytest.raises(MalformedSecretError):
        read_secret(text)


def test_a_secret_survives_writing_and_reading():
    secret = os.urandom(32)
    assert read_secret(write_secret(secret)) == secret


def test_a_typed_code_is_found_by_its_stretched_secret_only():
    code, salt = TypedCode.from_random(os.urandom(16)), os.urandom(16)
    assert lookup_hash(code.stretched(salt)) == lookup_hash(code.stretched(salt))
    assert lookup_hash(code.stretched(salt)) != lookup_hash(code.stretched(os.urandom(16)))


def test_text_is_gone_with_its_data_key_and_bound_to_its_row():
    """INVARIANT: text under a data key opens only with that key and in its own row."""
    vault = Vault(os.urandom(32))
    key = vault.new_key(b"chat|1")
    sealed = vault.encrypt(key, "hei på deg", b"chat|1")
    assert "hei på deg".encode() not in sealed
    assert vault.decrypt(key, sealed, b"chat|1") == "hei på deg"
    for other_key, context in ((vault.new_key(b"chat|1"), b"chat|1"), (key, b"chat|2")):
        with pytest.raises(CannotOpenError):
            vault.decrypt(other_key, sealed, context)
    with pytest.raises(CannotOpenError):
        Vault(os.urandom(32)).decrypt(key, sealed, b"chat|1")
    with pytest.raises(CannotOpenError):
        vault.decrypt(key, b"", b"chat|1")


def test_parts_of_a_keyed_hash_do_not_run_into_each_other():
    assert keyed_hash(b"k", b"ab", b"c") != keyed_hash(b"k", b"a", b"bc")


@given(st.binary(max_size=60))
def test_padding_gives_back_what_went_in(text):
    padded = pad(text, 64)
    assert len(padded) == 64
    assert unpad(padded) == text
