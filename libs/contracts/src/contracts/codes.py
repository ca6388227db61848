"""Code lists that events, rules and pages share. Standard library only, so that a service's domain may import it too.

Every list is open: a reader meets codes that its version doesn't know and must keep them (see `contracts.event.code`).
"""

from enum import StrEnum


class Zone(StrEnum):
    """Where a fact was made. No trace, correlation or causation id passes from one zone to another."""

    OPEN = "open"
    ANONYMOUS = "anonymous"
    KNOWN = "known"
    REPORTING = "reporting"


class Functionality(StrEnum):
    """The six functionalities of the programme. Reconstructed from public texts: the official list is not published."""

    INFORMATION_AND_SEARCH = "F1"
    E_LEARNING_AND_SELF_HELP = "F2"
    QUESTIONS_AND_ANSWERS = "F3"
    CHAT = "F4"
    LOGGED_IN_DIALOG = "F5"
    APPOINTMENTS_AND_SELF_SERVICE = "F6"


class TopicCode(StrEnum):
    """What a text is about; also the need that travels with a handoff."""

    BODY = "body"
    MENTAL_HEALTH = "mental_health"
    SEXUALITY = "sexuality"
    RELATIONSHIPS = "relationships"
    FAMILY = "family"
    VIOLENCE = "violence"
    BULLYING = "bullying"
    SCHOOL = "school"
    SUBSTANCES = "substances"
    RIGHTS = "rights"
    OTHER = "other"


class Urgency(StrEnum):
    """How soon a person should answer, as the youth and the helper see it."""

    ROUTINE = "routine"
    SOON = "soon"
    TODAY = "today"


class AgeBand(StrEnum):
    """Age in bands, never in years. Bounds follow the age rules of health law (12, 13, 16, 18, 20)."""

    UNDER_13 = "under_13"
    FROM_13_TO_15 = "13_15"
    FROM_16_TO_17 = "16_17"
    FROM_18_TO_20 = "18_20"
    OVER_20 = "over_20"
    UNKNOWN = "unknown"


class Language(StrEnum):
    """Written language, IETF BCP 47."""

    BOKMAL = "nb"
    NYNORSK = "nn"
    NORTHERN_SAMI = "se"
    ENGLISH = "en"


class PageClass(StrEnum):
    """What kind of open page was read; never which one."""

    FRONT = "front"
    ARTICLE = "article"
    ANSWER = "answer"
    SEARCH = "search"
    SEARCH_EMPTY = "search_empty"
    DIRECTORY = "directory"


class ChatOutcome(StrEnum):
    """How a chat ended. Whether the youth went on logged in is not said: that would link two levels."""

    ENDED_BY_YOUTH = "ended_by_youth"
    ENDED_BY_HELPER = "ended_by_helper"
    TIMED_OUT = "timed_out"


class Entry(StrEnum):
    """How a journey at level 3 began."""

    HANDOFF = "handoff"
    DIRECT = "direct"
    WITH_CLINICIAN = "with_clinician"


class LoginOutcome(StrEnum):
    """How a login ended; failures by reason."""

    COMPLETED = "completed"
    ABORTED = "aborted"
    LEVEL_TOO_LOW = "level_too_low"
    NO_NATIONAL_ID = "no_national_id"
    REFUSED = "refused"
    FAILED = "failed"


class LevelOfAssurance(StrEnum):
    """Levels of assurance as ID-porten names them (docs.digdir.no, acr values)."""

    LOW = "idporten-loa-low"
    SUBSTANTIAL = "idporten-loa-substantial"
    HIGH = "idporten-loa-high"


class CancelledBy(StrEnum):
    """Who cancelled an appointment."""

    YOUTH = "youth"
    UNIT = "unit"


class Channel(StrEnum):
    """How one reaches a help service."""

    CHAT = "chat"
    QUESTION = "question"
    PHONE = "phone"
    SMS = "sms"
    DROP_IN = "drop_in"
    APPOINTMENT = "appointment"


class ServiceKind(StrEnum):
    """What kind of help service an entry of the register is."""

    CHAT_SERVICE = "chat_service"
    QUESTION_PANEL = "question_panel"
    PHONE_LINE = "phone_line"
    YOUTH_CLINIC = "youth_clinic"
    SCHOOL_HEALTH = "school_health"
    EMERGENCY = "emergency"
    OTHER = "other"
