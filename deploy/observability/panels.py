"""What the dashboards show: one for each service and one for the journey. Queries are PromQL, as Grafana sends them."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.catalogue import OWNERS, SERVICES, topics_owned_by, topics_read_by

INTERVAL = "$__rate_interval"
"""Grafana's own variable: a window that holds at least four scrapes."""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression and how its lines are called (`{{label}}` stands for a label)."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram."""

    title: str
    what: str
    """What a good and a bad picture is."""
    unit: str
    """Grafana's name of it: `s`, `short`, `reqps`, `cps`, `percentunit`, `bytes`."""
    queries: Sequence[Query]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. Rows of panels by heading."""

    uid: str
    title: str
    rows: Sequence[tuple[str, Sequence[Panel]]]

    @property
    def panels(self) -> list[Panel]:
        """All of them, in order."""
        return [panel for _, panels in self.rows for panel in panels]


def _one(title: str, what: str, unit: str, expr: str, legend: str) -> Panel:
    return Panel(title, what, unit, [Query(expr, legend)])


def _nothing(label: str) -> str:
    """0 under the name `none`, so that a diagram of what shouldn't happen isn't empty."""
    return f'label_replace(vector(0), "{label}", "none", "", "")'


def _doors(service: str) -> list[Panel]:
    here = f'service="{service}"'
    return [
        _one(
            "Requests",
            "By status. A wave of 5xx is a fault; 429 is somebody who asks too often.",
            "reqps",
            f"sum by (status) (rate(stegvis_http_requests_total{{{here}}}[{INTERVAL}]))",
            "{{status}}",
        ),
        Panel(
            "Time to the answer",
            "Half of all answers, and all but one in a hundred. The aim is 0.2 s at level 1, 0.3 s elsewhere.",
            "s",
            [
                Query(f"histogram_quantile({q}, sum by (le) (rate(stegvis_http_seconds_bucket{{{here}}}[{INTERVAL}])))", name)
                for q, name in ((0.5, "half"), (0.99, "99 of 100"))
            ],
        ),
    ]


def _sent(service: str) -> list[Panel]:
    here = f'service="{service}"'
    return [
        _one(
            "Oldest fact in the outbox",
            "Seconds at most; a line that climbs is a relay or a broker that stands still.",
            "s",
            f"max by (topic) (stegvis_outbox_oldest_seconds{{{here}}})",
            "{{topic}}",
        ),
        _one(
            "Facts sent",
            "What the broker has acknowledged.",
            "cps",
            f"sum by (topic) (rate(stegvis_outbox_relayed_total{{{here}}}[{INTERVAL}]))",
            "{{topic}}",
        ),
    ]


def _received(service: str) -> list[Panel]:
    here = f'service="{service}"'
    return [
        _one(
            "Records not applied yet",
            "Falls to 0 by itself.",
            "short",
            f"sum by (topic) (stegvis_consumer_lag{{{here}}})",
            "{{topic}}",
        ),
        _one(
            "Events applied",
            "By type.",
            "cps",
            f"sum by (type) (rate(stegvis_events_applied_total{{{here}}}[{INTERVAL}]))",
            "{{type}}",
        ),
        _one("Parked events", "0. Each one waits for a person.", "short", f"max by (topic) (stegvis_parked_events{{{here}}})", "{{topic}}"),
        _one(
            "Waits without progress",
            "0; above a minute somebody is called.",
            "s",
            f"max by (topic) (stegvis_consumer_stalled_seconds{{{here}}})",
            "{{topic}}",
        ),
    ]


def _ground(service: str) -> list[Panel]:
    here = f'service="{service}"'
    return [
        _one("Processes", "1 each.", "short", f'min by (part) (up{{job="stegvis", {here}}})', "{{part}}"),
        _one("Memory", "Flat.", "bytes", f'max by (part) (process_resident_memory_bytes{{job="stegvis", {here}}})', "{{part}}"),
        _one(
            "Timers that failed",
            "0. Each is tried again by itself.",
            "cps",
            f'sum by (kind) (rate(stegvis_timer_runs_total{{{here}, outcome="failed"}}[{INTERVAL}])) or {_nothing("kind")}',
            "{{kind}}",
        ),
        _one("Due work waits", "Below a minute.", "s", f"max by (kind) (stegvis_timer_late_seconds{{{here}}})", "{{kind}}"),
        _one("Free disk", "Above a tenth.", "percentunit", f"min by (setting) (stegvis_disk_free_ratio{{{here}}})", "{{setting}}"),
        _one(
            "Keys expire in",
            "More than 30 days.",
            "s",
            f"min by (use) (stegvis_key_expiry_timestamp_seconds{{{here}}}) - time()",
            "{{use}}",
        ),
        _one(
            "Clock against the database's",
            "0; below: behind.",
            "s",
            f"max by (part) (stegvis_clock_ahead_seconds{{{here}}})",
            "{{part}}",
        ),
    ]


ACUTE = [
    _one("Acute questions that nobody has taken", "0.", "short", "max(stegvis_acute_questions)", "questions"),
    _one(
        "Longest wait of an acute question",
        "Minutes; from 5 on somebody is woken.",
        "s",
        "max(stegvis_acute_question_oldest_seconds)",
        "longest",
    ),
]
CHATS = Panel(
    "Chats",
    "Those who wait, and those who talk.",
    "short",
    [Query("max(stegvis_chats_waiting)", "waiting"), Query("max(stegvis_chats_active)", "active")],
)
WAITING = [
    *ACUTE,
    _one("Questions that nobody has taken", "The panel's queue.", "short", "max(stegvis_questions_waiting)", "questions"),
    CHATS,
    _one("Longest wait for a chat", "Minutes, as the page promised.", "s", "max(stegvis_chat_oldest_seconds)", "longest"),
]
WISHES = [
    Panel(
        "Wishes that no unit has answered",
        "All, and those who need help today.",
        "short",
        [Query("max(stegvis_wishes_waiting)", "all"), Query("max(stegvis_acute_wishes)", "today")],
    ),
    Panel(
        "Longest wait for a unit",
        "All, and those who need help today.",
        "s",
        [Query("max(stegvis_wish_oldest_seconds)", "all"), Query("max(stegvis_acute_wish_oldest_seconds)", "today")],
    ),
]
LOGINS = [
    _one(
        "Logins",
        "By how they ended. `failed` and `away` are faults; the others are choices and rules.",
        "cps",
        f"sum by (outcome) (rate(stegvis_logins_total[{INTERVAL}])) > 0",
        "{{outcome}}",
    )
]
STEPS = [
    _one(
        "Steps of the journey, last 24 hours",
        "From a page read to an appointment kept. A step at 0 while the one before it isn't is a break.",
        "short",
        "max by (step) (stegvis_journey_steps)",
        "{{step}}",
    )
]
OWN = {
    "dialog": ("Who waits", WAITING),
    "helpjourney": ("Who waits", WISHES),
    "identity": ("Logins", LOGINS),
    "reporting": ("Journey", STEPS),
}
"""What single services have besides."""


def _of_service(service: str) -> Board:
    own = [OWN[service]] if service in OWN else []
    delivery = (_sent(service) if topics_owned_by(service) else []) + (_received(service) if topics_read_by(service) else [])
    common = [("Doors", _doors(service)), ("Facts in and out", delivery), ("Ground", _ground(service))]
    return Board(f"stegvis-{service}", f"Stegvis: {service} ({OWNERS[service].agency})", [*own, *common])


def _of_journey() -> Board:
    between = [
        _one("Oldest fact, by service", "Seconds.", "s", "max by (service) (stegvis_outbox_oldest_seconds)", "{{service}}"),
        _one("Records not applied, by service", "Falls to 0.", "short", "sum by (service) (stegvis_consumer_lag)", "{{service}}"),
        _one(
            "Parked events, by service", "0.", "short", "sum by (service) (max by (service, topic) (stegvis_parked_events))", "{{service}}"
        ),
    ]
    platform = [
        _one(
            "Alerts that fire",
            "None.",
            "short",
            f'sum by (alertname, service) (ALERTS{{alertstate="firing"}}) or {_nothing("alertname")}',
            "{{alertname}} {{service}}",
        ),
        _one("Services that answer", "1 each.", "short", 'min by (service) (up{job="stegvis"})', "{{service}}"),
        _one(
            "Faults shown to people",
            "0. Answers with a status above 499.",
            "reqps",
            f'sum by (service) (rate(stegvis_http_requests_total{{status=~"5.."}}[{INTERVAL}])) or {_nothing("service")}',
            "{{service}}",
        ),
    ]
    people = [*STEPS, *ACUTE, CHATS, WISHES[0], *LOGINS]
    return Board("stegvis-journey", "Stegvis: the journey", [("People", people), ("Between the services", between), ("Platform", platform)])


BOARDS = (_of_journey(), *(_of_service(service) for service in SERVICES))
