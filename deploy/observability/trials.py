"""Stories that promtool plays to the rules: what was measured every 15 s, when an alert must be silent and when it must fire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.dialog import QuestionAsked

QUESTIONS: Final = str(QuestionAsked.topic)
DIALOG: Final = {"service": "dialog", "topic": QUESTIONS}
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Trial:
    """promtool's clock begins at 0; `series`: what is measured -> values in promtool's way of writing (`0+15x40`)."""

    story: str
    series: Mapping[str, str]
    silent_at: Sequence[str] = ()
    fires_at: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """When -> the labels that the expression gives."""


def _of(service: str, metric: str, **labels: str) -> str:
    """A series as Prometheus stores it."""
    told = {"service": service, "instance": "a", "job": "stegvis", **labels}
    pairs = ", ".join(f'{name}="{value}"' for name, value in told.items())
    return f"{metric}{{{pairs}}}"


def _dialog(metric: str, **more: str) -> str:
    return _of("dialog", metric, topic=QUESTIONS, **more)


AGEING: Final = {_dialog("stegvis_outbox_oldest_seconds"): "0 0 0+15x60"}
"""Quiet for half a minute; then a fact waits and grows old."""
FRESH: Final = {_dialog("stegvis_outbox_oldest_seconds"): "55x120"}
LOGINS: Final = {
    _of("identity", "stegvis_logins_total", provider="idporten", outcome="completed"): "0+1x120",
    _of("identity", "stegvis_logins_total", provider="idporten", outcome="away"): "0x40 0+1x80",
    _of("identity", "stegvis_logins_total", provider="idporten", outcome="aborted"): "0+3x120",
}
"""One login in 15 s, three that somebody breaks off; after ten minutes the provider goes away as often as it lets in."""

TRIALS: Final[Mapping[str, Sequence[Trial]]] = {
    "OutboxWaits": (
        Trial("a fact waits for longer than a minute", AGEING, ("1m30s",), {"1m45s": DIALOG}),
        Trial("facts that are 55 s old are no reason", FRESH, ("20m",)),
    ),
    "OutboxStuck": (Trial("a fact waits for longer than ten minutes", AGEING, ("1m45s", "10m30s"), {"10m45s": DIALOG}),),
    "KeyParked": (
        Trial("a key is parked", {_dialog("stegvis_parked_events"): "0x4 2x20"}, ("1m",), {"1m15s": DIALOG}),
        Trial("it was helped", {_dialog("stegvis_parked_events"): "2x4 0x20"}, ("1m15s",)),
    ),
    "ConsumerStalled": (
        Trial("nothing is applied", {_dialog("stegvis_consumer_stalled_seconds"): "0 0+15x20"}, ("1m15s",), {"1m30s": DIALOG}),
        Trial("it goes on each half minute", {_dialog("stegvis_consumer_stalled_seconds"): "0 15 30 0 15 30 0x60"}, ("30s", "10m")),
    ),
    "AcuteQuestionUnattended": (
        Trial(
            "nobody takes it",
            {_of("dialog", "stegvis_acute_question_oldest_seconds"): "0 0+15x40"},
            ("5m15s",),
            {"5m30s": {"service": "dialog"}},
        ),
    ),
    "AcuteWishUnattended": (
        Trial(
            "no unit answers",
            {_of("helpjourney", "stegvis_acute_wish_oldest_seconds"): "0+15x140"},
            ("30m",),
            {"30m15s": {"service": "helpjourney"}},
        ),
    ),
    "RelayIdle": (
        Trial(
            "the relay is gone",
            {_dialog("stegvis_outbox_rows"): "0x8 3x40", _dialog("stegvis_outbox_relayed_total", instance="b"): "0+2x8 16x40"},
            ("2m", "4m45s"),
            {"5m": DIALOG},
        ),
        Trial("there never was one", {_dialog("stegvis_outbox_rows"): "3x40"}, ("45s",), {"1m": DIALOG}),
        Trial(
            "much waits and much is moved",
            {_dialog("stegvis_outbox_rows"): "900x60", _dialog("stegvis_outbox_relayed_total"): "0+50x60"},
            ("1m45s", "14m"),
        ),
    ),
    "LoginsFail": (
        Trial("the provider goes away", LOGINS, ("10m", "11m"), {"16m": {"service": "identity", "provider": "idporten"}}),
        Trial(
            "three failures in a night are no reason",
            {_of("identity", "stegvis_logins_total", provider="idporten", outcome="failed"): "0x4 1 1 2 2 3x60"},
            ("5m", "10m"),
        ),
    ),
    "KeyExpires": (
        Trial(
            "30 days and a minute are left",
            {_of("info", "stegvis_key_expiry_timestamp_seconds", use="sig"): f"{30 * DAY_SECONDS + 60}x20"},
            ("1m",),
            {"1m15s": {"service": "info", "use": "sig"}},
        ),
    ),
    "CertificateExpires": (
        Trial(
            "14 days and a minute are left",
            {_of("info", "stegvis_certificate_expiry_timestamp_seconds", endpoint="kafka.example.no:9093"): f"{14 * DAY_SECONDS + 60}x20"},
            ("1m",),
            {"1m15s": {"service": "info", "endpoint": "kafka.example.no:9093"}},
        ),
    ),
    "TimerStuck": (
        Trial(
            "nobody does what is due",
            {_of("helpjourney", "stegvis_timer_late_seconds", kind="appointment.remind"): "0 0+15x20"},
            ("1m15s",),
            {"1m30s": {"service": "helpjourney", "kind": "appointment.remind"}},
        ),
        Trial(
            "it fails each time",
            {_of("helpjourney", "stegvis_timer_attempts", kind="appointment.remind"): "0 1 2 3 4 5x20"},
            ("1m",),
            {"1m15s": {"service": "helpjourney", "kind": "appointment.remind"}},
        ),
        Trial(
            "it is done late, at its fourth attempt",
            {
                _of("helpjourney", "stegvis_timer_late_seconds", kind="appointment.remind"): "0 15 30 45 0x20",
                _of("helpjourney", "stegvis_timer_attempts", kind="appointment.remind"): "0 1 2 3 0x20",
            },
            ("45s", "2m"),
        ),
    ),
    "ClockDrifts": (
        Trial(
            "it falls behind by a second in a quarter of a minute",
            {_of("info", "stegvis_clock_ahead_seconds", part="serve"): "0x4 0-1x40"},
            ("3m",),
            {"3m15s": {"service": "info", "part": "serve"}},
        ),
        Trial("it is put right", {_of("info", "stegvis_clock_ahead_seconds", part="serve"): "4x2 0x40"}, ("30s", "2m")),
    ),
    "DiskFills": (
        Trial(
            "it stays full",
            {_of("helpjourney", "stegvis_disk_free_ratio"): "0.5x4 0.09x40"},
            ("1m15s", "6m"),
            {"6m15s": {"service": "helpjourney"}},
        ),
        Trial("it was full for a moment", {_of("helpjourney", "stegvis_disk_free_ratio"): "0.5x4 0.09x4 0.5x40"}, ("2m", "8m")),
    ),
    "ProcessGone": (
        Trial(
            "it doesn't come back",
            {'up{service="reporting", instance="a", job="stegvis", part="run"}': "1x4 0x20"},
            ("2m",),
            {"2m15s": {"service": "reporting", "instance": "a", "job": "stegvis", "part": "run"}},
        ),
    ),
    "ProcessUnready": (
        Trial(
            "its database stays away",
            {_of("reporting", "stegvis_ready", part="serve"): "1x4 0x40"},
            ("3m",),
            {"3m15s": {"service": "reporting", "part": "serve"}},
        ),
        Trial("it is being started", {_of("reporting", "stegvis_ready", part="serve"): "0x6 1x40"}, ("1m30s", "6m")),
    ),
}
"""Alert -> its trials. The times are the real ones."""
