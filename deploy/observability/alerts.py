"""The alerts: what must be true for how long, for whom it matters, and what to do next. Labels name services and topics, never a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contracts.dialog import QuestionAsked
from contracts.helpjourney import AppointmentWished
from contracts.identity import LoginsCounted

DAY: Final = 86_400.0
RUNBOOKS: Final = "docs/runbooks"
"""Where the runbooks are: a path in this repository, or the address under which an agency publishes them."""
NO_TOPIC: Final = "none"
"""What an alert that is about no topic carries."""


class Severity(StrEnum):
    """Whom an alert reaches."""

    PAGE = "page"
    """Somebody is woken."""
    WARNING = "warning"
    """Somebody looks at it this working day."""


@dataclass(frozen=True, slots=True)
class Times:
    """Real times, or all divided by `scale` for a trial. A window must hold a few scrapes, however short the trial."""

    scale: float = 1.0
    scrape_seconds: float = 15.0

    def seconds(self, real: float) -> str:
        """A number for an expression."""
        return f"{real / self.scale:.3f}".rstrip("0").rstrip(".")

    def duration(self, real: float) -> str:
        """A duration in Prometheus' way of writing."""
        return f"{round(real / self.scale * 1000)}ms" if real / self.scale % 1 else f"{real / self.scale:.0f}s"

    def window(self, real: float) -> str:
        """A duration over which something is added up: at least four scrapes."""
        return f"{max(real / self.scale, 4 * self.scrape_seconds):.0f}s"


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule. `expr` holds `{name}` for each of `limits` (seconds) and `{name}` for each of `windows` (durations, seconds)."""

    name: str
    severity: Severity
    expr: str
    summary: str
    for_whom: str
    next_step: str
    holds: float = 0.0
    """How long it must be true, seconds."""
    limits: Mapping[str, float] = field(default_factory=dict)
    windows: Mapping[str, float] = field(default_factory=dict)
    topic: str | None = None
    """Where the expression doesn't give one."""

    @property
    def runbook(self) -> str:
        """The file of its runbook: the name in small letters with hyphens."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.name).strip("-") + ".md"

    def expression(self, times: Times) -> str:
        """In PromQL."""
        filled = {name: times.seconds(real) for name, real in self.limits.items()}
        filled |= {name: times.window(real) for name, real in self.windows.items()}
        found = self.expr
        for name, value in filled.items():
            found = found.replace(f"{{{name}}}", value)
        return found

    def annotations(self, runbooks: str = RUNBOOKS) -> dict[str, str]:
        """What whoever is called reads."""
        return {
            "summary": self.summary,
            "for_whom": self.for_whom,
            "next_step": self.next_step,
            "runbook_url": f"{runbooks}/{self.runbook}",
        }

    def labels(self) -> dict[str, str]:
        """Those that the expression doesn't give."""
        return {"severity": self.severity.value, **({"topic": self.topic} if self.topic else {})}


WHERE = "{{ $labels.service }}"
TOPIC = "{{ $labels.topic }}"

OLDEST = "max by (service, topic) (stegvis_outbox_oldest_seconds) > {limit}"
OUTBOX_SUMMARY = f"{WHERE}: facts for {TOPIC} wait in the outbox"

FAILED_LOGINS = 'sum by (service, provider) (increase(stegvis_logins_total{outcome=~"failed|away"}[{window}]))'
LOGINS = 'sum by (service, provider) (increase(stegvis_logins_total{outcome=~"completed|failed|away"}[{window}]))'
"""Without those that somebody broke off, or who may not come in: that is no fault of a machine."""

