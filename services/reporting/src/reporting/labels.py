"""What steps and waits are called on pages. Bokmål is the message id; the catalogues hold the other languages."""

from collections.abc import Mapping

from reporting.domain import Step, Wait


def _(text: str) -> str:
    return text  # marks a text for the catalogues


STEPS: Mapping[Step, str] = {
    Step.PAGES_READ: _("Sider lest"),
    Step.SEARCHES_EMPTY: _("Søk uten treff"),
    Step.QUESTIONS_ASKED: _("Spørsmål stilt"),
    Step.QUESTIONS_ACUTE: _("Spørsmål som hastet"),
    Step.QUESTIONS_ANSWERED: _("Spørsmål besvart"),
    Step.QUESTIONS_WITHDRAWN: _("Spørsmål trukket"),
    Step.ANSWERS_PUBLISHED: _("Svar publisert"),
    Step.CHATS_REQUESTED: _("Ønsket å chatte"),
    Step.CHATS_ACCEPTED: _("Fikk chatte"),
    Step.CHATS_ENDED: _("Samtaler avsluttet"),
    Step.CHATS_ABANDONED: _("Gikk fra køen"),
    Step.CHATS_UNANSWERED: _("Fikk ikke svar"),
    Step.HANDOFFS_OFFERED: _("Valgte å gå videre"),
    Step.HANDOFFS_WITHDRAWN: _("Ombestemte seg"),
    Step.HANDOFFS_CLAIMED: _("Tok det med inn"),
    Step.LOGINS_COMPLETED: _("Logget inn"),
    Step.LOGINS_FAILED: _("Kom ikke gjennom innloggingen"),
    Step.JOURNEYS_STARTED: _("Begynte hos helsetjenesten"),
    Step.CARE_STARTED: _("Fikk helsehjelp"),
    Step.APPOINTMENTS_WISHED: _("Ønsket time"),
    Step.APPOINTMENTS_OFFERED: _("Fikk tilbud om time"),
    Step.APPOINTMENTS_BOOKED: _("Avtalte time"),
    Step.APPOINTMENTS_CANCELLED: _("Avbestilte"),
    Step.APPOINTMENTS_REMINDED: _("Påminnelser sendt"),
    Step.APPOINTMENTS_ATTENDED: _("Møtte til timen"),
    Step.APPOINTMENTS_NO_SHOW: _("Møtte ikke"),
}

WAITS: Mapping[Wait, str] = {
    Wait.QUESTION: _("Fra spørsmål til svar"),
    Wait.CHAT: _("I chatkø"),
    Wait.APPOINTMENT_OFFER: _("Fra timeønske til tilbud"),
}

OWNERS: Mapping[str, str] = {
    "info": _("Åpen informasjon"),
    "dialog": _("Spørsmål og chat"),
    "identity": _("Innlogging"),
    "helpjourney": _("Hjelp med innlogging"),
}
"""What each agency's service is to a reader, by the name in the catalogue."""

LEVELS: Mapping[int, str] = {
    1: _("Nivå 1: åpent for alle"),
    2: _("Nivå 2: anonymt"),
    3: _("Nivå 3: innlogget"),
}

WAIT_LABELS = ("1 min", "2", "5", "10", "20", "1 t", "4 t", "1 d", "2 d", "7 d", "+")
"""Under the columns of the waits, one for each band."""
