"""The rules of the open level: when a service is open, when a text is old, when words call for the crisis numbers."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
OLD_AFTER = timedelta(days=365)
"""After a year the reader of an answer (never rewritten) or of an article (reviewed by its owner) is warned (ung.no's content policy)."""
LIVE_FOR = timedelta(hours=12)
"""How long a word from the chat network outweighs the ordinary hours: no shift is longer."""
DAYS_AHEAD = 14
"""How far the next opening is looked for: past Christmas and Easter."""
LONGEST_QUERY = 200
"""Characters of a search. Longer ones are refused, not cut: half a query finds something else."""
WORDS_BETWEEN = 2
"""How many words may stand between two words of a crisis phrase ("vil [egentlig] ikke leve")."""
LONG_ENOUGH_TO_SLIP = 7
"""Letters of a listed word that is also heard misspelt: shorter ones are too near to others (`incest` to `invest`)."""


class QueryTooLongError(ValueError):
    """The search is longer than LONGEST_QUERY."""


class ArticleNotFoundError(LookupError):
    """No such article here."""


class AnswerNotFoundError(LookupError):
    """No such answer here, or it was taken away."""


class ServiceNotFoundError(LookupError):
    """No such help service in the register."""


class GoneError(LookupError):
    """It was here and was taken away. `topic`: what it was about, where that is still known."""

    def __init__(self, topic: str | None = None) -> None:
        super().__init__()
        self.topic = topic


class ArticleGoneError(GoneError, ArticleNotFoundError):
    """The article was withdrawn."""


class AnswerGoneError(GoneError, AnswerNotFoundError):
    """The answer was withdrawn; nothing of it is left."""


class ServiceGoneError(GoneError, ServiceNotFoundError):
    """The help service was taken out of the register."""


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


class OnHolidays(StrEnum):
    """What a service does on public holidays. Where the register doesn't say, its hours on such a day aren't known."""

    CLOSED = "closed"
    USUAL = "usual"


class State(StrEnum):
    """How a service is at one moment."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """Nobody told us: no hours in the register, or a holiday that it says nothing about."""


Period = tuple[datetime, datetime]
"""From opening to closing, UTC."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a service is ordinarily open, as its owner vouches for it in the register."""

    shifts: tuple[Shift, ...] = ()
    always: bool = False
    on_holidays: str | None = None
    """One of OnHolidays; None = the register doesn't say."""
    special_days: Mapping[date, tuple[Shift, ...]] = field(default_factory=dict)
    """Days with hours of their own, in place of the week's; none of them = closed that day."""

    def known(self, day: date) -> bool:
        """Whether the hours that `on` gives for a day can be trusted."""
        return day in self.special_days or self.on_holidays is not None or day not in holidays(day.year)

    def on(self, day: date) -> Iterator[Period]:
        """The shifts that begin on a day."""
        if day in self.special_days:
            return (shift.on(day) for shift in self.special_days[day])
        if self.on_holidays == OnHolidays.CLOSED and day in holidays(day.year):
            return iter(())
        return (shift.on(day) for shift in self.shifts if shift.weekday == day.isoweekday())


@dataclass(frozen=True, slots=True)
class Live:
    """What the chat network last said about a service."""

    open: bool
    heard_at: datetime


def state_of(hours: Hours, live: Live | None, instant: datetime) -> State:
    """How the service is at the instant (aware): what the network said lately, else the ordinary hours."""
    if live is not None and is_fresh(live, instant):
        return State.OPEN if live.open else State.CLOSED
    if hours.always or closes_at(hours, instant) is not None:
        return State.OPEN
    if not (hours.shifts or hours.special_days):
        return State.UNKNOWN
    doubtful = (period for day in _days_at(instant) if not hours.known(day) for period in hours.on(day))
    return State.UNKNOWN if any(opens <= instant < closes for opens, closes in doubtful) else State.CLOSED


def closes_at(hours: Hours, instant: datetime) -> datetime | None:
    """When the service closes if its hours say that it is open, in UTC; None = they don't. Shifts that touch count as one."""
    until, yesterday = None, _days_at(instant)[0]
    for day in (yesterday + timedelta(days=n) for n in range(DAYS_AHEAD)):
        if day > local_date(until or instant):
            break
        for opens, closes in sorted(hours.on(day)) if hours.known(day) else ():
            if opens <= (until or instant) < closes:
                until = closes
    return until


def opens_next(hours: Hours, instant: datetime) -> datetime | None:
    """When the next shift begins after the instant, in UTC; None = not within DAYS_AHEAD. Doubtful days promise nothing."""
    today = local_date(instant)
    for day in (today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)):
        later = [opens for opens, _ in hours.on(day) if opens > instant] if hours.known(day) else []
        if later:
            return min(later)
    return None