ALERTS: Final = (
    Alert(
        "OutboxWaits",
        Severity.WARNING,
        OLDEST,
        OUTBOX_SUMMARY + " for more than a minute",
        "Everybody who waits for the next step in another service; nothing is lost",
        "See whether Kafka answers and a relay of this service runs",
        limits={"limit": 60},
    ),
    Alert(
        "OutboxStuck",
        Severity.PAGE,
        OLDEST,
        OUTBOX_SUMMARY + " for more than ten minutes",
        "Youths whose handoff, answer or appointment isn't seen in the next service",
        "Restart the relay; if Kafka is away, call who runs it",
        limits={"limit": 600},
    ),
    Alert(
        "KeyParked",
        Severity.WARNING,
        "max by (service, topic) (stegvis_parked_events) > 0",
        f"{WHERE}: a key of {TOPIC} is parked and waits for a person",
        "The one matter behind the key; all others go on",
        f"python -m {WHERE} parked list, then show, then retry or skip",
    ),
    Alert(
        "ConsumerStalled",
        Severity.PAGE,
        "max by (service, topic) (stegvis_consumer_stalled_seconds) > {limit}",
        f"{WHERE}: records of {TOPIC} wait and none is applied",
        "Everybody whose matter comes to this service from another",
        "See whether its database answers; restart its consumer",
        limits={"limit": 60},
    ),
    Alert(
        "AcuteQuestionUnattended",
        Severity.PAGE,
        "max by (service) (stegvis_acute_question_oldest_seconds) > {limit}",
        f"{WHERE}: an acute question has waited for more than five minutes and nobody has taken it",
        "A youth who may be in danger",
        "Call the panel's duty phone; somebody takes the question at /ansatt/panel",
        limits={"limit": 300},
        topic=QuestionAsked.topic,
    ),
    Alert(
        "AcuteWishUnattended",
        Severity.PAGE,
        "max by (service) (stegvis_acute_wish_oldest_seconds) > {limit}",
        f"{WHERE}: somebody who needs help today has waited for more than half an hour and no unit has answered",
        "A youth who needs help today",
        "Call the units on duty; somebody answers the wish at /ansatt",
        limits={"limit": 1800},
        topic=AppointmentWished.topic,
    ),
    Alert(
        "RelayIdle",
        Severity.PAGE,
        "max by (service, topic) (stegvis_outbox_rows) > 0"
        " unless on (service, topic) sum by (service, topic) (increase(stegvis_outbox_relayed_total[{window}])) > 0",
        f"{WHERE}: facts for {TOPIC} wait and the relay moves none",
        "Everybody who waits for the next step in another service; nothing is lost",
        "Restart the relay",
        holds=60,
        windows={"window": 120},
    ),
    Alert(
        "TimerStuck",
        Severity.PAGE,
        "max by (service, kind) (stegvis_timer_late_seconds) > {limit} or max by (service, kind) (stegvis_timer_attempts) > 4",
        f"{WHERE}: due work of the kind {{{{ $labels.kind }}}} isn't done, or fails again and again",
        "Everybody for whom something happens by itself: reminders, ends of waits, deletions; nothing is lost",
        "See whether a relay of this service runs, and what its log says at 'timer failed'",
        limits={"limit": 60},
        topic=NO_TOPIC,
    ),
    Alert(
        "LoginsFail",
        Severity.PAGE,
        f"{FAILED_LOGINS} > 4 and {FAILED_LOGINS} / {LOGINS} > 0.2",
        f"{WHERE}: more than one login in five at {{{{ $labels.provider }}}} fails for a technical reason",
        "Youths who want to go on logged in, or staff who can't get to work",
        "See the provider's status page; see the log of identity for 'provider is away' and 'answer refused'",
        windows={"window": 600},
        topic=LoginsCounted.topic,
    ),
    Alert(
        "KeyExpires",
        Severity.WARNING,
        "min by (service, use) (stegvis_key_expiry_timestamp_seconds) - time() < {limit}",
        f"{WHERE}: the agency's last key for {{{{ $labels.use }}}} expires within 30 days",
        "Everybody, from that day on: logins and handoffs are refused",
        "Publish a new key beside the old one",
        limits={"limit": 30 * DAY},
        topic=NO_TOPIC,
    ),
    Alert(
        "CertificateExpires",
        Severity.WARNING,
        "min by (service, endpoint) (stegvis_certificate_expiry_timestamp_seconds) - time() < {limit}",
        f"{WHERE}: the certificate of {{{{ $labels.endpoint }}}} expires within 14 days",
        "Everybody, from that day on: the connection is refused",
        "Renew the certificate, or call who runs that server",
        limits={"limit": 14 * DAY},
        topic=NO_TOPIC,
    ),
    Alert(
        "ClockDrifts",
        Severity.WARNING,
        "max by (service, part) (abs(stegvis_clock_ahead_seconds)) > 3",
        f"{WHERE}: its clock and its database's are more than 3 s apart",
        "Nobody yet; from 5 s on logins are refused between services, from 60 s on no process starts",
        "Find out which of the two machines has the wrong time, and let it ask a time server",
        holds=60,
        topic=NO_TOPIC,
    ),
    Alert(
        "DiskFills",
        Severity.WARNING,
        "min by (service) (stegvis_disk_free_ratio) < 0.1",
        f"{WHERE}: less than a tenth of its disk is free",
        "Nobody yet; when it's full, reminders aren't written or nothing can be deleted",
        "Find what grows and make room",
        holds=300,
        topic=NO_TOPIC,
    ),
    Alert(
        "ProcessGone",
        Severity.PAGE,
        'up{job="stegvis"} == 0',
        f"{WHERE}: a process doesn't answer",
        "Everybody who uses this service; its pages show the crisis numbers",
        "Read the last lines of its log, then start it again",
        holds=60,
        topic=NO_TOPIC,
    ),
    Alert(
        "ProcessUnready",
        Severity.PAGE,
        "min by (service, part) (stegvis_ready) == 0",
        f"{WHERE}: a process answers and can't work",
        "Everybody who uses this service; its pages show the crisis numbers. What is measured in its database stands still meanwhile",
        "Read what /readyz names, and the line 'not started yet' in its log",
        holds=120,
        topic=NO_TOPIC,
    ),
)
"""Most of them are about what a person waits for, not about machines."""
