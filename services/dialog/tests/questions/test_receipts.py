"""The receipt code: the same for the same request, hard to guess, easy to type."""

import secrets

import pytest
from dialog.handlers.receipts import ReceiptTypoError, browser_hash, receipt_code, receipt_hash
from servicekit.crypto import CROCKFORD

SERVICE_KEY = secrets.token_bytes(32)


def test_a_code_has_at_least_128_random_bits_and_differs_by_request_and_service() -> None:
    """INVARIANT: nobody can go through the codes."""
    key = secrets.token_bytes(32)
    code = receipt_code(SERVICE_KEY, key)
    assert len(code.replace("-", "")) == 28
    assert (28 - 1) * 5 >= 128
    assert set(code) <= {*CROCKFORD, "-"}
    assert receipt_code(SERVICE_KEY, key) == code
    assert len({receipt_code(SERVICE_KEY, secrets.token_bytes(32)) for _ in range(500)}) == 500
    assert receipt_code(secrets.token_bytes(32), key) != code


def test_what_is_stored_says_nothing_without_the_services_key() -> None:
    """INVARIANT: a leaked table confirms no code, not even one that was seen."""
    code = receipt_code(SERVICE_KEY, secrets.token_bytes(32))
    assert receipt_hash(SERVICE_KEY, code) != receipt_hash(secrets.token_bytes(32), code)
    assert code.encode() not in receipt_hash(SERVICE_KEY, code)
    session = secrets.token_bytes(32)
    assert browser_hash(SERVICE_KEY, session) != session


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda code: code.replace("-", " "),
        lambda code: f"  {code}\n",
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", "–"),
        lambda code: code.replace("-", "\u2011\u200b"),
        lambda code: f"«{code}».",
        lambda code: code.replace("0", "o").replace("1", "l").replace("V", "u"),
    ],
)
def test_a_code_may_be_typed_as_people_type(change: object) -> None:
    code = receipt_code(SERVICE_KEY, secrets.token_bytes(32))
    assert receipt_hash(SERVICE_KEY, change(code)) == receipt_hash(SERVICE_KEY, code)  # type: ignore[operator]


def test_a_wrong_character_is_noticed_before_anything_is_looked_up() -> None:
    code = receipt_code(SERVICE_KEY, secrets.token_bytes(32)).replace("-", "")
    for place in range(27):
        other = CROCKFORD[(CROCKFORD.index(code[place]) + 1) % 31]
        wrong = code[:place] + other + code[place + 1 :]
        with pytest.raises(ReceiptTypoError):
            receipt_hash(SERVICE_KEY, wrong)


@pytest.mark.parametrize(
    "typed", ["", "A", "Å" * 28, "A" * 27, "A" * 29, "A" * 100_000, "0000-0000-0000-0000-0000-0000-000U", "' or 1=1 --"]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(ReceiptTypoError):
        receipt_hash(SERVICE_KEY, typed)
