"""Every page that is served, in every state that somebody can meet: what the sweep looks at.

Four parts. Those who chat disturb each other's queue, so the rows of CHATS come one after the other; so do OTHERS, beside them.
Those of ANYWHERE depend on nobody. Those of LAST stop or change a service, so nothing goes on beside them.
"""

from contracts.catalogue import SERVICES
from webkit.errors import ERRORS

from deploy.local.journey.cast import CHAT_HELPER
from tests.browser.reach import chats, gateway, identity, info, known, moving, questions
from tests.browser.routes import DEMO_PAGES, GATEWAY
from tests.browser.scene import OPERATOR
from tests.browser.visits import Row, Who, at

ANYBODY, YOUTH, KNOWN, HELPER, PANEL, EDITOR = Who.ANYBODY, Who.YOUTH, Who.KNOWN, Who.HELPER, Who.PANEL, Who.EDITOR
CLINICIAN, OPERATOR_AT_WORK = Who.CLINICIAN, Who.OPERATOR
UNKNOWN = "6f1f7a52-96a5-4d3a-9a83-8d2f8f1f7a52"
WITH_STAFF = ("info", "dialog", "helpjourney", "reporting")

SHARED = tuple(
    Row(service, f"GET /{path}", "normal", ANYBODY, at(f"{service}/{path}"))
    for service in SERVICES
    for path in ("personvern", "tilgjengelighet", "informasjonskapsler")
)
JOINED = tuple(
    Row(service, "GET /", "normal", ANYBODY, at(f"{service}/")) for service in SERVICES if service not in (*WITH_STAFF, "identity")
)
"""The front page of each agency that joined; what else it shows gets rows of its own."""
START_PAGE = "for who tries it out"
"""The demo's start page is nobody's way to help."""
DEMO = tuple(Row(GATEWAY, f"GET {path}", START_PAGE, Who.OPERATOR, at(f"info{path}")) for path in DEMO_PAGES)
CATALOGUE = (
    *(Row(each, "GET /_komponenter", "normal", ANYBODY, at(f"{each}/_komponenter")) for each in SERVICES),
    *(Row("info", "GET /_komponenter/tilstand/{code}", code, ANYBODY, at(f"info/_komponenter/tilstand/{code}")) for code in ERRORS),
    *(
        Row(each, "GET /_komponenter/tilstand/{code}", "full", ANYBODY, at(f"{each}/_komponenter/tilstand/full"))
        for each in SERVICES
        if each != "info"
    ),
)
LOGINS = (
    *(Row(each, "GET /ansatt/logg-inn", "normal", ANYBODY, at(f"{each}/ansatt/logg-inn")) for each in WITH_STAFF),
    *(Row(each, "GET /logg-inn/tilbake", "old", ANYBODY, at(f"{each}/logg-inn/tilbake?state=x"), 400) for each in WITH_STAFF),
    *(Row(each, "GET /logg-ut", "normal", ANYBODY, at(f"{each}/logg-ut")) for each in WITH_STAFF),
    *(Row(each, "GET /ansatt/logg-ut", "normal", ANYBODY, at(f"{each}/ansatt/logg-ut")) for each in WITH_STAFF),
)

