"""The rules, without a database."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from contracts.codes import AgeBand, LevelOfAssurance
from helpjourney.domain.ages import AgeRule, NotForThisAgeError, Reception, age_on, band_of, day_in_oslo, received
from helpjourney.domain.appointments import State, TimesError, local_time, remind_at
from helpjourney.domain.claims import (
    LoginTooOldError,
    OfferGoneError,
    OfferState,
    Tries,
    bucket_start,
    must_be_fresh,
    must_be_open,
)
from helpjourney.domain.journeys import Journey, NextStep, next_step

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OLD, NEW = date(2026, 1, 1), date(2027, 1, 1)


def rule(age_from: int, age_to: int | None, reception: Reception, valid_from: date = OLD, valid_to: date | None = None) -> AgeRule:
    return AgeRule(age_from, age_to, reception, LevelOfAssurance.SUBSTANTIAL, valid_from, valid_to)


RULES = [
    rule(0, 12, Reception.WITH_GUARDIANS, valid_to=date(2026, 12, 31)),
    rule(13, 20, Reception.WELCOME, valid_to=date(2026, 12, 31)),
    rule(0, 14, Reception.WITH_GUARDIANS, NEW),
    rule(15, 20, Reception.WELCOME, NEW),
    rule(21, None, Reception.HAND_OVER),
]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2013, 11, 24), date(2026, 11, 23), 12),
        (date(2013, 11, 24), date(2026, 11, 24), 13),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
    ],
)
def test_age_counts_whole_years_also_for_leap_days(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


def test_a_birthday_begins_at_midnight_in_oslo() -> None:
    before, after = datetime(2026, 6, 30, 21, 59, tzinfo=UTC), datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert [age_on(date(2013, 7, 1), day_in_oslo(moment)) for moment in (before, after)] == [12, 13]


@pytest.mark.parametrize("age", range(40))
def test_every_age_is_received_somehow(age: int) -> None:
    born = date(2026 - age, 1, 1)
    if 13 <= age <= 20:
        assert received(RULES, born, date(2026, 11, 24)) is band_of(age)
    else:
        with pytest.raises(NotForThisAgeError):
            received(RULES, born, date(2026, 11, 24))


def test_a_new_rule_holds_from_its_day() -> None:
    born = date(2012, 6, 1)
    assert received(RULES, born, date(2026, 12, 31)) is AgeBand.FROM_13_TO_15
    with pytest.raises(NotForThisAgeError):
        received(RULES, born, NEW)


def test_no_rule_means_that_a_human_must_look() -> None:
    with pytest.raises(NotForThisAgeError) as refused:
        received([], date(2011, 1, 1), OLD)
    assert refused.value.reception is Reception.WITH_GUARDIANS


def test_a_date_of_birth_in_the_future_has_no_band() -> None:
    assert band_of(age_on(date(2027, 1, 1), OLD)) is AgeBand.UNKNOWN


def test_a_login_must_come_after_the_presenting() -> None:
    """INVARIANT: a login of the same second may be somebody else's that lived in the browser."""
    presented = NOW.replace(microsecond=700_000)
    must_be_fresh(presented, presented)
    with pytest.raises(LoginTooOldError):
        must_be_fresh(NOW.replace(microsecond=0), presented)


@pytest.mark.parametrize(
    ("state", "presented", "stands"),
    [
        (OfferState.OPEN, NOW - timedelta(seconds=1), True),
        (OfferState.OPEN, NOW, False),
        (OfferState.EXPIRED, NOW - timedelta(seconds=1), True),
        (OfferState.WITHDRAWN, NOW - timedelta(seconds=1), False),
    ],
)
def test_an_offer_stands_if_it_was_presented_before_it_expired(state: OfferState, presented: datetime, stands: bool) -> None:
    if stands:
        must_be_open(state, NOW, presented)
    else:
        with pytest.raises(OfferGoneError):
            must_be_open(state, NOW, presented)


def test_wrong_codes_close_for_fifteen_minutes_and_never_for_good() -> None:
    tries = Tries(0, None)
    for _ in range(4):
        tries = tries.after_wrong(NOW)
        assert not tries.is_closed(NOW)
    tries = tries.after_wrong(NOW)
    assert tries.is_closed(NOW + timedelta(minutes=14, seconds=59))
    assert not tries.is_closed(NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("seconds", "start"), [(3600, NOW), (2, NOW + timedelta(minutes=1, seconds=6)), (86_400, NOW - timedelta(hours=12))]
)
def test_a_bucket_begins_on_its_own_grid(seconds: int, start: datetime) -> None:
    moment = NOW + timedelta(minutes=1, seconds=7, microseconds=5)
    assert bucket_start(moment, seconds) == start


@pytest.mark.parametrize(
    "text", ["", "2026-11-24", "2026-11-24T14:30:00", "2026-11-24T14:30+01:00", "2027-03-28T02:30", "24.11.2026 14:30"]
)
def test_a_time_that_is_not_on_the_clock_is_refused(text: str) -> None:
    with pytest.raises(TimesError):
        local_time(text)


def test_local_time_is_that_of_oslo_in_summer_and_winter_and_the_first_of_a_doubled_hour() -> None:
    assert local_time("2026-07-01T14:30") == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert local_time("2026-12-01T14:30") == datetime(2026, 12, 1, 13, 30, tzinfo=UTC)
    assert local_time("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_reminder_is_due_a_day_before_or_at_once() -> None:
    assert remind_at(NOW + timedelta(days=3), NOW) == NOW + timedelta(days=2)
    assert remind_at(NOW + timedelta(hours=3), NOW) == NOW


def test_a_journey_counts_what_it_has_told() -> None:
    journey = Journey(uuid4(), uuid4(), version=0, is_released=False)
    assert journey.release().version == 1
    held = journey.start_care(NOW, "1234567", "care-2026-11")
    assert (held.version, held.release().version) == (0, 2)
    assert journey.release().start_care(NOW, "1234567", "care-2026-11").version == 2


@pytest.mark.parametrize(
    ("states", "step"),
    [
        ([], NextStep.WISH),
        ([State.WISHED], NextStep.WAIT),
        ([State.WISHED, State.BOOKED], NextStep.COME),
        ([State.BOOKED, State.OFFERED], NextStep.CHOOSE_TIME),
    ],
)
def test_one_step_is_next(states: list[State], step: NextStep) -> None:
    assert next_step(states) is step
