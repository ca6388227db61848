"""Edits of released events with known verdicts: the proof that the gate is right. Each is made for real and read for real (`proof.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GONE = "(gone)"
"""In an overlay: the field is left out."""

QUEUE, OFFER, ANSWER = "dialog.queue.measured.v1", "dialog.handoff.offered.v1", "dialog.answer.approved.v1"
CHAT, ASKED, USAGE, LISTED = "dialog.chat.queued.v1", "dialog.question.asked.v1", "info.usage.counted.v1", "info.service.listed.v1"

LENGTH = "    length: Count\n"
WAIT = '    wait_minutes: Count | None = Field(default=None, description="Honest estimate; None = not known")\n'
SERVICE = "topic: ClassVar[str] = AVAILABILITY\n    service_id: UUID\n    length"
TITLE = "    title: str = Field(max_length=200)\n"
BY = '    answered_by: str = Field(max_length=120, description="Profession and organisation, never a person\'s name")\n'
ON = '    answered_on: date = Field(description="Day of the answer, Europe/Oslo")\n'
HASH = "    lookup_hash: Sha256 = "
ASKED_TOPIC = "topic: ClassVar[str] = QUESTIONS\n    question_id: UUID\n    topic_code: AnyTopic"
KIND = "    kind: AnyServiceKind\n"
PHONE = "    phone: str | None = Field(default=None, max_length=20)\n"
OPEN = "    always_open: bool = False\n"
COUNT = "    language: AnyLanguage\n    count: Count\n"
COUNTS = "    counts: tuple[UsageCount, ...]\n"
ENTRY = 'type: ClassVar[str] = "info.service.listed.v1"\n    topic: ClassVar[str] = DIRECTORY\n    service: HelpService'


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one event: what is edited, what must be said of it, and documents that show it."""

    what: str
    type: str
    edits: tuple[tuple[str, str, str], ...]
    """File of the released package, text, new text."""
    backward: bool
    forward: bool
    old: tuple[Mapping[str, Any], ...] = ()
    """Laid over the golden example: what the released writer may say."""
    new: tuple[Mapping[str, Any], ...] = ({},)
    """Laid over the golden example: what the edited writer may say."""

    @property
    def silent(self) -> bool:
        """Whether the schema says the same as before, as far as data goes."""
        return self.what in {"only a description", "a default changed"}


def _in(file: str, type_: str, what: str, text: str, becomes: str, backward: bool, forward: bool, **documents: Any) -> Edit:
    return Edit(what, type_, ((file, text, becomes),), backward, forward, **documents)


def _queue(what: str, text: str, becomes: str, backward: bool, forward: bool, **documents: Any) -> Edit:
    return _in("dialog.py", QUEUE, what, text, becomes, backward, forward, **documents)


def _service(what: str, text: str, becomes: str, backward: bool, forward: bool, **documents: Any) -> Edit:
    return _in("info.py", LISTED, what, text, becomes, backward, forward, **documents)


def _entry(**fields: object) -> tuple[dict[str, Any], ...]:
    return ({"service": fields},)


FIELDS = (
    _queue("only a description", "Honest estimate", "Estimate", True, True),
    _queue("an optional field more", LENGTH, LENGTH + "    helpers: Count | None = None\n", True, True, new=({"helpers": 3}, {})),
    _queue("a field with a default more", LENGTH, LENGTH + "    helpers: Count = 0\n", True, True, new=({"helpers": 2}, {})),
    _queue("a required field more", LENGTH, LENGTH + "    helpers: Count\n", False, True, new=({"helpers": 3},)),
    _queue("an optional field less", WAIT, "", True, True, new=({"wait_minutes": GONE},)),
    _queue("a required field less", LENGTH, "", True, False, new=({"length": GONE},)),
    _queue("a required field renamed", LENGTH, "    size: Count\n", False, False, new=({"length": GONE, "size": 3},)),
    _queue("an optional field required", WAIT, "    wait_minutes: Count\n", False, True, old=({"wait_minutes": None},)),
    _queue("a null no longer allowed", WAIT, "    wait_minutes: Count = 0\n", False, True, old=({"wait_minutes": None},)),
    _queue("a null allowed", LENGTH, "    length: Count | None\n", True, False, new=({"length": None},)),
    _queue("a required field may be left out", LENGTH, "    length: Count = 0\n", True, False, new=({"length": GONE},)),
    _in(
        "dialog.py",
        CHAT,
        "a field more in an empty corner",
        "    position: ",
        "    expected: date | None = None\n    position: ",
        True,
        True,
    ),
)