INFO = (
    Row("info", "GET /", "normal", ANYBODY, at("info/")),
    Row("info", "GET /", "unknown address", ANYBODY, at("info/finnes-ikke"), 404),
    Row("info", "POST /forlat", "wrong method", ANYBODY, at("info/forlat"), 405),
    Row("info", "GET /sok", "nothing asked", ANYBODY, at("info/sok")),
    Row("info", "GET /sok", "hits", ANYBODY, at("info/sok?q=angst")),
    Row("info", "GET /sok", "one topic", ANYBODY, at("info/sok?q=&tema=school")),
    Row("info", "GET /sok", "no hits", ANYBODY, at("info/sok?q=qxzvbn")),
    Row("info", "GET /sok", "calls for help", ANYBODY, at("info/sok?q=vil+ikke+leve")),
    Row("info", "GET /sok", "narrowed", ANYBODY, at("info/sok?q=skole&type=article")),
    Row("info", "GET /sok", "no such page", ANYBODY, at("info/sok?q=skole&side=99")),
    Row("info", "GET /sok", "unknown filter", ANYBODY, at("info/sok?q=angst&tema=finnes-ikke"), 422),
    Row("info", "GET /sok", "too long", ANYBODY, at(f"info/sok?q={'lang+' * 100}"), 422),
    Row("info", "GET /artikkel/{slug}", "normal", ANYBODY, info.linked("/sok?q=eksamen", "/artikkel/")),
    Row("info", "GET /artikkel/{slug}", "hard topic", ANYBODY, info.linked("/sok?q=&tema=violence", "/artikkel/")),
    Row("info", "GET /artikkel/{slug}", "unknown", ANYBODY, at("info/artikkel/finnes-ikke"), 404),
    Row("info", "GET /svar/{publication_id}", "unknown", ANYBODY, at("info/svar/6f1f7a52-96a5-4d3a-9a83-8d2f8f1f7a52"), 404),
    Row("info", "GET /hjelp", "all", ANYBODY, at("info/hjelp")),
    Row("info", "GET /hjelp", "narrowed", ANYBODY, at("info/hjelp?kommune=0301&kanal=phone")),
    Row("info", "GET /hjelp", "nothing open", ANYBODY, at("info/hjelp?kommune=4601&type=chat_service&apent=ja")),
    Row("info", "GET /hjelp", "unknown filter", ANYBODY, at("info/hjelp?kommune=9999"), 422),
    Row("info", "GET /hjelp/{service_id}", "normal", ANYBODY, info.linked("/hjelp", "/hjelp/")),
    Row("info", "GET /hjelp/{service_id}", "unknown", ANYBODY, at("info/hjelp/6f1f7a52-96a5-4d3a-9a83-8d2f8f1f7a52"), 404),
    Row("info", "GET /kommune", "normal", ANYBODY, at("info/kommune")),
    Row("info", "GET /kommune/{number}", "normal", ANYBODY, at("info/kommune/4601")),
    Row("info", "GET /kommune/{number}", "nothing there yet", ANYBODY, at("info/kommune/9999"), 404),
    Row("info", "GET /ansatt", "normal", EDITOR, info.editors_desk),
    Row("info", "GET /ansatt/svar/{publication_id}/trekk", "asks first", EDITOR, info.before_withdrawing),
    Row("info", "GET /ansatt", "not for this role", HELPER, info.not_an_editor, 403),
)

