"""The rules of the open level: when a service is open, when a text is old, when words call for the crisis numbers."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
OLD_AFTER = timedelta(days=365)
"""An answer is never rewritten; after a year its reader is warned (ung.no's content policy)."""
LIVE_FOR = timedelta(hours=12)
"""How long a word from the chat network outweighs the ordinary hours: no shift is longer."""
LONGEST_QUERY = 200
"""Characters of a search. Longer ones are refused, not cut: half a query finds something else."""
WORDS_BETWEEN = 2
"""How many words may stand between two words of a crisis phrase ("vil [egentlig] ikke leve")."""


class QueryTooLongError(ValueError):
    """The search is longer than LONGEST_QUERY."""


class ArticleNotFoundError(LookupError):
    """No such article here."""


class AnswerNotFoundError(LookupError):
    """No such answer here, or it was taken away."""


class ServiceNotFoundError(LookupError):
    """No such help service in the register."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of one weekday, local time in Oslo. Closing at or before opening means on the next day."""

    weekday: int
    """ISO 8601: 1 = Monday, 7 = Sunday."""
    opens: time
    closes: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        """The shift that begins on `day`, as instants in UTC, so that the hours of a clock change count as they pass."""
        last = day if self.closes > self.opens else day + timedelta(days=1)
        return datetime.combine(day, self.opens, OSLO).astimezone(UTC), datetime.combine(last, self.closes, OSLO).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Live:
    """What the chat network last said about a service."""

    open: bool
    heard_at: datetime


def open_now(shifts: Iterable[Shift], instant: datetime) -> bool:
    """Whether any shift covers the instant (aware). The moment of closing is closed."""
    return closes_at(shifts, instant) is not None


def closes_at(shifts: Iterable[Shift], instant: datetime) -> datetime | None:
    """When the service closes if it is open at the instant, in UTC; None = it is closed. Shifts that touch count as one."""
    until = None
    for opens, closes in _around(shifts, instant):
        if opens <= (until or instant) < closes:
            until = closes
    return until


def opens_next(shifts: Iterable[Shift], instant: datetime) -> datetime | None:
    """When the next shift begins after the instant, within eight days, in UTC; None = there is none."""
    return min((opens for opens, _ in _around(shifts, instant) if opens > instant), default=None)


def is_open(shifts: Sequence[Shift], always: bool, live: Live | None, instant: datetime) -> bool:
    """Open at the instant: what the network said lately, else the ordinary hours."""
    return live.open if live is not None and is_fresh(live, instant) else always or open_now(shifts, instant)


def is_fresh(live: Live, instant: datetime) -> bool:
    """Whether what was heard still outweighs the ordinary hours."""
    return instant - live.heard_at < LIVE_FOR


def _around(shifts: Iterable[Shift], instant: datetime) -> list[tuple[datetime, datetime]]:
    """Every shift from yesterday's (it may reach past midnight) to the same weekday next week, in order of opening."""
    today = instant.astimezone(OSLO).date()
    days = [today + timedelta(days=n) for n in range(-1, 8)]
    return sorted(shift.on(day) for shift in shifts for day in days if day.isoweekday() == shift.weekday)


def is_old(answered_on: date, today: date) -> bool:
    """Whether the reader must be warned that the answer may no longer be right."""
    return today - answered_on > OLD_AFTER


def local_date(instant: datetime) -> date:
    """The calendar day in Oslo."""
    return instant.astimezone(OSLO).date()


def norwegian_order(name: str) -> tuple[int, ...]:
    """Sorts æ, ø and å last, in that order; the database sorts by code point."""
    return tuple({"æ": 1_000_001, "ø": 1_000_002, "å": 1_000_003}.get(letter, ord(letter)) for letter in name.casefold())


def plain_words(text: str) -> list[str]:
    """Lower-case words without accents and apostrophes, as hurried thumbs write them: `Får ikke sove!` -> far, ikke, sove.

    ø and æ stay: "vil dø" is not "vil [på] do".
    """
    spread = unicodedata.normalize("NFKD", text.casefold().replace("'", "").replace("’", ""))
    return re.findall(r"[a-z0-9æø]+", "".join(c for c in spread if not unicodedata.combining(c)))


def folded(text: str) -> str:
    """The text as the search compares it letter by letter: plain words in which ø and æ are o and ae too."""
    return " ".join(plain_words(text)).replace("ø", "o").replace("æ", "ae")


def names_a_crisis(text: str, phrases: Iterable[str]) -> bool:
    """Whether the text holds one of the listed phrases.

    A phrase's words stand in order with at most WORDS_BETWEEN others between, or with none where a hyphen joins them
    (`henge-meg`); `*` ends a word that may go on (`selvmord*`).
    An explicit list on purpose: similarity once sent "jeg vil ikke leve lenger" to an article about sleep. It may raise the
    crisis block, never hide or close anything.
    """
    return re.search(_pattern(tuple(phrases)), " ".join(plain_words(text))) is not None


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    if phrases not in _PATTERNS:
        gap = rf"(?: \w+){{0,{WORDS_BETWEEN}}} "
        _PATTERNS[phrases] = re.compile("|".join(rf"\b{gap.join(map(_word, phrase.split()))}\b" for phrase in phrases) or r"(?!)")
    return _PATTERNS[phrases]


def _word(word: str) -> str:
    return " ".join(plain_words(word)) + (r"\w*" if word.endswith("*") else "")


_PATTERNS: dict[tuple[str, ...], re.Pattern[str]] = {}
