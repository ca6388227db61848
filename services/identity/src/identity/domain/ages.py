"""Age in whole years and bands. A year is added at midnight in Oslo, not in UTC."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.codes import AgeBand

OSLO = ZoneInfo("Europe/Oslo")
YOUNGEST = 12
"""Below this age parents act for the child at Helsenorge, and the platform has nothing to log in to."""
_BANDS = ((13, AgeBand.UNDER_13), (16, AgeBand.FROM_13_TO_15), (18, AgeBand.FROM_16_TO_17), (21, AgeBand.FROM_18_TO_20))


def day_in_oslo(moment: datetime) -> date:
    """The calendar day in Norway at an instant."""
    return moment.astimezone(OSLO).date()


def age_on(born: date, day: date) -> int:
    """Whole years. Someone born on 29 February gets a year older on 1 March in common years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def band_of(born: date | None, moment: datetime) -> AgeBand:
    """The band that is told instead of an age."""
    if born is None:
        return AgeBand.UNKNOWN
    age = age_on(born, day_in_oslo(moment))
    return next((band for bound, band in _BANDS if age < bound), AgeBand.OVER_20)