QUESTIONS = (
    Row("dialog", "GET /ansatt/sporsmal", "empty", PANEL, questions.empty_panel),
    Row("dialog", "GET /spor", "normal", YOUTH, at("dialog/spor")),
    Row("dialog", "POST /spor", "nothing written", YOUTH, questions.asks(text="", topic="finnes-ikke"), 422),
    Row("dialog", "POST /spor", "too long", YOUTH, questions.asks(text=questions.LONG), 422),
    Row("dialog", "POST /spor", "points to her", YOUTH, questions.asks(text=questions.WITH_NUMBER), 422),
    Row("dialog", "POST /spor", "receipt", YOUTH, questions.asks()),
    Row("dialog", "POST /spor", "receipt, acute", YOUTH, questions.asks(text=questions.ACUTE)),
    Row("dialog", "POST /spor", "too many questions", YOUTH, questions.asks_too_often, 429),
    Row("dialog", "POST /spor", "old form", YOUTH, questions.old_form, 403),
    Row("dialog", "POST /spor/sjekk", "right", YOUTH, questions.checks(True)),
    Row("dialog", "POST /spor/sjekk", "not alike", YOUTH, questions.checks(False)),
    Row("dialog", "GET /svar", "normal", YOUTH, at("dialog/svar")),
    Row("dialog", "POST /svar", "mistyped", YOUTH, questions.looks(questions.MISTYPED), 422),
    Row("dialog", "POST /svar", "not answered yet", YOUTH, questions.not_answered),
    Row("dialog", "POST /svar", "too many codes", YOUTH, questions.looks_too_often, 429),
    Row("dialog", "POST /svar", "answer", YOUTH, questions.answered),
    Row("dialog", "POST /svar/hjalp", "thanks", YOUTH, questions.after_answer("/svar/hjalp", {"helpful": "yes"})),
    Row("dialog", "POST /svar/avpubliser", "taken back", YOUTH, questions.after_answer("/svar/avpubliser")),
    Row("dialog", "POST /svar/slett", "deleted", YOUTH, questions.after_answer("/svar/slett")),
    Row("dialog", "GET /ansatt/sporsmal", "normal", PANEL, questions.panel_queue),
    Row("dialog", "GET /ansatt/sporsmal", "for an editor", EDITOR, questions.editors_queue),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}", "free", PANEL, questions.at_question(taken=False)),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}", "taken", PANEL, questions.at_question()),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}", "second reader", EDITOR, questions.at_question(do="read")),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}", "gone", PANEL, questions.unknown_question, 404),
    Row("dialog", "POST /ansatt/sporsmal/{question_id}/svar", "nothing written", PANEL, questions.at_question(do="send", answer=""), 422),
    Row("dialog", "POST /ansatt/sporsmal/{question_id}/svar", "answered since", PANEL, questions.taken_by_others, 409),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}/publiser", "normal", EDITOR, questions.publishing()),
    Row("dialog", "GET /ansatt/sporsmal/{question_id}/publiser", "not for this role", PANEL, questions.panel_publishes, 403),
    Row("dialog", "POST /ansatt/sporsmal/{question_id}/publiser", "number found", EDITOR, questions.publishing(title=""), 422),
    Row("info", "GET /svar/{publication_id}", "normal", ANYBODY, info.published_answer),
)

IDENTITY = (
    Row("identity", "GET /", "normal", ANYBODY, at("identity/")),
    Row("identity", "GET /hvorfor", "normal", ANYBODY, at("identity/hvorfor")),
    Row("identity", "GET /minid-og-bankid", "normal", ANYBODY, at("identity/minid-og-bankid")),
    Row("identity", "GET /mine-innlogginger", "not logged in", ANYBODY, at("identity/mine-innlogginger")),
    Row("identity", "GET /mine-innlogginger", "logged in", KNOWN, identity.my_logins),
    Row("identity", "GET /tilbake/{provider}", "old", YOUTH, at("identity/tilbake/idporten?state=x"), 400),
    Row("identity", "GET /tilbake/{provider}", "aborted", YOUTH, identity.aborted),
    Row("identity", "GET /tilbake/{provider}", "no number", YOUTH, identity.refused(identity.WITHOUT_NUMBER), 403),
    Row(
        "identity",
        "GET /tilbake/{provider}",
        "level too low",
        YOUTH,
        identity.refused(identity.ALWAYS_SUBSTANTIAL, "high", identity.HIGH),
        403,
    ),
    Row("identity", "GET /tilbake/{provider}", "too young", YOUTH, identity.refused(identity.TOO_YOUNG), 403),
    Row("identity", "GET /end_session", "asks", KNOWN, identity.really_out),
    Row("identity", "GET /logget-ut", "nothing", ANYBODY, at("identity/logget-ut")),
    Row("identity", "GET /logget-ut", "everywhere", YOUTH, at("identity/logget-ut?state=helpjourney")),
    Row("identity", "GET /logget-ut", "only here", YOUTH, at("identity/logget-ut?state=helpjourney&her=1")),
    Row("identity", "GET /logget-ut", "from work", CLINICIAN, at("identity/logget-ut?state=helpjourney.ansatt&her=1")),
)

