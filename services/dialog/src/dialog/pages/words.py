"""What codes are called on pages; Bokmål, to be translated where they are shown."""

from contracts.codes import AgeBand, TopicCode
from webkit.i18n import Translation, mark

from dialog.domain.persondata import PersonData

TOPICS: dict[str, str] = {
    TopicCode.BODY: mark("Kropp og helse"),
    TopicCode.MENTAL_HEALTH: mark("Tanker og følelser"),
    TopicCode.SEXUALITY: mark("Sex og kjønn"),
    TopicCode.RELATIONSHIPS: mark("Venner og kjærester"),
    TopicCode.FAMILY: mark("Familie"),
    TopicCode.VIOLENCE: mark("Vold og overgrep"),
    TopicCode.BULLYING: mark("Mobbing"),
    TopicCode.SCHOOL: mark("Skole og framtid"),
    TopicCode.SUBSTANCES: mark("Alkohol, snus og rus"),
    TopicCode.RIGHTS: mark("Rettigheter"),
    TopicCode.OTHER: mark("Noe annet, eller vet ikke"),
}
"""In the order that a form shows."""

AGES: dict[str, str] = {
    AgeBand.UNKNOWN: mark("Vil ikke si"),
    AgeBand.UNDER_13: mark("Under 13 år"),
    AgeBand.FROM_13_TO_15: mark("13–15 år"),
    AgeBand.FROM_16_TO_17: mark("16–17 år"),
    AgeBand.FROM_18_TO_20: mark("18–20 år"),
    AgeBand.OVER_20: mark("Over 20 år"),
}
"""In the order that a form shows."""

FINDS: dict[str, str] = {
    PersonData.NATIONAL_ID: mark("Et tall på elleve siffer. Det kan være et fødselsnummer."),
    PersonData.PHONE: mark("Et tall som ligner et telefonnummer."),
    PersonData.EMAIL: mark("Noe som ligner en e-postadresse."),
    PersonData.HANDLE: mark("Noe som ligner et brukernavn."),
    PersonData.LINK: mark("En lenke."),
}
"""What in a text may point to a person."""

LANGUAGES: dict[str, str] = {"nb": mark("bokmål"), "nn": mark("nynorsk"), "se": mark("nordsamisk"), "en": mark("engelsk")}
"""Which written language an answer should be in."""


def named(words: dict[str, str], say: Translation) -> list[tuple[str, str]]:
    """Code and word in the reader's language, as a list to choose from."""
    return [(code, say(word)) for code, word in words.items()]
