"""Who plays in the walk: synthetic youths and staff of the test login, and the help services they work for."""

from dataclasses import dataclass
from typing import Any

from deploy.local.oidc.launcher import people

CHAT_HELPER, CLINICIAN = "helper-1", "clinician-1"
PANEL, EDITOR = "panel-1", "editor-1"
MUNICIPALITY = "0301"
"""Where the clinician's unit is: Oslo."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Ids as the pages of the test login show them."""

    youths: tuple[str, ...]
    """Those old enough, with a Norwegian number; the first is the youth of the timeline."""
    guardian: str
    chat_service: str
    unit: str


def cast() -> Cast:
    """Read from the list of invented people that the test login shows."""
    everybody: dict[str, list[dict[str, Any]]] = people()
    units = {person["id"]: person["unit"] for person in everybody["staff"]}
    fit = [person for person in everybody["youths"] if person["pid"] and "substantial" in person["levels"] and not person.get("always")]
    return Cast(
        youths=tuple(person["id"] for person in fit if person["born"] > "2000"),
        guardian=next(person["id"] for person in fit if person["born"] < "2000"),
        chat_service=units[CHAT_HELPER],
        unit=units[CLINICIAN],
    )


def synthetic_number(serial: int) -> str:
    """A made-up national identity number (month + 80) of somebody born in 2010, with right check digits; one for each serial below 1000."""
    for individual in range(500 + serial // 84 * 40, 1000):
        digits = [int(digit) for digit in f"{serial % 28 + 1:02}{serial % 12 + 81}10{individual}"]
        first = -sum(digit * weight for digit, weight in zip(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2), strict=True)) % 11
        second = -sum(digit * weight for digit, weight in zip([*digits, first], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
        if first < 10 and second < 10:
            return "".join(map(str, [*digits, first, second]))
    raise ValueError(serial)