STRAIGHT_IN = (
    Row("helpjourney", "GET /", "welcome", YOUTH, at("helpjourney/")),
    Row("helpjourney", "GET /logg-inn", "normal", YOUTH, at("helpjourney/logg-inn")),
    Row("helpjourney", "GET /inn", "code", YOUTH, at("helpjourney/inn")),
    Row("helpjourney", "POST /inn/kode", "nothing typed", YOUTH, known.types(""), 422),
    Row("helpjourney", "POST /inn/kode", "not a code", YOUTH, known.types("HSES-NW0"), 422),
    Row("helpjourney", "GET /inn", "fetching", YOUTH, known.unknown_secret()),
    Row("helpjourney", "GET /inn", "fetching, stopped", YOUTH, known.unknown_secret("?stopp=1")),
    Row("helpjourney", "GET /er-det-deg", "normal", KNOWN, known.is_it_you()),
    Row("helpjourney", "GET /", "too young", KNOWN, known.other_age(identity.TWELVE, "high")),
    Row("helpjourney", "GET /", "too old", KNOWN, known.other_age(identity.GUARDIAN, "substantial")),
    Row("helpjourney", "GET /", "overview", KNOWN, known.own_page("/")),
    Row("helpjourney", "GET /", "overview, booked", KNOWN, known.overview_with_more),
    Row("helpjourney", "GET /", "overview, called off", KNOWN, known.overview_called_off),
    Row("helpjourney", "GET /reise/{journey_id}", "nothing brought", KNOWN, known.journey_plain),
    Row("helpjourney", "GET /reise/{journey_id}", "not hers", KNOWN, known.not_hers, 404),
    Row("helpjourney", "GET /reise/{journey_id}/time", "where", KNOWN, known.wish_form(placed=False)),
    Row("helpjourney", "GET /reise/{journey_id}/time", "when", KNOWN, known.wish_form(placed=True)),
    Row("helpjourney", "POST /reise/{journey_id}/sted", "nowhere", KNOWN, known.wish_wrong("/sted", {"municipality": ""}), 422),
    Row(
        "helpjourney", "POST /reise/{journey_id}/time", "too long", KNOWN, known.wish_wrong("/time", {"unit": "", "note": known.LONG}), 422
    ),
    Row("helpjourney", "POST /reise/{journey_id}/time", "logged out meanwhile", KNOWN, known.logged_out_in_mid_form, 403),
    Row("helpjourney", "GET /time/{appointment_id}", "wished", KNOWN, known.appointment("wished")),
    Row("helpjourney", "GET /time/{appointment_id}", "offered", KNOWN, known.appointment("offered")),
    Row("helpjourney", "GET /time/{appointment_id}", "booked", KNOWN, known.appointment("booked")),
    Row("helpjourney", "GET /time/{appointment_id}", "another time is proposed", KNOWN, moving.other_time("/time/")),
    Row("helpjourney", "GET /time/{appointment_id}", "another time is asked for", KNOWN, moving.asked_for_other_time),
    Row("helpjourney", "POST /time/{appointment_id}/velg", "stale", KNOWN, moving.stale_choice, 404),
    Row("helpjourney", "GET /", "another time is proposed", KNOWN, moving.other_time("/")),
    Row("helpjourney", "GET /reise/{journey_id}/time", "three already", KNOWN, moving.three_wishes),
    Row("helpjourney", "GET /reise/{journey_id}/kladd", "kept", YOUTH, at(f"helpjourney/reise/{UNKNOWN}/kladd")),
    Row("helpjourney", "GET /time/{appointment_id}", "cancelled", KNOWN, known.appointment("cancelled")),
    Row("helpjourney", "GET /ansatt/i-dag", "empty", CLINICIAN, known.empty_clinic),
    Row("helpjourney", "GET /ansatt/i-dag", "normal", CLINICIAN, known.today),
    Row("helpjourney", "GET /ansatt/i-dag", "not for this role", HELPER, info.staff("helpjourney", "/ansatt/i-dag", CHAT_HELPER), 403),
    Row("helpjourney", "POST /ansatt/logg-ut", "old form", CLINICIAN, known.old_way_out, 403),
    Row("helpjourney", "GET /ansatt/sak/{journey_id}", "wished", CLINICIAN, known.case()),
    Row("helpjourney", "GET /ansatt/sak/{journey_id}", "offered", CLINICIAN, known.case("offered")),
    Row("helpjourney", "GET /ansatt/sak/{journey_id}", "booked", CLINICIAN, known.case("booked")),
    Row("helpjourney", "GET /ansatt/sak/{journey_id}", "of another unit", CLINICIAN, known.no_case, 404),
    Row("helpjourney", "POST /ansatt/time/{appointment_id}/tilby", "time is past", CLINICIAN, known.wrong_times, 422),
    Row("helpjourney", "GET /ansatt/kode", "normal", CLINICIAN, known.clinic_code()),
    Row("helpjourney", "POST /ansatt/kode", "not a code", CLINICIAN, known.clinic_code("HSES"), 422),
    Row("helpjourney", "POST /ansatt/kode", "unknown", CLINICIAN, known.clinic_code(known.UNKNOWN_CODE), 422),
)

