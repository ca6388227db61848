"""What a page says when it can't be what was hoped for: what is true, that nothing is her fault, and what she can do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from webkit.i18n import mark as _


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Texts are msgids. `ways`: link text -> where to: `here`, `home`, a path of this host (`/ansatt`), or a service's name
    with a path (`dialog/spor`)."""

    title: str
    text: str
    ways: Mapping[str, str] = field(default_factory=dict)
    picture: str = "feil-vei"
    """A drawing in templates/webkit/drawings."""


_TALK = {_("Spør eller chat anonymt"): "dialog"}
_ASK = {_("Skriv et spørsmål"): "dialog/spor"}
_OPEN = {_("Finn noen som er åpne"): "info/hjelp"}
_HOME = {_("Til forsiden"): "home"}
_AGAIN = {_("Prøv igjen"): "here"}

HUMAN: Mapping[str, str] = _HOME | _TALK | _OPEN
RETRY: Mapping[str, str] = _AGAIN | _TALK | _OPEN
ELSEWHERE: Mapping[str, str] = _OPEN | _ASK | _AGAIN

ERRORS: Mapping[str, ErrorPage] = {
    "bad_request": ErrorPage(
        _("Vi forstod ikke det som ble sendt"), _("Gå tilbake og prøv en gang til. Ingenting er lagret."), RETRY, "feil-vei"
    ),
    "invalid": ErrorPage(_("Noe mangler i skjemaet"), _("Gå tilbake og se over det du skrev. Ingenting er sendt ennå."), RETRY, "skjema"),
    "too_large": ErrorPage(_("Teksten er for lang"), _("Gå tilbake og kort den ned litt. Ingenting er sendt ennå."), RETRY, "skjema"),
    "not_logged_in": ErrorPage(
        _("Du må logge inn først"),
        _("Du er ikke logget inn, eller så er du logget ut fordi det har gått en stund."),
        HUMAN,
        "logg-inn",
    ),
    "forbidden": ErrorPage(_("Du kommer ikke inn her"), _("Siden er for noen andre. Du har ikke gjort noe galt."), HUMAN, "ikke-din"),
    "form_not_ours": ErrorPage(
        _("Skjemaet er for gammelt"),
        _("Siden var åpen for lenge, eller er åpnet et annet sted. Åpne den på nytt. Ingenting er sendt."),
        RETRY,
        "skjema",
    ),
    "refused": ErrorPage(_("Du kom ikke inn"), _("Innloggingen ble ikke godtatt. Du kan få hjelp uten å logge inn."), HUMAN, "nei"),
    "not_found": ErrorPage(_("Vi finner ikke siden"), _("Adressen kan være feil, eller siden er flyttet."), HUMAN, "feil-vei"),
    "gone": ErrorPage(_("Dette finnes ikke lenger"), _("Det er slettet, eller så er tiden gått ut."), HUMAN, "borte"),
    "expired": ErrorPage(_("Tiden har gått ut"), _("Koden eller siden kan ikke brukes lenger. Du kan begynne på nytt."), HUMAN, "utlopt"),
    "wrong_method": ErrorPage(_("Dette kan ikke gjøres slik"), _("Gå til forsiden og begynn derfra."), HUMAN, "feil-vei"),
    "conflict": ErrorPage(
        _("Skjemaet er sendt før"), _("Det du sendte da, gjelder. Vil du sende noe nytt, åpner du siden igjen."), RETRY, "skjema"
    ),
    "too_many": ErrorPage(
        _("Du må vente litt"), _("Det har vært mange forsøk på kort tid. Vent noen minutter og prøv igjen."), RETRY, "mange"
    ),
    "full": ErrorPage(
        _("Det er fullt akkurat nå"),
        _("Mange vil snakke nå, og vi rekker ikke flere. Du kan prøve igjen om litt, eller ringe."),
        ELSEWHERE,
        "fullt",
    ),
    "crowded": ErrorPage(
        _("Vi rekker ikke alle akkurat nå"),
        _("Mange er her på en gang. Vent noen sekunder og prøv igjen. Har du skrevet noe, går du tilbake og sender det på nytt."),
        RETRY,
        "mange",
    ),
    "closed": ErrorPage(
        _("Det er stengt nå"), _("Ingen svarer her akkurat nå. Du kan skrive et spørsmål, eller ringe."), ELSEWHERE, "stengt"
    ),
    "offline": ErrorPage(
        _("Du er ikke på nett"),
        _("Telefonen eller maskinen har mistet nettet. Det du har skrevet, står her fortsatt. Du kan ringe uten nett."),
        _AGAIN,
        "frakoblet",
    ),
    "failed": ErrorPage(_("Noe gikk galt hos oss"), _("Det er vår feil, ikke din. Prøv igjen om litt."), RETRY, "nede"),
    "unavailable": ErrorPage(_("Siden er nede akkurat nå"), _("Vi prøver å få den opp igjen. Prøv igjen om noen minutter."), RETRY, "nede"),
}
"""Code -> page. Codes are those of servicekit's problems, and some that only pages have."""

