"""From a wish to a kept appointment: who may do what, and when. One value per step; each returns the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from helpjourney.domain.ages import OSLO

MOST_TIMES = 3
FARTHEST = timedelta(days=180)
"""How far ahead a unit may offer a time."""
REMIND_BEFORE = timedelta(hours=24)
MINUTES = (15, 30, 45, 60, 90)
"""Lengths that a unit may offer."""


class State(StrEnum):
    """Where an appointment is. The last three are final."""

    WISHED = "wished"
    OFFERED = "offered"
    BOOKED = "booked"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


OPEN_STATES = (State.WISHED, State.OFFERED, State.BOOKED)


class When(StrEnum):
    """When it suits, free of calendars: days of the week and parts of the day."""

    SOON = "soon"
    THIS_WEEK = "this_week"
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    MORNING = "morning"
    IN_SCHOOL_HOURS = "school_hours"
    AFTER_SCHOOL = "after_school"
    EVENING = "evening"
    ANY = "any"


class Reminding(StrEnum):
    """How she wants to be reminded of an appointment."""

    TEXT = "text"
    """A neutral text message the day before."""
    OVERVIEW = "overview"
    """On top of her own page, the two days before."""
    NONE = "none"


class Contact(StrEnum):
    """How she hears that the unit has answered."""

    HERE = "here"
    """She looks here herself; nothing is sent."""
    MESSAGE = "message"
    """A message that says nothing but that there is one."""


class NotNowError(Exception):
    """The appointment isn't in the state that this act needs: someone came first, or it is over."""


class TimesError(Exception):
    """The offered times can't be: none or too many, past, too far ahead, or not on the clock; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that a unit offers."""

    id: UUID
    starts_at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Appointment:
    """One appointment from wish to end."""

    id: UUID
    state: State
    version: int
    """How many facts were told about it."""
    wished_at: datetime
    starts_at: datetime | None = None
    minutes: int | None = None
    ended_at: datetime | None = None

    def offer(self) -> "Appointment":
        """The unit offers times, for the first time or others than before."""
        self._must_be(State.WISHED, State.OFFERED)
        return replace(self, state=State.OFFERED, version=self.version + 1)

    def decline_times(self) -> "Appointment":
        """None of the times suits: the wish stands and the unit sees so. No fact: nothing was agreed."""
        self._must_be(State.OFFERED)
        return replace(self, state=State.WISHED)

    def book(self, slot: Slot, now: datetime) -> "Appointment":
        """The youth takes one of the times."""
        self._must_be(State.OFFERED)
        if slot.starts_at <= now:
            raise NotNowError
        return replace(self, state=State.BOOKED, version=self.version + 1, starts_at=slot.starts_at, minutes=slot.minutes)

    def propose(self, now: datetime) -> "Appointment":
        """The unit proposes another time; the agreed one stands until the youth says yes. No fact: nothing is agreed yet."""
        self._must_be_ahead(now)
        return self

    def move(self, slot: Slot, now: datetime) -> "Appointment":
        """The youth takes another time than the agreed one."""
        self._must_be_ahead(now)
        if slot.starts_at <= now:
            raise NotNowError
        return replace(self, version=self.version + 1, starts_at=slot.starts_at, minutes=slot.minutes)

    def ask_for_other_time(self, now: datetime) -> "Appointment":
        """The youth can't come then; what is agreed stands until there is another time."""
        self._must_be_ahead(now)
        return self

    def cancel(self, now: datetime) -> "Appointment":
        """Either side calls it off; also a wish may be taken back."""
        self._must_be(*OPEN_STATES)
        if self.state is State.BOOKED and self.starts_at is not None and self.starts_at <= now:
            raise NotNowError
        return replace(self, state=State.CANCELLED, version=self.version + 1, ended_at=now)

    def end(self, state: State, now: datetime) -> "Appointment":
        """The clinician says whether the youth came; not before it began."""
        self._must_be(State.BOOKED)
        if self.starts_at is None or now < self.starts_at:
            raise NotNowError
        return replace(self, state=state, version=self.version + 1, ended_at=now)

    def remind(self) -> "Appointment":
        """A reminder was handed to the sender."""
        self._must_be(State.BOOKED)
        return replace(self, version=self.version + 1)

    def waited_minutes(self, now: datetime) -> int:
        """Whole minutes since the wish."""
        return max(0, int((now - self.wished_at).total_seconds() // 60))

    def _must_be_ahead(self, now: datetime) -> None:
        self._must_be(State.BOOKED)
        if self.starts_at is None or self.starts_at <= now:
            raise NotNowError

    def _must_be(self, *states: State) -> None:
        if self.state not in states:
            raise NotNowError


def check_times(times: Sequence[datetime], minutes: int, now: datetime) -> None:
    """Raises TimesError unless a unit may offer these times."""
    if not times:
        raise TimesError("none")
    if len(times) > MOST_TIMES:
        raise TimesError("too_many")
    if len(set(times)) != len(times):
        raise TimesError("twice")
    if minutes not in MINUTES:
        raise TimesError("minutes")
    if any(start <= now for start in times):
        raise TimesError("past")
    if any(start > now + FARTHEST for start in times):
        raise TimesError("far")


def local_time(text: str) -> datetime:
    """A time of the wall clock in Oslo as a form gives it (YYYY-MM-DDTHH:MM). Raises TimesError.

    An hour that doesn't exist (the clock goes forward) is refused; of an hour that comes twice, the first is meant.
    """
    try:
        naive = datetime.fromisoformat(text)
    except ValueError as error:
        raise TimesError("unreadable") from error
    if naive.tzinfo is not None or len(text) != len("2026-11-24T14:30"):
        raise TimesError("unreadable")
    instant = naive.replace(tzinfo=OSLO).astimezone(UTC)
    if instant.astimezone(OSLO).replace(tzinfo=None) != naive:
        raise TimesError("unreadable")
    return instant


def remind_at(starts_at: datetime, now: datetime) -> datetime:
    """When a reminder is due: a day before, or at once if that is past."""
    return max(now, starts_at - REMIND_BEFORE)
