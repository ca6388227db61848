"""The rules of the figures: what a step of the journey is, which counts may be shown, how waits are summed up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")

THRESHOLD = 5
"""Counts below this are not shown (domain practice of small cells, "prikking")."""
ROUNDING = 5
"""Shown counts are rounded to a multiple of this, so that no difference of two shown counts is a small cell."""


class Step(StrEnum):
    """What is counted. A count is of contacts or acts, never of persons."""

    PAGES_READ = "pages_read"
    SEARCHES_EMPTY = "searches_empty"
    QUESTIONS_ASKED = "questions_asked"
    QUESTIONS_ACUTE = "questions_acute"
    QUESTIONS_ANSWERED = "questions_answered"
    QUESTIONS_WITHDRAWN = "questions_withdrawn"
    ANSWERS_PUBLISHED = "answers_published"
    CHATS_REQUESTED = "chats_requested"
    CHATS_ACCEPTED = "chats_accepted"
    CHATS_ENDED = "chats_ended"
    CHATS_ABANDONED = "chats_abandoned"
    CHATS_UNANSWERED = "chats_unanswered"
    HANDOFFS_OFFERED = "handoffs_offered"
    HANDOFFS_WITHDRAWN = "handoffs_withdrawn"
    HANDOFFS_CLAIMED = "handoffs_claimed"
    LOGINS_COMPLETED = "logins_completed"
    LOGINS_FAILED = "logins_failed"
    JOURNEYS_STARTED = "journeys_started"
    CARE_STARTED = "care_started"
    APPOINTMENTS_WISHED = "appointments_wished"
    APPOINTMENTS_OFFERED = "appointments_offered"
    APPOINTMENTS_BOOKED = "appointments_booked"
    APPOINTMENTS_CANCELLED = "appointments_cancelled"
    APPOINTMENTS_REMINDED = "appointments_reminded"
    APPOINTMENTS_ATTENDED = "appointments_attended"
    APPOINTMENTS_NO_SHOW = "appointments_no_show"


class Wait(StrEnum):
    """Which wait is measured."""

    QUESTION = "question"
    CHAT = "chat"
    APPOINTMENT_OFFER = "appointment_offer"


WAIT_BOUNDS = (1, 2, 5, 10, 20, 60, 4 * 60, 24 * 60, 48 * 60, 7 * 24 * 60)
"""Upper bounds of the wait bands, minutes; a last band holds what is longer."""


def band_of(minutes: float) -> int:
    """The number of the wait band, 0 for the shortest."""
    return sum(minutes > bound for bound in WAIT_BOUNDS)


def shown(count: int) -> int | None:
    """The count as it may be shown, or None where it may not."""
    return None if count < THRESHOLD else ROUNDING * round(count / ROUNDING)


def share(part: int, whole: int) -> int | None:
    """Per cent, from shown counts only, so that it says no more than they do; None where either is hidden."""
    shown_part, shown_whole = shown(part), shown(whole)
    if shown_part is None or shown_whole is None:
        return None
    return round(100 * shown_part / shown_whole)


def median_bound(bands: Mapping[int, int]) -> int | None:
    """The upper bound, in minutes, of the band that holds the median wait; None below the threshold or beyond the last bound."""
    total = sum(bands.values())
    if total < THRESHOLD:
        return None
    passed = 0
    for band in sorted(bands):
        passed += bands[band]
        if 2 * passed >= total:
            return WAIT_BOUNDS[band] if band < len(WAIT_BOUNDS) else None
    return None


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One step of the funnel with its share of the step before it in the same level of the journey."""

    step: Step
    level: int
    count: int | None
    share_of: Step | None
    percent: int | None


FUNNEL: Sequence[tuple[int, Step, Step | None]] = (
    (1, Step.PAGES_READ, None),
    (2, Step.QUESTIONS_ASKED, None),
    (2, Step.QUESTIONS_ANSWERED, Step.QUESTIONS_ASKED),
    (2, Step.CHATS_REQUESTED, None),
    (2, Step.CHATS_ACCEPTED, Step.CHATS_REQUESTED),
    (2, Step.HANDOFFS_OFFERED, Step.CHATS_ACCEPTED),
    (3, Step.HANDOFFS_CLAIMED, Step.HANDOFFS_OFFERED),
    (3, Step.JOURNEYS_STARTED, None),
    (3, Step.APPOINTMENTS_WISHED, Step.JOURNEYS_STARTED),
    (3, Step.APPOINTMENTS_BOOKED, Step.APPOINTMENTS_WISHED),
    (3, Step.APPOINTMENTS_ATTENDED, Step.APPOINTMENTS_BOOKED),
)
"""The journey from level 1 to level 3: level, step, and the step that its share is taken of."""


