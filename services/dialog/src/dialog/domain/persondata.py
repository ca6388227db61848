"""Finds what points to a person in a text that is about to be public: numbers, phones, addresses, handles. Warns, never decides."""

import re
from enum import StrEnum


class PersonData(StrEnum):
    """What kind of thing was found; never the thing itself."""

    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    HANDLE = "handle"
    LINK = "link"


ELEVEN_DIGITS = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){10}(?!\d)")
PHONE = re.compile(r"(?<![\d.,])(?!(?:19|20)\d\d-(?:19|20)\d\d(?!\d))(?:(?:\+|00)\d{2}[ \-]?)?[2-9]\d(?:[ \-]?\d){6}(?!\d)")
EMAIL = re.compile(r"[^\s@]\s?(?:@|\(at\)|\[at\])\s?[^\s@]{1,253}\.[a-zæøå]{2,}", re.IGNORECASE)
"""From the last character before the sign: looking for the whole name takes time by the square of a long text without spaces."""
HANDLE = re.compile(r"(?<![\w.])@[\w.]{2,}")
NAMED_HANDLE = re.compile(r"\b(?:snap(?:chat)?|insta(?:gram)?|tiktok|discord|kik)\w*\s*(?::|er|is|=)\s*\S+", re.IGNORECASE)
LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)

FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
FIRST_REMAINDERS = range(4)
"""Before 2032 only 0; numbers assigned from 2032 may leave 0-3 (Skatteetaten, nyttfnr2032)."""


def find_person_data(*texts: str) -> frozenset[PersonData]:
    """What an editor should look at again before the texts are public."""
    return frozenset(kind for text in texts for kind in _found(text))


def is_national_id(digits: str) -> bool:
    """Whether 11 digits can be a fødselsnummer, D-number or synthetic number, by the rules before and after 2032."""
    if len(digits) != 11 or not digits.isascii() or not digits.isdigit():
        return False
    day, month = int(digits[:2]) % 40, int(digits[2:4]) % 40
    numbers = [int(digit) for digit in digits]
    first = sum(weight * number for weight, number in zip(FIRST_WEIGHTS, numbers, strict=False)) % 11
    second = sum(weight * number for weight, number in zip(SECOND_WEIGHTS, numbers, strict=True)) % 11
    return 1 <= day <= 31 and 1 <= month <= 12 and first in FIRST_REMAINDERS and second == 0


def _found(text: str) -> set[PersonData]:
    found = set()
    digits = [re.sub(r"\D", "", match.group()) for match in ELEVEN_DIGITS.finditer(text)]
    if any(is_national_id(number) for number in digits) or re.search(r"(?<!\d)\d{11}(?!\d)|(?<!\d)\d{6}[ .\-]\d{5}(?!\d)", text):
        found.add(PersonData.NATIONAL_ID)
    if PHONE.search(ELEVEN_DIGITS.sub(" ", text)):
        found.add(PersonData.PHONE)
    if EMAIL.search(text):
        found.add(PersonData.EMAIL)
    if HANDLE.search(EMAIL.sub(" ", text)) or NAMED_HANDLE.search(text):
        found.add(PersonData.HANDLE)
    if LINK.search(text):
        found.add(PersonData.LINK)
    return found
