"""What an answer promises, as who asked can see it: the status, where it leads, and the receipt that it shows.

A form that is answered with a page or leads to the place of its work has done it: a receipt, a talk, a journey, an appointment. One
that leads to where one logs in, confirms who one is, or sees what there is at all, has promised nothing yet: it says where to go on.
What a form finds done already (a chat that the other one ended) is answered as if it had done it, and kept as that.
"""

import re
from urllib.parse import urlsplit

from deploy.local.journey.people import CODE
from tests.faults.ledger import Phase

ELSEWHERE = frozenset({"/", "/inn", "/er-det-deg", "/logg-inn", "/ansatt/logg-inn"})
"""Places at which no form's work is seen: the front page (of which what she brought may not have come), and those before it."""
NAMED = re.compile(r"/(reise|time)/[0-9a-f-]{36}")
"""Addresses of things that a form made."""
ASKS = "/spor"
OF_QUESTION = "question "
"""Before the code that names a question."""


def phase_of(status: int, location: str) -> Phase:
    """What the ledger writes down; `location` is empty where the answer leads nowhere."""
    if status >= 400:
        return Phase.FAIL
    return Phase.ELSEWHERE if location and urlsplit(location).path in ELSEWHERE else Phase.OK


def receipt_of(path: str, location: str, html: str) -> str | None:
    """What the answer to a form names: the address of a journey or an appointment, or the code of a question."""
    if path == ASKS:
        code = CODE.search(html)
        return f"{OF_QUESTION}{code[1] if code else 'without a code'}"
    named = NAMED.fullmatch(urlsplit(location).path)
    return named[0] if named else None
