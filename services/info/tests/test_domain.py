"""Opening hours, age of texts, and the words that call for help."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from info import crisis
from info.domain import (
    CrisisWords,
    Hours,
    Live,
    OnHolidays,
    Shift,
    State,
    closes_at,
    folded,
    holidays,
    is_old,
    norwegian_order,
    opens_next,
    plain_words,
    state_of,
)

EVENING = Hours((Shift(5, time(20), time(2)),))
OFFICE = Hours(tuple(Shift(day, *clocks) for day in range(1, 6) for clocks in ((time(8), time(12)), (time(13), time(15, 30)))))


def open_now(hours: Hours, instant: datetime) -> bool:
    return state_of(hours, None, instant) is State.OPEN


def oslo(text: str) -> datetime:
    """A summer or winter instant given with its offset."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("instant", "is_it"),
    [
        ("2026-11-27T19:59+01:00", False),
        ("2026-11-27T20:00+01:00", True),
        ("2026-11-28T01:59+01:00", True),
        ("2026-11-28T02:00+01:00", False),
        ("2026-11-28T20:30+01:00", False),
        ("2026-11-27T01:00+01:00", False),
    ],
)
def test_a_friday_evening_lasts_until_saturday_two_o_clock(instant, is_it):
    assert open_now(EVENING, oslo(instant)) is is_it


@pytest.mark.parametrize(
    ("instant", "is_it"),
    [
        ("2026-11-24T08:00+01:00", True),
        ("2026-11-24T12:00+01:00", False),
        ("2026-11-24T13:00+01:00", True),
        ("2026-11-29T10:00+01:00", False),
    ],
)
def test_a_service_with_two_shifts_is_closed_between_them(instant, is_it):
    assert open_now(OFFICE, oslo(instant)) is is_it


