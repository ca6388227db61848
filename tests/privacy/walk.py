"""One scripted walk over all levels in which every input that a person has gets a canary of its own, wrong inputs too."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.journey.browser import Browser, Page
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, EDITOR, PANEL, Cast, cast, synthetic_number
from deploy.local.journey.forms import Form
from deploy.local.journey.people import Clinician, Editor, Expert, Helper, Youth
from deploy.local.oidc.persons import people
from deploy.local.platform import Platform
from tests.privacy.canaries import Canaries
from tests.privacy.witness import Exchange, Witness, ports_of

NUMBER = synthetic_number(150)
"""The national identity number that she logs in with; nobody else does."""


def born(number: str) -> str:
    """The day of birth in a synthetic number of this century, ISO 8601."""
    return f"20{number[4:6]}-{int(number[2:4]) - 80:02}-{number[:2]}"


@dataclass(frozen=True)
class Unclaimed:
    """An offer that nobody claimed, as the youth has it."""

    shown: str
    """The secret, or the typed code."""
    sentence: str
    """What she chose to send."""
    holder: str | None = None
    """The cookie of the browser that presented it, where one did."""


@dataclass
class Walk:
    """The people of the walk, what they typed and what their browsers saw."""

    platform: Platform
    canaries: Canaries = field(default_factory=Canaries)
    seen: list[Exchange] = field(default_factory=list)
    unclaimed: list[Unclaimed] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    """Secrets and codes of offers that were claimed."""
    questions: dict[str, str] = field(default_factory=dict)
    """Name of a question's canary -> its address at the panel's desk."""
    cast: Cast = field(default_factory=cast)
    noise: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.noise = self._noise()
        self._know_who_is_there()
        self.panel, self.editor = Expert(self.urls, self.browser()), Editor(self.urls, self.browser())
        self.helper, self.clinician = Helper(self.urls, self.browser()), Clinician(self.urls, self.browser())

    @property
    def urls(self) -> Mapping[str, str]:
        return self.platform.urls

    def browser(self, *, past_gateway: bool = False) -> Witness:
        """A new browser with the noise, remembered by this walk."""
        return Witness(noise=self.noise, seen=self.seen, ports=ports_of(self.platform) if past_gateway else {})

    def youth(self, *, past_gateway: bool = False) -> Youth:
        return Youth(self.urls, self.browser(past_gateway=past_gateway))

    def word(self, name: str) -> str:
        return self.canaries.word(name)

    def sentence(self, name: str) -> str:
        return self.canaries.sentence(name)

    def planted_with(self, form: Form, values: Mapping[str, str], button: str = "") -> dict[str, str]:
        """The form filled in, and fields that nobody asked for."""
        unexpected = {self.word("name of an unexpected field"): "1", "x": self.word("unexpected field")}
        return {**form.filled(values, button), **unexpected}

    async def sends(self, who: Browser, form: Form, values: Mapping[str, str], *, status: int = 200, button: str = "") -> Page:
        """Sends a form with unexpected fields; fails unless the answer (after redirects) has `status`."""
        page = await who.post(form.action, self.planted_with(form, values, button))
        assert page.status == status, f"{page.status} instead of {status} at {form.action}: {page.text[:300]}"
        return page

    async def sends_wrong(self, who: Browser, form: Form, values: Mapping[str, str], *status: int) -> None:
        """Sends a form with values that it doesn't offer."""
        page = await who.post(form.action, {**form.fields, **values})
        assert page.status in (status or (422,)), f"{page.status} at {form.action}: {page.text[:300]}"

    def _know_who_is_there(self) -> None:
        """What the test login vouches for: names that go no further, a date of birth and a number of health personnel that do."""
        staff = {str(person["id"]): person for person in people()["staff"]}
        for person in (PANEL, EDITOR, CHAT_HELPER, CLINICIAN):
            self.canaries.digits(f"name of {person}", str(staff[person]["name"]))
        self.canaries.digits("HPR number", str(staff[CLINICIAN]["hpr_number"]))
        self.canaries.digits("date of birth", born(NUMBER))

    def _noise(self) -> dict[str, str]:
        trace = self.canaries.credential("trace id of the client", secrets.token_hex(16))
        address = self.canaries.digits("address of the client", f"203.0.113.{secrets.randbelow(200) + 50}")
        return {
            "user-agent": self.word("User-Agent"),
            "referer": f"https://{self.word('Referer')}.example/side",
            "x-forwarded-for": address,
            "x-real-ip": address,
            "forwarded": f"for={address};host={self.word('Forwarded')}.example",
            "x-forwarded-host": f"{self.word('X-Forwarded-Host')}.example",
            "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01",
            "tracestate": f"shop={self.word('tracestate')}",
            "baggage": f"who={self.word('baggage')}",
            "x-request-id": self.word("X-Request-Id"),
            "x-correlation-id": self.word("X-Correlation-Id"),
            "x-b3-traceid": trace,
        }

    async def leave(self) -> None:
        """Closes the staff's browsers."""
        for person in (self.panel, self.editor, self.helper, self.clinician):
            await person.leaves()
