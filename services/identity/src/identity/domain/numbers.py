"""National identity numbers: which are well-formed, which are synthetic, and what day of birth they carry.

Sources: Skatteetaten, folkeregisteret-api-dokumentasjon, "nytt fødselsnummer 2032" (check digits, loss of the century);
Tenor test data (month + 80); D numbers of Folkeregisteret (day + 40).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
NEW_RULE_FROM = date(2032, 1, 1)
"""From then on the first check digit may leave 0, 1, 2 or 3, and no number tells the century any more."""
D_NUMBER_DAYS, SYNTHETIC_MONTHS = 40, 80


class InvalidNumberError(Exception):
    """Not a number that a person can have."""


class Kind(StrEnum):
    """What sort of number it is."""

    BIRTH = "birth"
    D_NUMBER = "d_number"


@dataclass(frozen=True, slots=True)
class NationalNumber:
    """A well-formed number. Never shown, logged or told."""

    digits: str
    kind: Kind
    synthetic: bool
    born: date | None
    """None where the number can't tell: read on or after 1 January 2032."""

    def __repr__(self) -> str:
        return f"NationalNumber({self.kind}, synthetic={self.synthetic})"


def read_number(text: str, today: date) -> NationalNumber:
    """The number that `text` (11 digits) stands for, by the rules in force on `today`. Raises InvalidNumberError."""
    if len(text) != 11 or not (text.isascii() and text.isdigit()):
        raise InvalidNumberError
    digits = [int(digit) for digit in text]
    first, second = _remainder(digits, FIRST_WEIGHTS), _remainder(digits, SECOND_WEIGHTS)
    allowed = range(4) if today >= NEW_RULE_FROM else range(1)
    if first not in allowed or second != 0:
        raise InvalidNumberError
    day, month, year, individual = int(text[:2]), int(text[2:4]), int(text[4:6]), int(text[6:9])
    kind = Kind.D_NUMBER if day > D_NUMBER_DAYS else Kind.BIRTH
    synthetic = month > SYNTHETIC_MONTHS
    day -= D_NUMBER_DAYS if kind is Kind.D_NUMBER else 0
    month -= SYNTHETIC_MONTHS if synthetic else 0
    if today >= NEW_RULE_FROM:
        _date(2000, month, day)  # a leap year: every day of the year is one that somebody can be born on
        return NationalNumber(text, kind, synthetic, None)
    return NationalNumber(text, kind, synthetic, _date(_century(individual, year) + year, month, day))


def _remainder(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11


def _century(individual: int, year: int) -> int:
    """From digits 7-9 and the two digits of the year. Raises InvalidNumberError for pairs that were never given out."""
    if individual < 500:
        return 1900
    if individual < 750 and year >= 54:
        return 1800
    if year < 40:
        return 2000
    if individual >= 900:
        return 1900
    raise InvalidNumberError


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise InvalidNumberError from error
