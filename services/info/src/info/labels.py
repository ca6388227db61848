"""Codes as a reader sees them, as Bokmål message ids, and as parts of an address where they are."""

from collections.abc import Mapping

from contracts.codes import AgeBand, Channel, Language, ServiceKind, TopicCode
from webkit.i18n import mark as _

TOPICS: Mapping[str, str] = {
    TopicCode.BODY: _("Kropp og helse"),
    TopicCode.MENTAL_HEALTH: _("Tanker og følelser"),
    TopicCode.SEXUALITY: _("Sex og prevensjon"),
    TopicCode.RELATIONSHIPS: _("Venner og kjærlighet"),
    TopicCode.FAMILY: _("Familie"),
    TopicCode.VIOLENCE: _("Vold og overgrep"),
    TopicCode.BULLYING: _("Mobbing"),
    TopicCode.SCHOOL: _("Skole"),
    TopicCode.SUBSTANCES: _("Snus, vape og rus"),
    TopicCode.RIGHTS: _("Rettigheter"),
    TopicCode.OTHER: _("Annet"),
}
KINDS: Mapping[str, str] = {
    ServiceKind.CHAT_SERVICE: _("Chat"),
    ServiceKind.QUESTION_PANEL: _("Spørsmål og svar"),
    ServiceKind.PHONE_LINE: _("Telefon"),
    ServiceKind.YOUTH_CLINIC: _("Helsestasjon for ungdom"),
    ServiceKind.SCHOOL_HEALTH: _("Skolehelsetjeneste"),
    ServiceKind.EMERGENCY: _("Nødnummer"),
    ServiceKind.OTHER: _("Annen hjelp"),
}
CHANNELS: Mapping[str, str] = {
    Channel.CHAT: _("Chatte"),
    Channel.QUESTION: _("Stille et spørsmål"),
    Channel.PHONE: _("Ringe"),
    Channel.SMS: _("Sende SMS"),
    Channel.DROP_IN: _("Komme innom"),
    Channel.APPOINTMENT: _("Få en time"),
}
TEXTS: Mapping[str, str] = {"article": _("Artikler"), "answer": _("Spørsmål og svar")}
LANGUAGES: Mapping[str, str] = {
    Language.BOKMAL: _("Bokmål"),
    Language.NYNORSK: _("Nynorsk"),
    Language.NORTHERN_SAMI: _("Nordsamisk"),
    Language.ENGLISH: _("Engelsk"),
}
AGES: Mapping[str, str] = {
    AgeBand.UNDER_13: _("under 13 år"),
    AgeBand.FROM_13_TO_15: _("13–15 år"),
    AgeBand.FROM_16_TO_17: _("16–17 år"),
    AgeBand.FROM_18_TO_20: _("18–20 år"),
    AgeBand.OVER_20: _("over 20 år"),
}
WEEKDAYS: Mapping[int, str] = {
    1: _("Mandag"), 2: _("Tirsdag"), 3: _("Onsdag"), 4: _("Torsdag"), 5: _("Fredag"), 6: _("Lørdag"), 7: _("Søndag"),
}  # fmt: skip

HARD_TOPICS = frozenset({TopicCode.VIOLENCE, TopicCode.MENTAL_HEALTH})
"""Answers on these show the full crisis block; articles say it themselves."""
