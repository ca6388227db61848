"""What is sent to her: that there is an appointment and when, or that there is a message; never with whom, where or about what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from helpjourney.domain.ages import OSLO, day_in_oslo

_TEXTS = {
    "nb": ("Du har en avtale i dag kl. {time}.", "Du har en avtale i morgen kl. {time}.", "Du har en avtale {day} kl. {time}."),
    "nn": ("Du har ein avtale i dag kl. {time}.", "Du har ein avtale i morgon kl. {time}.", "Du har ein avtale {day} kl. {time}."),
    "en": (
        "You have an appointment today at {time}.",
        "You have an appointment tomorrow at {time}.",
        "You have an appointment {day} at {time}.",
    ),
}
_NEWS = {"nb": "Du har en beskjed.", "nn": "Du har ei melding.", "en": "You have a message."}


@dataclass(frozen=True, slots=True)
class Reminder:
    """What is handed to a sender: who is told by an id that only helpjourney and the sender know; no name, no topic."""

    id: UUID
    """Stays the same however often it is sent, so that the receiver knows repeats."""
    recipient: UUID
    text: str
    language: str


def reminder_text(starts_at: datetime, now: datetime, language: str) -> str:
    """One neutral sentence in the reader's language; Bokmål where there is none."""
    today, tomorrow, later = _TEXTS.get(language, _TEXTS["nb"])
    day, local = day_in_oslo(starts_at), starts_at.astimezone(OSLO)
    chosen = {day_in_oslo(now): today, day_in_oslo(now) + timedelta(days=1): tomorrow}.get(day, later)
    return chosen.format(time=f"{local:%H:%M}" if language == "en" else f"{local:%H.%M}", day=f"{local.day}.{local.month}.")


def news_text(language: str) -> str:
    """That the unit has answered, without saying so."""
    return _NEWS.get(language, _NEWS["nb"])
