"""When a secret may be held, when it may be bound, and how long wrong codes close a door."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

HOLD = timedelta(minutes=120)
"""How long a browser that presented a secret may wait before it binds."""
FETCHING = timedelta(seconds=60)
"""How long the page renews itself while the offer isn't here yet."""
CLOSED = timedelta(minutes=15)
"""How long wrong codes close a locator or a login; wrong codes are forgotten after the same time."""
WRONG_CODES = 5


class OfferState(StrEnum):
    """What became of an offer that was not claimed; a claimed one has no row."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Standing(StrEnum):
    """What a browser that presented a secret is told. An unknown secret looks like one that isn't here yet."""

    NOTHING = "nothing"
    FETCHING = "fetching"
    NOT_FOUND = "not_found"
    READY = "ready"
    LOGIN_AGAIN = "login_again"
    """Ready, but presented after the login."""
    CLAIMED = "claimed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class NotHeldError(Exception):
    """This browser presented no secret, or too long ago."""


class LoginTooOldError(Exception):
    """The login is older than the presenting: it may be somebody else's who uses the same machine."""


class NotArrivedError(Exception):
    """No offer answers to this secret, yet or ever."""


class AlreadyClaimedError(Exception):
    """Somebody else's commit came first."""


class OfferGoneError(Exception):
    """The offer was withdrawn or its time was up before it was presented."""

    def __init__(self, state: OfferState) -> None:
        super().__init__(state.value)
        self.state = state


class TooManyCodesError(Exception):
    """Too many wrong codes for this locator or by this login: closed for a while, never for good."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong codes of one locator or one login."""

    wrong: int
    closed_until: datetime | None

    def is_closed(self, now: datetime) -> bool:
        """Whether no code is looked at now."""
        return self.closed_until is not None and now < self.closed_until

    def after_wrong(self, now: datetime) -> "Tries":
        """One more wrong code; the fifth closes and the count begins again."""
        if self.wrong + 1 >= WRONG_CODES:
            return Tries(0, now + CLOSED)
        return replace(self, wrong=self.wrong + 1)


def must_be_fresh(auth_time: datetime, presented_at: datetime) -> None:
    """Raises LoginTooOldError unless the login came after the presenting: one of the same second may be somebody else's."""
    if auth_time < presented_at:
        raise LoginTooOldError


def must_be_open(state: OfferState, expires_at: datetime, presented_at: datetime) -> None:
    """Raises OfferGoneError unless the offer stands and was presented in time; binding may come later than expiry."""
    if state is OfferState.WITHDRAWN:
        raise OfferGoneError(state)
    if presented_at >= expires_at:
        raise OfferGoneError(OfferState.EXPIRED)


def bucket_start(now: datetime, seconds: int) -> datetime:
    """The beginning of the bucket of time that `now` is in."""
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
