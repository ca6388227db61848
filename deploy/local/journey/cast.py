"""Who plays in the walk: synthetic youths and staff of the test login, and the help services they work for."""

from dataclasses import dataclass
from datetime import date

from deploy.local.oidc import persons

CHAT_HELPER, CLINICIAN = "helper-1", "clinician-1"
PANEL, EDITOR = "panel-1", "editor-1"
MUNICIPALITY = "0301"
"""Where the clinician's unit is: Oslo."""
OLDEST = 20
"""The age up to which one is a youth here."""


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
    everybody = persons.people()
    units = {person["id"]: person["unit"] for person in everybody["staff"]}
    fit = [person for person in everybody["youths"] if person["pid"] and "substantial" in person["levels"] and not person.get("always")]
    return Cast(
        youths=tuple(person["id"] for person in fit if person["age"] <= OLDEST),
        guardian=next(person["id"] for person in fit if person["age"] > OLDEST),
        chat_service=units[CHAT_HELPER],
        unit=units[CLINICIAN],
    )


def synthetic_number(serial: int, today: date | None = None) -> str:
    """A made-up national identity number of somebody who is 16 on any day; one for each serial below 1000, and none of the list's."""
    return persons.synthetic_number(persons.born_at(16, serial % 28 + 1, today), 520 + serial // 28 * 13)
