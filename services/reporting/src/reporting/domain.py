"""The rules of the figures: what a step of the journey is, which counts may be shown, how waits are summed up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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


class InvalidPeriodError(ValueError):
    """A period ends before it begins, or is longer than is kept."""


LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (inclusive) to `end` (exclusive), UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not timedelta(0) < self.end - self.start <= LONGEST:
            raise InvalidPeriodError