NUMBERS = (
    _queue("whole number to text", LENGTH, "    length: str\n", False, False, new=({"length": "many"},)),
    _queue("whole number to any number", LENGTH, "    length: Annotated[float, Field(ge=0)]\n", True, False, new=({"length": 2.5},)),
    _queue("whole number to list", LENGTH, "    length: tuple[int, ...]\n", False, False, new=({"length": [1]},)),
    _queue("minimum raised", LENGTH, "    length: Annotated[int, Field(ge=1)]\n", False, True, old=({"length": 0},)),
    _queue("minimum lowered", LENGTH, "    length: int = Field(ge=-1)\n", True, False, new=({"length": -1},)),
    _queue("minimum taken away", LENGTH, "    length: int\n", True, False, new=({"length": -9},)),
    _queue("maximum added", LENGTH, "    length: Annotated[int, Field(ge=0, le=100)]\n", False, True, old=({"length": 101},)),
    _queue(
        "optional number to optional text", WAIT, "    wait_minutes: str | None = None\n", False, False, new=({"wait_minutes": "soon"},)
    ),
    _in("dialog.py", CHAT, "a bound moved by one", "[int, Field(ge=1)]", "[int, Field(ge=0)]", True, False, new=({"position": 0},)),
    _in("info.py", USAGE, "an open bound closed", "Field(gt=0)", "Field(ge=0)", True, False, new=({"bucket_seconds": 0},)),
)

STRINGS = (
    _queue("id to text", SERVICE, SERVICE.replace("UUID", "str"), True, False, new=({"service_id": "front desk"},)),
    _queue("id to number", SERVICE, SERVICE.replace("UUID", "int"), False, False, new=({"service_id": 7},)),
    _in("dialog.py", OFFER, "pattern taken away", HASH, "    lookup_hash: str = ", True, False, new=({"lookup_hash": "zz"},)),
    _in(
        "dialog.py",
        OFFER,
        "pattern changed",
        HASH,
        '    lookup_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] = ',
        False,
        False,
        new=({"lookup_hash": "ab" * 16},),
    ),
    _in("dialog.py", OFFER, "instant to day", "expires_at: Time", "expires_at: date", False, False, new=({"expires_at": "2026-11-25"},)),
    _in("dialog.py", ANSWER, "day to instant", ON, "    answered_on: Time\n", False, False, new=({"answered_on": "2026-11-12T09:30:00Z"},)),
    _in("dialog.py", ANSWER, "day to text", ON, "    answered_on: str\n", True, False, new=({"answered_on": "in autumn"},)),
    _in("dialog.py", ANSWER, "shorter", TITLE, TITLE.replace("200", "100"), False, True, old=({"title": "x" * 150},)),
    _in("dialog.py", ANSWER, "longer", TITLE, TITLE.replace("200", "300"), True, False, new=({"title": "x" * 250},)),
    _in("dialog.py", ANSWER, "no longest", TITLE, "    title: str\n", True, False, new=({"title": "x" * 250},)),
    _in("dialog.py", ANSWER, "no longer empty", TITLE, TITLE.replace("max", "min_length=1, max"), False, True, old=({"title": ""},)),
    _in("dialog.py", ANSWER, "pattern added", BY, BY.replace("max", 'pattern="^[A-Z]", max'), False, True, old=({"answered_by": "lege"},)),
    _service(
        "time of day to text",
        "    opens: time",
        "    opens: str",
        True,
        False,
        new=_entry(opening_hours=[{"weekday": 1, "opens": "in the morning", "closes": "22:00:00"}]),
    ),
    _service(
        "optional text to list",
        PHONE,
        "    phone: tuple[str, ...] = ()\n",
        False,
        False,
        old=_entry(phone="116111"),
        new=_entry(phone=["116111"]),
    ),
)

