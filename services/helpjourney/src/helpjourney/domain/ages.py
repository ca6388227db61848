"""Who is received how at which age. The bounds are dated data; how age is counted stands here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts.codes import AgeBand, LevelOfAssurance

OSLO = ZoneInfo("Europe/Oslo")

_BAND_FROM = (
    (21, AgeBand.OVER_20),
    (18, AgeBand.FROM_18_TO_20),
    (16, AgeBand.FROM_16_TO_17),
    (13, AgeBand.FROM_13_TO_15),
    (0, AgeBand.UNDER_13),
)


class Reception(StrEnum):
    """What the health service does with somebody of an age."""

    WELCOME = "welcome"
    WITH_GUARDIANS = "with_guardians"
    """Too young for a log-in of her own: guardians act at Helsenorge, helpers talk with her."""
    HAND_OVER = "hand_over"
    """Older than the offer is meant for: led on kindly."""


class NotForThisAgeError(Exception):
    """The journey isn't made for this age; `reception` says who helps instead."""

    def __init__(self, reception: Reception) -> None:
        super().__init__(reception.value)
        self.reception = reception


@dataclass(frozen=True, slots=True)
class AgeRule:
    """One row of the dated policy."""

    age_from: int
    """Whole years, inclusive."""
    age_to: int | None
    """Whole years, inclusive; None = no upper bound."""
    reception: Reception
    level: LevelOfAssurance
    """The lowest level of assurance that is enough to be received."""
    valid_from: date
    valid_to: date | None
    """Last day of validity, inclusive; None = until replaced."""

    def covers(self, age: int, day: date) -> bool:
        """Whether the rule speaks of this age on this day."""
        old_enough = self.age_from <= age and (self.age_to is None or age <= self.age_to)
        return old_enough and self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def day_in_oslo(instant: datetime) -> date:
    """The calendar day that age and "today" count by: it begins at midnight Europe/Oslo."""
    return instant.astimezone(OSLO).date()


def age_on(born: date, day: date) -> int:
    """Whole years on a day. Who was born on 29 February turns on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def band_of(age: int) -> AgeBand:
    """The band that may be told; a negative age (a date in the future) is not known."""
    return next((band for lowest, band in _BAND_FROM if age >= lowest), AgeBand.UNKNOWN)


def rule_of(rules: Iterable[AgeRule], born: date, day: date) -> AgeRule | None:
    """The rule for somebody's age on a day."""
    age = age_on(born, day)
    return next((rule for rule in rules if rule.covers(age, day)), None)


def received(rules: Iterable[AgeRule], born: date, day: date) -> AgeBand:
    """The age band of somebody who is welcome. Raises NotForThisAgeError; without a rule a human must look, so guardians and helpers."""
    rule = rule_of(rules, born, day)
    reception = rule.reception if rule else Reception.WITH_GUARDIANS
    if reception is not Reception.WELCOME:
        raise NotForThisAgeError(reception)
    return band_of(age_on(born, day))