def test_hours_are_those_of_oslo_whatever_zone_the_instant_comes_in():
    assert open_now(OFFICE, datetime(2026, 7, 1, 6, 0, tzinfo=UTC))
    assert not open_now(OFFICE, datetime(2026, 11, 25, 6, 0, tzinfo=UTC))
    assert open_now(OFFICE, datetime(2026, 11, 25, 7, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("shift", "hours"),
    [
        (Shift(6, time(22), time(6)), 9),  # the night to 25 October 2026 has an hour more
        (Shift(7, time(1), time(4)), 4),
    ],
)
def test_the_night_of_the_clock_change_is_as_long_as_it_is(shift, hours):
    """INVARIANT: open minutes are counted as they pass, also when the clock shows one hour twice."""
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    minutes = sum(open_now(Hours((shift,)), start + timedelta(minutes=n)) for n in range(24 * 60))
    assert minutes == hours * 60


def test_the_spring_night_is_an_hour_shorter():
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert sum(open_now(Hours((Shift(6, time(22), time(6)),)), start + timedelta(minutes=n)) for n in range(24 * 60)) == 7 * 60


def test_a_shift_that_ends_when_it_begins_lasts_a_day():
    assert open_now(Hours((Shift(1, time(8), time(8)),)), oslo("2026-11-24T07:59+01:00"))


def test_shifts_that_touch_close_when_the_last_one_does():
    touching = Hours((Shift(2, time(12), time(14)), Shift(2, time(10), time(12))))
    assert closes_at(touching, oslo("2026-11-24T11:00+01:00")) == datetime(2026, 11, 24, 13, tzinfo=UTC)
    night = Hours((Shift(2, time(18), time(0)), Shift(3, time(0), time(2))))
    assert closes_at(night, oslo("2026-11-24T23:00+01:00")) == datetime(2026, 11, 25, 1, tzinfo=UTC)
    assert closes_at(Hours(tuple(Shift(day, time(8), time(8)) for day in range(1, 8))), oslo("2026-11-24T23:00+01:00")) is not None


def test_a_closed_service_says_when_it_opens():
    assert opens_next(EVENING, oslo("2026-11-24T12:00+01:00")) == datetime(2026, 11, 27, 19, tzinfo=UTC)
    assert opens_next(EVENING, oslo("2026-11-27T21:00+01:00")) == datetime(2026, 12, 4, 19, tzinfo=UTC)
    assert opens_next(Hours(), oslo("2026-11-24T12:00+01:00")) is None


def test_what_a_service_says_itself_outweighs_its_hours_until_it_is_old():
    noon = oslo("2026-11-24T12:30+01:00")
    assert state_of(OFFICE, Live(open=True, heard_at=noon - timedelta(hours=1)), noon) is State.OPEN
    assert state_of(Hours(always=True), Live(open=False, heard_at=noon), noon) is State.CLOSED
    assert state_of(OFFICE, Live(open=True, heard_at=noon - timedelta(hours=13)), noon) is State.CLOSED
    assert state_of(Hours(always=True), None, noon) is State.OPEN


def test_what_nobody_told_is_unknown_not_closed():
    """INVARIANT: a closed door is never made up. Without hours we say that we don't know."""
    noon = oslo("2026-11-24T12:30+01:00")
    assert state_of(Hours(), None, noon) is State.UNKNOWN
    assert state_of(Hours(), Live(open=True, heard_at=noon - timedelta(hours=13)), noon) is State.UNKNOWN
    assert state_of(Hours(), Live(open=True, heard_at=noon), noon) is State.OPEN


EASTER_2026 = ["2026-04-02", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-14", "2026-05-24", "2026-05-25"]


def test_the_holidays_are_those_of_the_law_and_the_two_eves():
    fixed = ["2026-01-01", "2026-05-01", "2026-05-17", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"]
    assert sorted(map(str, holidays(2026))) == sorted(EASTER_2026 + fixed)
    assert date(2027, 3, 28) in holidays(2027)
    assert date(2038, 4, 25) in holidays(2038)


def test_on_a_holiday_a_service_is_open_only_if_the_register_says_so():
    """INVARIANT: nobody is sent to a door that a holiday may have closed."""
    good_friday = oslo("2026-04-03T10:00+02:00")
    said = {None: State.UNKNOWN, OnHolidays.CLOSED: State.CLOSED, OnHolidays.USUAL: State.OPEN}
    assert {rule: state_of(Hours(OFFICE.shifts, on_holidays=rule), None, good_friday) for rule in said} == said
    assert state_of(OFFICE, None, oslo("2026-04-03T19:00+02:00")) is State.CLOSED
    assert opens_next(OFFICE, good_friday) == datetime(2026, 4, 7, 6, tzinfo=UTC)


def test_the_night_after_a_holiday_is_as_doubtful_as_its_evening():
    late = Hours(tuple(Shift(day, time(20), time(2)) for day in range(1, 8)))
    assert state_of(late, None, oslo("2026-05-18T01:00+02:00")) is State.UNKNOWN
    assert state_of(late, None, oslo("2026-05-18T21:00+02:00")) is State.OPEN


def test_a_special_day_has_the_hours_that_were_told_for_it():
    eve = date(2026, 12, 24)
    hours = Hours(OFFICE.shifts, on_holidays="closed", special_days={eve: (Shift(4, time(10), time(12)),), date(2026, 12, 28): ()})
    assert state_of(hours, None, oslo("2026-12-24T11:00+01:00")) is State.OPEN
    assert closes_at(hours, oslo("2026-12-24T11:00+01:00")) == datetime(2026, 12, 24, 11, tzinfo=UTC)
    assert opens_next(hours, oslo("2026-12-24T12:00+01:00")) == datetime(2026, 12, 29, 7, tzinfo=UTC)


def test_an_answer_is_old_after_a_year():
    assert not is_old(date(2025, 11, 24), date(2026, 11, 24))
    assert is_old(date(2025, 11, 23), date(2026, 11, 24))


CRIES = """
jeg vil ikke leve lenger | Jeg orker ikke mer | eg vil ikkje leve | ta livet mitt | TA LIVET MITT!! | vurderer å ta mitt eget liv
selvmordstanker | sjølvmord | jeg kutter meg | eg kuttar meg | kutter meg selv | jeg ble voldtatt | vart valdteken | pappa slår meg
vil egentlig ikke leve | skulle ønske jeg bare var død | vil dø | har tatt altfor mange piller | I want to die | i don’t want to live
kill myself | han truer med å dele bilder | tør ikke gå hjem | henge meg
selv​mord | ‮selvmord | s̸̢e̷l̶v̵m̷o̸r̶d | ＳＥＬＶＭＯＲＤ | kms | i feel suicidal | gjøre slutt på livet | klarer ikke mer | klarar ikkje meir
in háliit eallit | háliidan jápmit | háliidan goddit iežan | iešsorbmen | veagalváldin | bárahkku cábmá mu
"""
HURRIED = """
selvmor | selvmrd | slvmord | selv mord | sevlmord | sjølvmor | sucide | sucidal | suisidal | vildø | villdø | voltatt | voldtat | ovregrep
"""
TALK = """
æ orke ikkje mer | orka itj mer | eg orkar ikke meir | klarer ikkje leve | e vil dø | hvordan dø | måter å dø på | lei av livet
vil forsvinne | hater livet | hater meg selv | i hate myself | skjære meg | kutting | cutting | tok masse paracet | hvor mange paracet
spist tabletter | slått hjemme | blir slått | slår mamma | pappa slår | far slår | stefaren min slår | stefar tar på meg | onkel tok på meg
tør ikke dra hjem | gruer meg til å dra hjem
redd for broren min | livredd | noen tvang meg | banka opp | sextortion | grooming | deler nakenbilde av meg
"""
ORDINARY = """
slutte med snus | får ikke sove | eksamensangst | hvordan vil du leve livet | vil på do | drama i klassen | kutte hår | vil du henge med meg
leve sunt | ta bilde | dødsing | hva er livet | vil lære å sove | død hamster sorg | selvtillit | selvstendig | selskap | behandling
kjæreste slo opp | kutte ut sukker | ta p-piller | paracet mot mensvondt
"""


def searches(text: str) -> list[str]:
    return [part.strip() for line in text.strip().splitlines() for part in line.split("|")]


@pytest.mark.parametrize("words", [*searches(CRIES), *searches(HURRIED), *searches(TALK)])
def test_a_cry_for_help_is_heard(words):
    """INVARIANT: listed words raise the crisis block, however they are spaced, cased or filled."""
    assert crisis.calls_for_help(words)


@pytest.mark.parametrize("words", searches(ORDINARY))
def test_an_ordinary_search_is_left_alone(words):
    assert not crisis.calls_for_help(words)


def test_the_list_is_data_and_every_phrase_finds_itself():
    for phrase in crisis.words().phrases:
        assert CrisisWords((phrase,)).named_in(phrase.replace("*", "er"))
    assert not CrisisWords(()).named_in("selvmord")


def test_a_form_of_speech_is_read_as_the_word_that_is_listed():
    words = CrisisWords(("orker ikke mer",), {"orka": "orker", "itj": "ikke", "meir": "mer"})
    assert words.named_in("orka itj meir")
    assert not words.named_in("orka itj noe")


def test_hurried_spelling_is_folded_for_search_but_do_is_not_death():
    assert folded("Søvnproblemer på NÆRT hold") == "sovnproblemer pa naert hold"
    assert plain_words("Får ikke sove! Don't") == ["far", "ikke", "sove", "dont"]
    assert plain_words("dø") == ["dø"]


def test_norwegian_letters_come_last_in_their_order():
    assert sorted(["Åsnes", "Ørland", "Ærfugl", "Zeta", "Alta"], key=norwegian_order) == ["Alta", "Zeta", "Ærfugl", "Ørland", "Åsnes"]
