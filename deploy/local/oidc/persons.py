"""Who can log in at the test providers: invented people who are as old on any day as persons.json says."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LIST = Path(__file__).parent / "persons.json"
FIRST_WEIGHTS, SECOND_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def people(today: date | None = None) -> dict[str, list[dict[str, Any]]]:
    """Everybody who is listed on the login pages: `youths` and `staff`, as in persons.json, with `born` and `pid` on this day.

    `id` stays; `born` (ISO 8601) and `pid` (national identity number, None for who has none) change twice a year.
    """
    listed = json.loads(LIST.read_text())
    return {"youths": [_youth(person, today) for person in listed["youths"]], "staff": listed["staff"]}


def today_in_oslo() -> date:
    """The calendar day that ages are counted on."""
    return datetime.now(ZoneInfo("Europe/Oslo")).date()


def born_at(age: int, day: int, today: date | None = None) -> date:
    """A date of birth of somebody who is `age` years old all through this half-year, and for three months before and after it.

    So nobody has a birthday while something runs that was begun on another day. `day`: of the month, 1 to 30.
    """
    today = today or today_in_oslo()
    return date(today.year - age - 1, 10, day) if today.month <= 6 else date(today.year - age, 4, day)


def synthetic_number(born: date, individual: int | None = None) -> str:
    """A national identity number that nobody has (month + 80: Skatteetaten, Tenor), with right check digits.

    `individual`: the least number of digits 7 to 9, which also tell the century. Raises ValueError.
    """
    start = individual or (500 if born.year >= 2000 else 100)
    for candidate in range(start, 1000):
        digits = [int(digit) for digit in f"{born.day:02}{born.month + 80}{born.year % 100:02}{candidate}"]
        for weights in (FIRST_WEIGHTS, SECOND_WEIGHTS):
            digits.append(-sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11)
        if max(digits) < 10:
            return "".join(map(str, digits))
    raise ValueError(born)


def _youth(person: dict[str, Any], today: date | None) -> dict[str, Any]:
    born = born_at(person["age"], person["day"], today)
    return {**person, "born": born.isoformat(), "pid": synthetic_number(born) if person.get("numbered", True) else None}
