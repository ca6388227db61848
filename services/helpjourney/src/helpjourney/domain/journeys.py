"""What a journey is, when care begins, and how long what it holds is kept."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from helpjourney.domain.appointments import State

CARE_TEXT = "care-2026-11"
"""Version of the text that says: from now on this is health care, written in the unit's journal."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is kept is kept; each period is a setting with an owner."""

    empty: timedelta
    """A journey in which nothing happened."""
    journey: timedelta
    """A journey after the last thing that happened in it."""
    summary: timedelta
    """What she brought from the anonymous level."""
    note: timedelta
    """What she wrote with a wish, while the appointment isn't over."""
    note_after: timedelta
    """The same, once the appointment is over."""


class CareCannotStartError(Exception):
    """Care needs a logged-in youth who saw the text, an identified clinician and a responsible unit; `code` says what lacks."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CareNotStartedError(Exception):
    """Only who gives health care can refer on."""


class CaseOpenError(Exception):
    """A case with an open wish or appointment can't be ended: she waits for an answer."""


class ReferralTarget(StrEnum):
    """Where a unit refers a youth on to."""

    GP = "gp"
    MUNICIPAL_PSYCHOLOGIST = "municipal_psychologist"
    MENTAL_HEALTH_CLINIC = "mental_health_clinic"
    HOSPITAL = "hospital"
    SCHOOL_SUPPORT = "school_support"
    OTHER = "other"


class CareStartedError(Exception):
    """Care was started before."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One youth's way at level 3, seen from its facts."""

    id: UUID
    subject: UUID | None
    """None: began with a clinician, without a login."""
    version: int
    """How many facts were told about it; 0 until its bucket of time is over."""
    is_released: bool
    """Whether its start was told. Until then later facts wait, so that they come in order."""
    care_started_at: datetime | None = None

    def start_care(self, now: datetime, hpr_number: str | None, care_text: str | None) -> "Journey":
        """An explicit act of an identified clinician (helsepersonelloven § 3, § 39). Never follows from a chat or a booking."""
        if self.care_started_at is not None:
            raise CareStartedError
        if self.subject is None:
            raise CareCannotStartError("no_login")
        if not hpr_number:
            raise CareCannotStartError("no_hpr")
        if care_text is None:
            raise CareCannotStartError("text_not_seen")
        return replace(self, care_started_at=now, version=self.version + (1 if self.is_released else 0))

    def release(self) -> "Journey":
        """Its bucket of time is over: the start may be told, and care if it began meanwhile."""
        return replace(self, is_released=True, version=2 if self.care_started_at else 1)


class NextStep(StrEnum):
    """The one thing to do next, shown on top."""

    CHOOSE_TIME = "choose_time"
    CHOOSE_OTHER_TIME = "choose_other_time"
    """She has a time, and the unit proposes another one."""
    COME = "come"
    WAIT = "wait"
    WISH = "wish"


def next_step(states: Collection[State], *, other_time: bool = False) -> NextStep:
    """What matters most of the appointments that aren't over. `other_time`: another time is proposed for one of them."""
    if State.OFFERED in states:
        return NextStep.CHOOSE_TIME
    if other_time:
        return NextStep.CHOOSE_OTHER_TIME
    if State.BOOKED in states:
        return NextStep.COME
    return NextStep.WAIT if State.WISHED in states else NextStep.WISH
