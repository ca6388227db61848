"""Composition root of helpjourney: the only file that knows every room."""

from pathlib import Path

from servicekit.service import Service
from servicekit.web import relying_party
from webkit import Pages

from helpjourney import gauges
from helpjourney.clients import ReminderFile
from helpjourney.consumers import HANDLERS
from helpjourney.handlers.retention import ERASERS
from helpjourney.pages import appointments, claims, clinic, me, wishes
from helpjourney.settings import Settings
from helpjourney.timers import timers

HERE = Path(__file__).parent


def create_service(settings: Settings) -> Service:
    """Everything that a helpjourney process is made of."""
    return Service(
        name="helpjourney",
        settings=settings,
        routers=[me.router, claims.router, wishes.router, appointments.router, clinic.router, relying_party.router],
        keys=("sig.jwk", "enc.jwk", "service.key", "vault.key"),
        writes_files=True,
        pages=Pages(
            service="helpjourney",
            level="known",
            templates_dir=HERE / "templates",
            locale_dir=HERE / "locale",
            static_dir=HERE / "static",
        ),
        handlers=HANDLERS,
        erasers=ERASERS,
        timers=timers(ReminderFile(settings.data_dir).send),
        measure=gauges.measure,
    )