REPORTING = (
    Row("reporting", "GET /", "normal", ANYBODY, at("reporting/")),
    Row("reporting", "GET /", "a period without anything", ANYBODY, at("reporting/?fra=2020-01-01&til=2020-01-31")),
    Row("reporting", "GET /", "not a date", ANYBODY, at("reporting/?fra=i-gaar"), 422),
    Row("reporting", "GET /lofter", "normal", ANYBODY, at("reporting/lofter")),
    Row("reporting", "GET /ansatt", "normal", OPERATOR_AT_WORK, info.staff("reporting", "/ansatt", OPERATOR)),
    Row("reporting", "GET /ansatt", "held still", OPERATOR_AT_WORK, info.staff("reporting", "/ansatt?stopp=1", OPERATOR)),
    Row("reporting", "GET /ansatt/na", "normal", OPERATOR_AT_WORK, info.staff("reporting", "/ansatt/na", OPERATOR)),
    Row("reporting", "GET /ansatt", "not for this role", HELPER, info.staff("reporting", "/ansatt", CHAT_HELPER), 403),
)

TALKS = (
    Row("dialog", "GET /", "nobody there", YOUTH, at("dialog/")),
    Row("dialog", "GET /chat", "closed", YOUTH, at("dialog/chat")),
    Row("dialog", "GET /chat", "open", YOUTH, chats.choose_open),
    Row("dialog", "GET /chat", "full", YOUTH, chats.choose_full),
    Row("dialog", "POST /chat", "nothing chosen", YOUTH, chats.asks(service="", topic="finnes-ikke"), 422),
    Row("dialog", "POST /chat", "just closed", YOUTH, chats.just_closed, 409),
    Row("dialog", "POST /chat", "just full", YOUTH, chats.just_full, 503),
    Row("dialog", "GET /chat/venter", "waiting", YOUTH, chats.waits()),
    Row("dialog", "GET /chat/venter", "waiting, stopped", YOUTH, chats.waits("?stopp=1")),
    Row("dialog", "GET /chat/venter", "no chat", YOUTH, at("dialog/chat/venter"), 404),
    Row("dialog", "GET /chat/samtale", "first message", YOUTH, chats.chat_page("/chat/samtale", says=False)),
    Row("dialog", "GET /chat/samtale", "talking", YOUTH, chats.chat_page("/chat/samtale")),
    Row("dialog", "GET /chat/samtale", "offer to go on", YOUTH, chats.chat_page("/chat/samtale", offers=True)),
    Row("dialog", "GET /chat/samtale", "left the queue", YOUTH, chats.left_queue),
    Row("dialog", "GET /chat/samtale", "ended", YOUTH, chats.ended),
    Row("dialog", "GET /chat/samtale", "no chat", YOUTH, at("dialog/chat/samtale"), 404),
    Row("dialog", "POST /chat/samtale", "nothing written", YOUTH, chats.says(""), 422),
    Row("dialog", "POST /chat/samtale", "too long", YOUTH, chats.says(chats.LONG), 422),
    Row("dialog", "POST /chat/samtale", "too late", YOUTH, chats.says_too_late, 409),
    Row("dialog", "POST /chat/slett", "deleted", YOUTH, chats.deleted),
    Row("dialog", "GET /ansatt/samtaler", "off duty", HELPER, chats.off_duty),
    Row("dialog", "GET /ansatt/samtaler", "nobody waits", HELPER, chats.nobody_waits),
    Row("dialog", "GET /ansatt/samtaler", "somebody waits", HELPER, chats.desk_queue()),
    Row("dialog", "GET /ansatt/samtaler", "stopped", HELPER, chats.desk_queue("?stopp=1")),
    Row("dialog", "GET /ansatt/samtaler", "not for this role", OPERATOR_AT_WORK, info.staff("dialog", "/ansatt/samtaler", OPERATOR), 403),
    Row("dialog", "POST /ansatt/samtaler/{chat_id}/ta", "gone", HELPER, chats.taken_by_others, 409),
    Row("dialog", "GET /ansatt/samtaler/{chat_id}", "first message", HELPER, chats.at_talk(says=False)),
    Row("dialog", "GET /ansatt/samtaler/{chat_id}", "talking, offered", HELPER, chats.at_talk(offers=True)),
    Row("dialog", "GET /ansatt/samtaler/{chat_id}", "not yours", HELPER, chats.not_your_talk, 404),
    Row("dialog", "POST /ansatt/samtaler/{chat_id}/svar", "nothing written", HELPER, chats.sends_at_desk("/svar", text=""), 422),
    Row("dialog", "POST /ansatt/samtaler/{chat_id}/videre", "too long", HELPER, chats.sends_at_desk("/videre", summary=chats.LONG), 422),
)

