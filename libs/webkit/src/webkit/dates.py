"""How times, dates and numbers are written in each language, in Norwegian time."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

OSLO = ZoneInfo("Europe/Oslo")
UNDER_A_MINUTE = {"nb": "under ett minutt", "nn": "under eitt minutt", "se": "unnit go minuhta", "en": "under a minute"}
AT = {"nb": "kl.", "nn": "kl.", "se": "dii.", "en": "at"}
_TOGETHER = Markup('<span class="date">{}</span>')
_DAY_AND_MONTH = re.compile(r"\b\d{1,2}\.? [^\W\d]+")


def local(moment: datetime) -> datetime:
    """In Norwegian time; a naive time is refused."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone has no place on a page")
    return moment.astimezone(OSLO)


def filters(locale: Locale) -> Mapping[str, Callable[..., str]]:
    """The Jinja filters of one language: date, day, clock, time, duration, waited, sentence, number, percent."""

    def date_(value: date | datetime, style: str = "long") -> str:
        """24. november 2026; style: short, medium, long, full (with weekday), or a CLDR pattern."""
        return _together(format_date(_day(value), style, locale=locale))

    def day(value: date | datetime) -> str:
        """tirsdag 24. november"""
        return _together(format_date(_day(value), "EEEE d MMMM" if locale.language == "en" else "EEEE d. MMMM", locale=locale))

    def clock(value: datetime | time_of_day) -> str:
        """14.05; a time of day is Norwegian as it stands."""
        moment = value if isinstance(value, time_of_day) else local(value)
        return f"{moment:%H:%M}" if locale.language == "en" else f"{moment:%H.%M}"

    def time(value: datetime) -> str:
        """tirsdag 24. november kl. 14.05"""
        return day(value) + f" {AT[locale.language]}\xa0{clock(value)}"

    def duration(value: timedelta | float) -> str:
        """1 minutt, 10 minutter, 1 time, 70 minutter; a number counts seconds."""
        length = value if isinstance(value, timedelta) else timedelta(seconds=value)
        as_it_is = length < timedelta(seconds=90) or not length % timedelta(hours=1)
        return format_timedelta(length, threshold=1 if as_it_is else 1.2, locale=locale)

    def waited(value: timedelta | float) -> str:
        """under ett minutt, 1 minutt, 10 minutter: how long somebody has waited; a number counts seconds."""
        length = value if isinstance(value, timedelta) else timedelta(seconds=value)
        return UNDER_A_MINUTE[locale.language] if length < timedelta(minutes=1) else duration(length)

    def sentence(value: str) -> str:
        """Tirsdag 24. november: with a capital, where it stands alone."""
        return value[:1].upper() + value[1:]

    def number(value: float) -> str:
        return format_decimal(value, locale=locale)

    def percent(value: float) -> str:
        """0.42 -> 42 %"""
        return format_percent(value, locale=locale)

    made = (day, clock, time, duration, waited, sentence, number, percent)
    return {"date": date_, **{filter_.__name__: filter_ for filter_ in made}}


def _day(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def _together(text: str) -> Markup:
    """For a page: the day and its month stand on one line where one is wide enough, and break between them where none is."""
    found = _DAY_AND_MONTH.search(text)
    if found is None:
        return escape(text)
    return escape(text[: found.start()]) + _TOGETHER.format(found[0]) + text[found.end() :]
