"""The receipt code of a question: shown once, derived from the form's key, kept only as a keyed hash.

What the hash must stand against is a leaked database. The code has 135 random bits, so that no one can go through them,
with or without a slow hash; a slow one would only make every look-up costly, and a salt per row would make look-up by the
code alone impossible. The HMAC key is not in the database, so that a leak alone can't even confirm a code that was seen.
"""

from servicekit.crypto import CROCKFORD, check_character, derive, grouped, hkdf, keyed_hash, read_crockford, to_crockford

SECRET_CHARACTERS = 27
"""5 bits each: 135 bits."""
CHARACTERS = SECRET_CHARACTERS + 1


class ReceiptTypoError(Exception):
    """Too long, too short, or the check character doesn't fit: no receipt looks like this."""

    def __init__(self, characters: int) -> None:
        """`characters`: how many letters and digits were typed."""
        super().__init__()
        self.characters = characters


def receipt_code(service_key: bytes, request_key: bytes) -> str:
    """28 Crockford characters in groups of four; the last one checks the others. The same request shows the same code."""
    secret = to_crockford(derive(service_key, request_key, "receipt"), SECRET_CHARACTERS)
    return grouped(secret + check_character(secret))


def receipt_hash(service_key: bytes, typed: str) -> bytes:
    """What a question is found by. Raises ReceiptTypoError, which says nothing about what is stored."""
    code = read_crockford(typed)
    if len(code) != CHARACTERS or not set(code) <= set(CROCKFORD) or check_character(code[:-1]) != code[-1]:
        raise ReceiptTypoError(len(code))
    return keyed_hash(hkdf(service_key, "receipt look-up"), code.encode())


def browser_hash(service_key: bytes, session_hash: bytes) -> bytes:
    """A browser as the abuse floor knows it: not to be joined with the table of sessions without the service's key."""
    return keyed_hash(hkdf(service_key, "tries"), session_hash)