def is_fresh(live: Live, instant: datetime) -> bool:
    """Whether what was heard still outweighs the ordinary hours."""
    return instant - live.heard_at < LIVE_FOR


def _days_at(instant: datetime) -> tuple[date, date]:
    """The days whose shifts can cover the instant: yesterday's may reach past midnight."""
    today = local_date(instant)
    return today - timedelta(days=1), today


@cache
def holidays(year: int) -> frozenset[date]:
    """Days when ordinary hours often don't hold: the public holidays (lov 1995-02-24-12 § 2, lov 1947-04-26-1) and the two eves."""
    sunday = _easter(year)
    moving = (sunday + timedelta(days=n) for n in (-3, -2, 0, 1, 39, 49, 50))
    return frozenset(moving) | {date(year, *day) for day in ((1, 1), (5, 1), (5, 17), (12, 24), (12, 25), (12, 26), (12, 31))}


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


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

    ø and æ stay: "vil dø" is not "vil [på] do". What can't be seen (zero width, direction marks, stacked accents) parts no word.
    """
    spread = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return re.findall(r"[a-z0-9æø]+", "".join(c for c in spread if unicodedata.category(c) not in _UNSEEN))


def folded(text: str) -> str:
    """The text as the search compares it letter by letter: plain words in which ø and æ are o and ae too."""
    return " ".join(plain_words(text)).replace("ø", "o").replace("æ", "ae")


@dataclass(frozen=True, slots=True)
class CrisisWords:
    """An explicit list on purpose: similarity once sent "jeg vil ikke leve lenger" to an article about sleep.

    It may raise the crisis block, never hide or close anything.
    """

    phrases: tuple[str, ...]
    """A phrase's words stand in order with at most WORDS_BETWEEN others between, or with none where a hyphen joins them (`henge-meg`).
    `*` ends a word that may go on (`selvmord*`). A phrase of one long word is also found with one slip of the thumb (`selvmrd`)."""
    spoken: Mapping[str, str] = field(default_factory=dict)
    """Form of a dialect or of the other Norwegian -> the word that the phrases use: `orka` -> `orker`."""

    def named_in(self, text: str) -> bool:
        """Whether the text holds one of the phrases."""
        return _pattern(self.phrases, tuple(self.spoken.items())).search(" ".join(_as_listed(text, self.spoken))) is not None


def _as_listed(text: str, spoken: Mapping[str, str]) -> list[str]:
    return [spoken.get(word, word) for word in plain_words(text)]


@cache
def _pattern(phrases: tuple[str, ...], spoken: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    gap = rf"(?: \w+){{0,{WORDS_BETWEEN}}} "
    found = []
    for phrase in phrases:
        parts = [(" ".join(_as_listed(part, dict(spoken))), r"\w*" if part.endswith("*") else "") for part in phrase.split()]
        alone = len(parts) == 1 and " " not in parts[0][0] and len(parts[0][0]) >= LONG_ENOUGH_TO_SLIP
        found.append(f"(?:{'|'.join(_slips(parts[0][0]))}){parts[0][1]}" if alone else gap.join(map("".join, parts)))
    return re.compile("|".join(rf"\b{each}\b" for each in found) or r"(?!)")


def _slips(word: str) -> Iterator[str]:
    """Patterns of the word as it is, and with one letter left out, wrong, too many (or a space) or swapped. The first letter is right."""
    yield word
    for place in range(1, len(word)):
        before, letter, after = word[:place], word[place], word[place + 1 :]
        yield rf"{before}\w?{after}"
        yield rf"{before}[\w ]{letter}{after}"
        yield f"{before}{after[:1]}{letter}{after[1:]}"


_PLAIN = str.maketrans({"'": None, "’": None, "đ": "d", "ŋ": "n", "ŧ": "t"})
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
"""Unicode's general categories of marks that stand on other letters, and of characters without a width."""