BORDER = (
    Row("dialog", "GET /videre", "what travels", YOUTH, chats.chat_page("/videre", offers=True)),
    Row("dialog", "GET /videre", "no chat", YOUTH, at("dialog/videre"), 404),
    Row("dialog", "POST /videre", "too long", YOUTH, chats.decides({"own": chats.LONG, "device": "finnes-ikke"}), 422),
    Row("dialog", "POST /videre", "yes, here", YOUTH, chats.decides({"device": "same"})),
    Row("dialog", "POST /videre", "yes, on another device", YOUTH, chats.decides({"device": "other", "life": "14d"})),
    Row("dialog", "GET /videre/trekk", "normal", YOUTH, at("dialog/videre/trekk")),
    Row("dialog", "POST /videre/trekk", "mistyped", YOUTH, chats.takes_back("HSES"), 422),
    Row("dialog", "POST /videre/trekk", "taken back", YOUTH, chats.takes_back()),
    Row("helpjourney", "POST /inn/kode", "too many codes", YOUTH, known.too_many_codes, 429),
    Row("helpjourney", "GET /inn", "ready", YOUTH, known.presented),
    Row("helpjourney", "GET /inn", "withdrawn", YOUTH, known.withdrawn),
    Row("helpjourney", "GET /inn", "claimed", YOUTH, known.claimed),
    Row("helpjourney", "GET /er-det-deg", "with what she brings", KNOWN, known.is_it_you(holds=True)),
    Row("helpjourney", "GET /reise/{journey_id}", "with text", KNOWN, known.journey_with_text),
)

LAST = (
    Row("dialog", "GET /chat/samtale", "nobody came", YOUTH, chats.nobody_came),
    Row("dialog", "GET /spor", "full", YOUTH, gateway.panel_is_full, 503),
    Row("dialog", "POST /spor", "just full", YOUTH, gateway.just_full, 503),
    Row("helpjourney", "GET /inn", "not found", YOUTH, known.standing_later(2)),
    Row("helpjourney", "GET /inn", "expired", YOUTH, known.standing_later(40, known=True)),
    Row(GATEWAY, "GET too_large.html", "text", YOUTH, gateway.too_large, 413),
    Row(GATEWAY, "GET too_large.html", "address", YOUTH, gateway.long_address, 414),
    Row(GATEWAY, "GET down.html", "info", ANYBODY, gateway.down("info"), 503),
)

CHATS = (*TALKS, *BORDER)
OTHERS = (*QUESTIONS, *IDENTITY, *STRAIGHT_IN)
ANYWHERE = (*INFO, *REPORTING, *LOGINS, *SHARED, *JOINED, *CATALOGUE, *DEMO)
ROWS = (*CHATS, *OTHERS, *ANYWHERE, *LAST)