_WORK = {_("Til arbeidssiden"): "/ansatt"}
_OTHERWISE = {_("Logg inn på nytt"): "/ansatt/logg-inn?fersk=1"}
_STAFF: Mapping[str, ErrorPage] = {
    "forbidden": ErrorPage(
        _("Du har ikke tilgang hit"),
        _(
            "Denne siden er for en annen rolle eller en annen tjeneste enn den du er logget inn i. "
            "Mangler du en tilgang, må den som styrer tilganger hos dere, gi deg den."
        ),
        _OTHERWISE | _WORK | _AGAIN,
        "ikke-din",
    ),
    "no_role": ErrorPage(
        _("Du har ikke tilgang hit"),
        _(
            "Du er logget inn, men kan ikke jobbe her ennå. Det trengs en rolle, og for helsepersonell også enhet og HPR-nummer. "
            "Den som styrer tilganger hos dere, ordner det. Haster noe, kan en kollega ta det. "
            "Nettopp fått tilgang, eller jobber du flere steder? Logg inn på nytt."
        ),
        _OTHERWISE,
        "ikke-din",
    ),
    "conflict": ErrorPage(
        _("Noen rakk det før deg"), _("Det er gjort en endring i mellomtiden. Se hvordan det står til nå."), _AGAIN | _WORK, "skjema"
    ),
    "wrong_method": ErrorPage(ERRORS["wrong_method"].title, _("Gå til arbeidssiden og begynn derfra."), _WORK, "feil-vei"),
    "not_logged_in": ErrorPage(
        ERRORS["not_logged_in"].title, ERRORS["not_logged_in"].text, {_("Logg inn som ansatt"): "/ansatt/logg-inn"}, "logg-inn"
    ),
}
"""What those who work here are told in other words than youths. `no_role`: no page of this service is hers, so no way leads to one."""

_BY_STATUS = {
    400: "bad_request", 401: "not_logged_in", 403: "forbidden", 404: "not_found", 405: "wrong_method", 409: "conflict",
    410: "gone", 413: "too_large", 422: "invalid", 429: "too_many", 503: "unavailable",
}  # fmt: skip


def error_page(status: int, code: str = "", *, staff: bool = False) -> ErrorPage:
    """The page of a code; of the status where the code has none. `staff`: for those who work here, whose ways lead back to work."""
    if staff and code in _STAFF:
        return _STAFF[code]
    known = code if code in ERRORS else _BY_STATUS.get(status, "failed" if status >= 500 else "bad_request")
    page = ERRORS[known]
    if not staff:
        return page
    return _STAFF.get(known) or replace(page, ways=(_AGAIN if "here" in page.ways.values() else {}) | _WORK)


def way(to: str, here: str, urls: Mapping[str, str]) -> str:
    """The address that one of an error page's ways leads to."""
    if to.startswith("/"):
        return to
    if to in ("here", "home"):
        return here if to == "here" else "/"
    service, _slash, path = to.partition("/")
    return urls[service] + path