CODES = (
    _in(
        "codes.py",
        ASKED,
        "a code more in an open list",
        '    RIGHTS = "rights"\n',
        '    RIGHTS = "rights"\n    CLIMATE = "climate"\n',
        True,
        True,
        new=({"topic_code": "climate"},),
    ),
    _in("codes.py", ASKED, "a code less in an open list", '    BULLYING = "bullying"\n', "", True, True, old=({"topic_code": "bullying"},)),
    Edit(
        "an open list closed",
        ASKED,
        (
            ("dialog.py", "from typing import Annotated, ClassVar", "from typing import Annotated, ClassVar, Literal"),
            ("dialog.py", ASKED_TOPIC, ASKED_TOPIC.replace("AnyTopic", 'Literal["body", "mental_health"]')),
        ),
        False,
        True,
        old=({"topic_code": "school"},),
    ),
    _in(
        "dialog.py",
        ASKED,
        "a code to free text",
        ASKED_TOPIC,
        ASKED_TOPIC.replace("AnyTopic", "str"),
        True,
        False,
        new=({"topic_code": "jeg har det vondt"},),
    ),
    _in("dialog.py", ANSWER, "free text to a code", BY, "    answered_by: AnyTopic\n", False, True, new=({"answered_by": "nurse"},)),
    _service("a code to a list of codes", KIND, "    kind: tuple[AnyServiceKind, ...]\n", False, False, new=_entry(kind=["other"])),
)

NESTED = (
    _service("an optional field more, inside", OPEN, OPEN + "    parking: bool = False\n", True, True, new=_entry(parking=True)),
    _service("a required field more, inside", OPEN, OPEN + "    parking: bool\n", False, True, new=_entry(parking=True)),
    _service("an optional field less, inside", PHONE, "", True, True, new=_entry(phone=GONE)),
    _service("a required field less, inside", KIND, "", True, False, new=_entry(kind=GONE)),
    _service("a default changed", OPEN, OPEN.replace("False", "True"), True, True, new=_entry(always_open=GONE)),
    _service("yes or no to text", OPEN, '    always_open: str = "no"\n', False, False, new=_entry(always_open="at night")),
    _service(
        "a bound narrowed, inside",
        "age_to: int | None = Field(default=None, ge=0, le=120",
        "age_to: int | None = Field(default=None, ge=0, le=25",
        False,
        True,
        old=_entry(age_to=99),
    ),
    _service(
        "a bound widened, inside a list",
        "Field(ge=1, le=7,",
        "Field(ge=0, le=7,",
        True,
        False,
        new=_entry(opening_hours=[{"weekday": 0, "opens": "15:00:00", "closes": "22:00:00"}]),
    ),
    _service(
        "a list of codes to a list of numbers",
        "topic_codes: tuple[AnyTopic, ...]",
        "topic_codes: tuple[int, ...]",
        False,
        False,
        new=_entry(topic_codes=[1]),
    ),
    _service(
        "a list no longer than two",
        "channels: tuple[AnyChannel, ...] = ()",
        "channels: tuple[AnyChannel, ...] = Field(default=(), max_length=2)",
        False,
        True,
        old=_entry(channels=["chat", "sms", "phone"]),
    ),
    _service(
        "a list to a single code",
        "languages: tuple[AnyLanguage, ...] = ()",
        'languages: AnyLanguage = "nb"',
        False,
        False,
        new=_entry(languages="nb"),
    ),
    _service(
        "the whole entry may be missing",
        ENTRY,
        ENTRY + " | None = None",
        True,
        False,
        new=({"service": GONE},),
    ),
    _in(
        "info.py",
        USAGE,
        "a required field more, in a list",
        COUNT,
        COUNT + "    visits: Count\n",
        False,
        True,
        new=({"counts": [{"page_class": "front", "language": "nb", "count": 1, "visits": 1}]},),
    ),
    _in(
        "info.py",
        USAGE,
        "a required field less, in a list",
        COUNT,
        "    count: Count\n",
        True,
        False,
        new=({"counts": [{"page_class": "front", "count": 1}]},),
    ),
    _in(
        "info.py",
        USAGE,
        "a list no longer empty",
        COUNTS,
        "    counts: tuple[UsageCount, ...] = Field(min_length=1)\n",
        False,
        True,
        old=({"counts": []},),
    ),
)

CLOSED = (_in("event.py", QUEUE, "readers refuse what they don't know", 'extra="ignore"', 'extra="forbid"', True, True),)

EDITS = (*FIELDS, *NUMBERS, *STRINGS, *CODES, *NESTED, *CLOSED)