def funnel(counts: Mapping[Step, int]) -> list[FunnelRow]:
    """The funnel of one period. Steps of different levels are joined by ratios of counts only: nobody is followed."""
    return [
        FunnelRow(step, level, shown(counts.get(step, 0)), whole, share(counts.get(step, 0), counts.get(whole, 0)) if whole else None)
        for level, step, whole in FUNNEL
    ]


@dataclass(frozen=True, slots=True)
class WaitPromise:
    """So many per cent wait at most so long."""

    owner: str
    """The service whose agency has promised it."""
    wait: Wait
    within_minutes: int
    """One of WAIT_BOUNDS: waits are only known by band."""
    at_least_percent: int


@dataclass(frozen=True, slots=True)
class SharePromise:
    """At least, or at most, so many per cent of all go one way."""

    owner: str
    part: tuple[Step, ...]
    whole: tuple[Step, ...]
    at_least_percent: int | None = None
    at_most_percent: int | None = None


AgencyPromise = WaitPromise | SharePromise

PROMISES: Sequence[AgencyPromise] = (
    SharePromise("info", (Step.SEARCHES_EMPTY,), (Step.PAGES_READ,), at_most_percent=5),
    WaitPromise("dialog", Wait.QUESTION, 48 * 60, 90),
    WaitPromise("dialog", Wait.CHAT, 10, 80),
    SharePromise("dialog", (Step.CHATS_UNANSWERED, Step.CHATS_ABANDONED), (Step.CHATS_REQUESTED,), at_most_percent=20),
    SharePromise("identity", (Step.LOGINS_COMPLETED,), (Step.LOGINS_COMPLETED, Step.LOGINS_FAILED), at_least_percent=90),
    WaitPromise("helpjourney", Wait.APPOINTMENT_OFFER, 48 * 60, 80),
)
"""What each agency has promised. The figures are this demonstration's own: the agencies have not set theirs."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How a promise was kept in one period."""

    promise: AgencyPromise
    percent: int | None
    """None = too few to show."""

    @property
    def is_kept(self) -> bool | None:
        """None = not known, since too few happened."""
        if self.percent is None:
            return None
        match self.promise:
            case WaitPromise(at_least_percent=least):
                return self.percent >= least
            case SharePromise(at_least_percent=least, at_most_percent=most):
                return (least is None or self.percent >= least) and (most is None or self.percent <= most)


def kept(promise: AgencyPromise, counts: Mapping[Step, int], waits: Mapping[Wait, Mapping[int, int]]) -> Kept:
    """The share that the promise is about, taken of rounded counts only."""
    match promise:
        case WaitPromise(wait=wait, within_minutes=minutes):
            bands = waits.get(wait, {})
            within = sum(count for band, count in bands.items() if band <= WAIT_BOUNDS.index(minutes))
            return Kept(promise, share(within, sum(bands.values())))
        case SharePromise(part=part, whole=whole):
            return Kept(promise, share(*(sum(counts.get(step, 0) for step in steps) for steps in (part, whole))))


class InvalidPeriodError(ValueError):
    """A period ends before it begins, or is longer than is kept."""


LONGEST = timedelta(days=400)
"""How long figures are kept, and so the longest period."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (inclusive) to `end` (exclusive), UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not timedelta(0) < self.end - self.start <= LONGEST:
            raise InvalidPeriodError

    @property
    def first_day(self) -> date:
        """In Europe/Oslo."""
        return self.start.astimezone(OSLO).date()

    @property
    def last_day(self) -> date:
        """In Europe/Oslo; the last day that is wholly in it."""
        return (self.end - timedelta(seconds=1)).astimezone(OSLO).date()


def whole_days(first: date, last: date) -> Period:
    """From the beginning of the first day to the end of the last, Europe/Oslo. Raises InvalidPeriodError."""
    try:
        return Period(_midnight(first), _midnight(last + timedelta(days=1)))
    except OverflowError as error:
        raise InvalidPeriodError from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), OSLO).astimezone(UTC)
